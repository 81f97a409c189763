"""Signatures that were given offline: the picture comes first, the act names it by its hash."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import world
from given_acts import WRITTEN, Json, a_day, act, apply, at, told
from given_interventions import SIGNATURE, VISIT, report, visit

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.interventions.act import KeepSignature
from sav_interventions.commands.signature import MOST

OTHER = UUID(int=201)
keep = KeepSignature(intervention_id=VISIT, signature=SIGNATURE)


async def test_a_signature_is_sent_first_and_named_by_its_hash(stage: Stage) -> None:
    await stage.given(visit("planned"))
    day = a_day()
    signed = act(90, "sign", signed_by="Léa Bernard", signature=SIGNATURE.sha256)
    day[7] = signed
    outcome = await stage.when(apply(*day), by=world.karim)
    assert told(outcome) == ["done"] * 7 + ["invalid", "act_before_missing"]
    kept = await stage.when(keep, by=world.karim)
    assert kept.reply == {"sha256": SIGNATURE.sha256}
    assert told(await stage.when(apply(*day), by=world.karim)) == ["done_before"] * 7 + ["done", "done"]
    row = await stage.database.pool.fetchrow("SELECT signed_by, signed_at, status FROM report")
    assert row
    assert (row["signed_by"], row["signed_at"].isoformat(), row["status"]) == (
        "Léa Bernard",
        at(90),
        "submitted",
    )


@pytest.mark.parametrize(
    ("minutes", "when"),
    [(-600_000, "now"), (0, "now"), (25, "now"), (32, "begun"), (35, "begun"), (60, "then")],
)
@pytest.mark.parametrize("refused", [False, True], ids=["signed", "refused"])
async def test_nobody_signed_or_refused_before_the_work_began(
    stage: Stage, refused: bool, minutes: int, when: str
) -> None:
    """A telephone's clock may be a little slow; where it is wrong, nobody knows when it was: the time is that of now."""
    await stage.given(visit("planned"))
    day = a_day()[:4]
    await stage.when(apply(*day), by=world.karim)
    await stage.when(apply(act(minutes, "report", VISIT, None, **WRITTEN)), by=world.karim)
    await stage.when(keep, by=world.karim)
    how: Json = {"refused": "non"} if refused else {"signed_by": "Léa Bernard", "signature": SIGNATURE.sha256}
    signed = act(minutes, "sign", **how)
    assert told(await stage.when(apply(signed), by=world.karim)) == ["done"]
    row = await stage.database.pool.fetchrow("SELECT signed_at, signature_refused_at FROM report")
    assert row
    signed_at, other = (row["signature_refused_at"], row["signed_at"]) if refused else tuple(row)
    assert other is None
    times = {"now": datetime.now(UTC).isoformat(), "begun": day[3]["at"], "then": signed["at"]}
    assert abs(signed_at - datetime.fromisoformat(times[when])) < timedelta(seconds=30)


async def test_signatures_are_kept_once_and_not_without_end(stage: Stage) -> None:
    await stage.given(visit("planned"))
    pictures = [
        KeepSignature(intervention_id=VISIT, signature=SIGNATURE.model_copy(update={"sha256": f"{n:064x}"}))
        for n in range(MOST + 1)
    ]
    for picture in (*pictures[:MOST], pictures[0]):
        assert (await stage.when(picture, by=world.karim)).problem is None
    refused = await stage.when(pictures[MOST], by=world.karim)
    assert refused.problem
    assert refused.problem.code == "too_many_signatures"


@pytest.mark.parametrize(
    ("who", "code"), [(world.sofia, "not_found"), (world.marie, "not_allowed"), (world.lea, "not_allowed")]
)
async def test_only_its_technician_sends_a_signature(stage: Stage, who: Actor, code: str) -> None:
    await stage.given(visit("planned"))
    outcome = await stage.when(keep, by=who)
    assert outcome.problem
    assert outcome.problem.code == code


async def test_a_signature_of_another_visit_does_not_count(stage: Stage) -> None:
    other = visit("completed", id=OTHER, reclamation_id=uuid4())
    await stage.given(visit("completed"), other, report("draft"))
    await stage.when(KeepSignature(intervention_id=OTHER, signature=SIGNATURE), by=world.karim)
    signed = act(90, "sign", signed_by="Léa", signature=SIGNATURE.sha256)
    assert told(await stage.when(apply(signed), by=world.karim)) == ["invalid"]
