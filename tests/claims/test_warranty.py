"""Réclamations of registered products: whose they are, and what their warranty pays."""

from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import PRODUCT, client, product, reclamation

from sav_chassis.testing import Stage
from sav_contracts.catalog import Coverage, ProductVerified
from sav_contracts.claims import (
    OpenReclamation,
    QualifyReclamation,
    ReclamationChanged,
    ReclamationCreated,
    ReclamationQualified,
)

RECLAMATION = UUID(int=100)
ENDED = [
    {
        "kind": "commercial",
        "start": "2020-03-01",
        "end": "2022-03-01",
        "parts": 100,
        "labour": 100,
        "travel": 100,
    }
]


def opening(**fields: Any) -> OpenReclamation:
    usual = {"product_id": PRODUCT, "problem_type": "no_heating", "description": "froid"}
    return OpenReclamation.model_validate(usual | fields)


def qualifying(coverage: Coverage | None = None, reason: str | None = None) -> QualifyReclamation:
    return QualifyReclamation(reclamation_id=RECLAMATION, priority="high", coverage=coverage, reason=reason)


async def test_a_reclamation_of_a_product_takes_its_name(stage: Stage) -> None:
    await stage.knows(product(world.lea))
    state = (await stage.when(opening(), by=world.lea)).only(ReclamationCreated).state
    assert (state.product_id, state.article) == (PRODUCT, "Chaudière Lumea 24")
    assert state.warranty is None
    assert PRODUCT in state.roots()


async def test_another_clients_product_is_not_there(stage: Stage) -> None:
    await stage.given(client(world.paul))
    await stage.knows(product(world.paul))
    for who, for_whom in ((world.lea, None), (world.marie, world.lea.id)):
        outcome = await stage.when(opening(client_id=for_whom), by=who)
        assert outcome.problem
        assert [error.field for error in outcome.problem.errors or []] == ["product_id"]


async def test_an_unknown_product_is_named_after_a_second(stage: Stage) -> None:
    outcome = await stage.when(opening(), by=world.lea)
    assert outcome.problem
    assert outcome.problem.status == 422
    assert [error.field for error in outcome.problem.errors or []] == ["product_id"]


@pytest.mark.parametrize(
    ("covers", "proof_state", "decision", "why"),
    [
        (None, "accepted", "covered", "cover_applies"),
        (ENDED, "accepted", "not_covered", "covers_ended"),
        (None, "submitted", "unknown", "proof_not_accepted"),
        (None, "refused", "unknown", "proof_not_accepted"),
    ],
)
async def test_the_warranty_of_the_product_decides(
    stage: Stage, covers: list[dict[str, Any]] | None, proof_state: str, decision: Coverage, why: str
) -> None:
    given = {"proof_state": proof_state} | ({"covers": covers} if covers else {})
    await stage.knows(product(world.lea, **given))
    await stage.given(reclamation(product_id=PRODUCT))
    state = (await stage.when(qualifying(), by=world.marie)).only(ReclamationQualified).state
    assert state.warranty
    assert (state.coverage, state.warranty.why) == (decision, why)


async def test_without_a_product_nobody_knows(stage: Stage) -> None:
    await stage.given(reclamation())
    state = (await stage.when(qualifying(), by=world.marie)).only(ReclamationQualified).state
    assert state.warranty
    assert (state.coverage, state.warranty.why) == ("unknown", "no_product")


async def test_a_product_that_has_not_arrived_is_waited_for_not_taken_for_unknown(stage: Stage) -> None:
    await stage.given(reclamation(product_id=PRODUCT))
    outcome = await stage.when(qualifying(), by=world.marie)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (503, "not_yet_known")
    assert outcome.events == []


@pytest.mark.parametrize(
    ("says", "shares"), [("covered", (100, 100, 100)), ("partly", (100, 0, 0)), ("not_covered", (0, 0, 0))]
)
async def test_a_manager_may_decide_otherwise_with_a_reason(
    stage: Stage, says: Coverage, shares: tuple[int, int, int]
) -> None:
    await stage.given(reclamation())
    silent = await stage.when(qualifying(says), by=world.marie)
    assert silent.problem
    assert [error.field for error in silent.problem.errors or []] == ["reason"]
    state = (await stage.when(qualifying(says, "goodwill"), by=world.marie)).only(ReclamationQualified).state
    assert state.warranty
    assert (state.warranty.decision, state.warranty.why) == (says, "decided_by_manager")
    assert (state.warranty.parts, state.warranty.labour, state.warranty.travel) == shares
    assert state.warranty.reason == "goodwill"


async def verified(stage: Stage) -> list[Any]:
    event = ProductVerified(state=product(world.lea, version=4), accepted=True)
    return (await stage.hears(event)).events


async def test_an_accepted_proof_decides_what_waited_for_it(stage: Stage) -> None:
    await stage.knows(product(world.lea, proof_state="submitted"))
    await stage.given(reclamation(product_id=PRODUCT))
    await stage.when(qualifying(), by=world.marie)
    [changed] = await verified(stage)
    assert isinstance(changed, ReclamationChanged)
    assert (changed.state.coverage, changed.state.status) == ("covered", "qualified")


async def test_an_accepted_proof_does_not_overrule_a_manager(stage: Stage) -> None:
    await stage.knows(product(world.lea, proof_state="submitted"))
    await stage.given(reclamation(product_id=PRODUCT))
    await stage.when(qualifying("not_covered", "broken on purpose"), by=world.marie)
    assert await verified(stage) == []


@pytest.mark.parametrize("status", ["submitted", "resolved", "closed", "cancelled"])
async def test_an_accepted_proof_leaves_what_is_not_under_way(stage: Stage, status: str) -> None:
    await stage.given(reclamation(product_id=PRODUCT, status=status))
    assert await verified(stage) == []
