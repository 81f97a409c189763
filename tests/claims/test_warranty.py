"""Réclamations of registered products: whose they are, and what their warranty pays."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import NOW, PRODUCT, client, product, reclamation, visit

from sav_chassis.envelope import Context
from sav_chassis.testing import Stage
from sav_chassis.tx import transaction
from sav_claims.model import Reclamation, manager_says
from sav_contracts.actor import Role
from sav_contracts.catalog.product import ProductVerified, WarrantyChanged
from sav_contracts.catalog.warranty import Coverage, Warranty
from sav_contracts.claims.reclamation import (
    OpenReclamation,
    QualifyReclamation,
    ReclamationChanged,
    ReclamationCreated,
    ReclamationQualified,
    ReclamationStatus,
)
from sav_contracts.interventions.visit import WarrantyDecided

RECLAMATION = UUID(int=100)
CONTEXT = Context(
    actor_id=world.marie.id, actor_role=Role.MANAGER, correlation_id=RECLAMATION, causation_id=RECLAMATION
)
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
    assert PRODUCT in state.timeline_roots()


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


async def test_a_share_that_a_cover_pays_keeps_its_cover(stage: Stage) -> None:
    await stage.knows(product(world.lea, version=4))
    await stage.given(reclamation(product_id=PRODUCT))
    told = (await stage.when(qualifying("partly", "calcaire"), by=world.marie)).only(ReclamationQualified)
    kept = told.state.warranty
    assert kept
    assert (kept.cover, kept.parts_cover, kept.labour_cover) == ("legal_conformity", "legal_conformity", None)
    again = (await stage.when(qualifying(None, "plus tard"), by=world.marie)).only(ReclamationQualified)
    assert again.state.warranty == kept
    assert kept.for_client().reason == "calcaire", "the client reads why it is less than the covers pay"


async def test_an_accepted_proof_names_the_cover_of_what_a_manager_decided(stage: Stage) -> None:
    await stage.knows(product(world.lea, proof_state="submitted"))
    await stage.given(reclamation(product_id=PRODUCT))
    await stage.when(qualifying("partly", "goodwill"), by=world.marie)
    [changed] = await verified(stage)
    assert (changed.state.coverage, changed.state.warranty.parts_cover) == ("partly", "legal_conformity")


async def verified(stage: Stage) -> list[Any]:
    await stage.knows(product(world.lea, version=4))
    event = ProductVerified(state=product(world.lea, version=4), accepted=True)
    return (await stage.hears(event)).events


async def test_news_of_a_product_waits_for_its_copy_so_that_nothing_is_qualified_by_an_older_one(
    stage: Stage,
) -> None:
    await stage.knows(product(world.lea, version=3, proof_state="submitted"))
    await stage.given(reclamation(product_id=PRODUCT))
    await stage.hears(ProductVerified(state=product(world.lea, version=4), accepted=True))
    assert len(await stage.parked()) == 1


def of_visit(warranty: Warranty) -> WarrantyDecided:
    return WarrantyDecided(state=visit(warranty=warranty), decision=warranty.decision)


async def test_what_a_manager_decides_for_a_visit_is_what_the_client_reads(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    goodwill = manager_says("covered", "goodwill", NOW)
    changed = (await stage.hears(of_visit(goodwill))).only(ReclamationChanged)
    assert (changed.state.coverage, changed.state.warranty) == ("covered", goodwill)


@pytest.mark.parametrize("minutes", [-1, 0])
async def test_of_two_decisions_of_managers_the_later_one_stands(stage: Stage, minutes: int) -> None:
    kept = manager_says("not_covered", "broken on purpose", NOW)
    await stage.given(reclamation(status="assigned", warranty=kept, coverage="not_covered"))
    older = manager_says("covered", "goodwill", NOW + timedelta(minutes=minutes))
    assert (await stage.hears(of_visit(older))).events == []
    newer = manager_says("covered", "goodwill", NOW + timedelta(minutes=1))
    (await stage.hears(of_visit(newer))).only(ReclamationChanged)


async def test_what_a_rule_says_of_a_visit_changes_nothing_here(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    by_rule = product(world.lea).warranty(NOW.date())
    assert (await stage.hears(of_visit(by_rule))).events == []


async def test_an_accepted_proof_decides_what_waited_for_it(stage: Stage) -> None:
    await stage.knows(product(world.lea, proof_state="submitted"))
    await stage.given(reclamation(product_id=PRODUCT))
    await stage.when(qualifying(), by=world.marie)
    [changed] = await verified(stage)
    assert type(changed) is ReclamationChanged
    assert (changed.state.coverage, changed.state.status) == ("covered", "qualified")


async def test_an_accepted_proof_does_not_overrule_a_manager(stage: Stage) -> None:
    await stage.knows(product(world.lea, proof_state="submitted"))
    await stage.given(reclamation(product_id=PRODUCT))
    await stage.when(qualifying("not_covered", "broken on purpose"), by=world.marie)
    assert await verified(stage) == []


@pytest.mark.parametrize("days", [-1, 0, 1])
async def test_what_was_reported_before_another_unit_came_stays_covered(stage: Stage, days: int) -> None:
    await stage.knows(product(world.lea))
    await stage.given(reclamation(product_id=PRODUCT))
    qualified = (await stage.when(qualifying(), by=world.marie)).only(ReclamationQualified)
    assert qualified.state.coverage == "covered"
    came = {
        "replaced_by_id": UUID(int=301),
        "replaced_on": qualified.state.created_at.date() + timedelta(days),
    }
    gone = product(world.lea, version=4, **came)
    await stage.knows(gone)
    assert (await stage.hears(WarrantyChanged(state=gone, cause="replaced"))).events == []


@pytest.mark.parametrize("status", ["submitted", "closed", "cancelled"])
async def test_an_accepted_proof_leaves_what_is_not_under_way(stage: Stage, status: str) -> None:
    await stage.given(reclamation(product_id=PRODUCT, status=status))
    assert await verified(stage) == []


@pytest.mark.parametrize("status", ["resolved", "reopened"])
async def test_an_accepted_proof_decides_what_is_resolved_or_reopened(
    stage: Stage, status: ReclamationStatus
) -> None:
    await stage.given(reclamation(product_id=PRODUCT, status=status))
    [changed] = await verified(stage)
    assert (changed.state.coverage, changed.state.status) == ("covered", status)


async def test_what_was_never_qualified_is_not_decided_while_its_client_is_asked(stage: Stage) -> None:
    await stage.given(reclamation(product_id=PRODUCT, status="awaiting_client", before_waiting="submitted"))
    assert await verified(stage) == []


@pytest.mark.parametrize(("before", "refused"), [("submitted", False), ("qualified", True)])
async def test_deciding_first_needs_no_reason_also_while_the_client_is_asked(
    stage: Stage, before: ReclamationStatus, refused: bool
) -> None:
    await stage.given(reclamation(status="awaiting_client", before_waiting=before))
    first = await stage.when(qualifying(), by=world.marie)
    assert bool(first.problem) is refused
    if not refused:
        again = await stage.when(qualifying(), by=world.marie)
        assert again.problem
        assert [error.field for error in again.problem.errors or []] == ["reason"]


async def test_news_of_a_product_waits_for_its_reclamations_without_holding_the_product(
    stage: Stage,
) -> None:
    """Qualifying locks the réclamation, then the product: the other order would be a deadlock."""
    await stage.knows(product(world.lea, version=4))
    await stage.given(reclamation(product_id=PRODUCT, status="qualified"))
    event = ProductVerified(state=product(world.lea, version=4), accepted=True)
    async with transaction(stage.database, stage.settings, CONTEXT, lambda _: None) as tx:
        await tx.load(Reclamation, RECLAMATION, world.marie)
        heard = asyncio.create_task(stage.hears(event))
        await asyncio.sleep(0.5)
        assert not heard.done()
        # Sooner than the database would find a deadlock and end one of both.
        await asyncio.wait_for(tx.lock(f"product {PRODUCT}"), 0.3)
    (await heard).only(ReclamationChanged)


async def test_naming_another_product_tells_which_one_it_was(stage: Stage) -> None:
    other = UUID(int=301)
    await stage.knows(product(world.lea), product(world.lea, id=other))
    await stage.given(reclamation(product_id=PRODUCT))
    assert (await stage.when(qualifying(), by=world.marie)).only(
        ReclamationQualified
    ).previous_product_id is None
    named = QualifyReclamation(
        reclamation_id=RECLAMATION, priority="high", product_id=other, reason="l’autre chaudière"
    )
    told = (await stage.when(named, by=world.marie)).only(ReclamationQualified)
    assert (told.previous_product_id, told.state.product_id) == (PRODUCT, other)
