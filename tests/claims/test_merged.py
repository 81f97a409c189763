"""Whoever works on a réclamation reads what was merged into it."""

from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import reclamation
from given_views import a

from sav_chassis.testing import Outcome, Stage
from sav_contracts.claims.comment import AddComment
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    MoveReclamation,
    ReclamationChanged,
    ReclamationMoved,
    ReclamationView,
    TechnicianAssigned,
)
from sav_contracts.messages import Event

FIRST, SECOND, THIRD = (UUID(int=number) for number in (100, 101, 102))


def numbered(id: UUID, **fields: Any) -> Any:
    return reclamation(id=id, reference=f"REC-2026-000{id.int}", **({"status": "qualified"} | fields))


async def merged(stage: Stage, one: UUID, into: UUID) -> Outcome:
    """By a manager; and what claims itself does about it."""
    move = MoveReclamation(reclamation_id=one, to="merged", target_id=into, reason="doublon")
    return await heard(stage, await stage.when(move, by=world.marie), ReclamationMoved)


async def assigned(stage: Stage, id: UUID, technician: Any) -> Outcome:
    command = AssignTechnician(reclamation_id=id, technician_id=technician.id)
    return await heard(stage, await stage.when(command, by=world.marie), TechnicianAssigned)


async def heard(stage: Stage, outcome: Outcome, event: type[Event]) -> Outcome:
    return await stage.hears(told(outcome, event))


def told(outcome: Outcome, event: type[Event]) -> Event:
    assert outcome.problem is None, outcome.problem
    [found] = [one for one in outcome.events if type(one) is event]
    return found


async def whose(stage: Stage) -> dict[UUID, UUID | None]:
    rows = await stage.database.pool.fetch("SELECT id, technician_id FROM reclamation")
    return {row["id"]: row["technician_id"] for row in rows}


async def test_what_is_merged_is_there_for_the_technician_of_the_target(stage: Stage) -> None:
    karims: dict[str, Any] = {"technician_id": world.karim.id, "status": "assigned", "assignment": 1}
    await stage.given(numbered(FIRST), numbered(SECOND, **karims))
    outcome = await merged(stage, FIRST, SECOND)
    changed = outcome.only(ReclamationChanged).state
    assert (changed.id, changed.status, changed.technician_id) == (FIRST, "merged", world.karim.id)
    note = AddComment(reclamation_id=FIRST, text="j'y vais")
    refused = await stage.when(note, by=world.karim)
    assert refused.problem
    assert refused.problem.code == "merged_away", "it is there, to be read"


async def test_it_follows_when_the_target_goes_to_another(stage: Stage) -> None:
    await stage.given(numbered(FIRST), numbered(SECOND))
    assert (await merged(stage, FIRST, SECOND)).events == [], "the target is nobody's yet"
    for technician in (world.karim, world.sofia):
        await assigned(stage, SECOND, technician)
        assert set((await whose(stage)).values()) == {technician.id}


@pytest.mark.parametrize("late", [False, True])
async def test_what_was_merged_into_a_merged_one_comes_along(stage: Stage, late: bool) -> None:
    karims: dict[str, Any] = {"technician_id": world.karim.id, "status": "assigned", "assignment": 1}
    await stage.given(numbered(FIRST), numbered(SECOND), numbered(THIRD, **karims))
    moves = [
        MoveReclamation(reclamation_id=one, to="merged", target_id=into, reason="doublon")
        for one, into in ((FIRST, SECOND), (SECOND, THIRD))
    ]
    events = [told(await stage.when(move, by=world.marie), ReclamationMoved) for move in moves]
    for event in reversed(events) if late else events:
        await stage.hears(event)
    assert set((await whose(stage)).values()) == {world.karim.id}


async def test_one_that_was_given_back_meanwhile_keeps_its_own(stage: Stage) -> None:
    """A visit that was under way has the last word: what it was for is merged no longer."""
    await stage.given(
        numbered(FIRST, status="in_progress", technician_id=world.sofia.id),
        numbered(SECOND, status="assigned", technician_id=world.karim.id, assignment=1),
    )
    state = a(ReclamationView, id=FIRST, version=2, status="merged", merged_into_id=SECOND)
    late = ReclamationMoved(state=state, before="in_progress", after="merged", reason="doublon")
    assert (await stage.hears(late)).events == []
    assert (await whose(stage))[FIRST] == world.sofia.id
