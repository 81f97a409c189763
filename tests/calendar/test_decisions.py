"""Managers decide about visits that do not fit into the calendar."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    VISIT_ID,
    appointment,
    at,
    elsewhere,
    hours,
    moved,
    planned,
    slot,
    technician,
    visit,
)

from sav_chassis.testing import Outcome, Stage
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentCancelled, AppointmentChanged
from sav_contracts.calendar.conflict import ConflictDetected, ConflictResolved, ResolveConflict
from sav_contracts.interventions.technician import TechnicianLeft
from sav_contracts.slot import Slot


async def clash(stage: Stage) -> UUID:
    """Karim's visit was planned at a time that another one has."""
    await stage.given(elsewhere(at(1, 8)))
    await stage.knows(visit())
    return (await stage.hears(planned(slot(1, 8)))).only(ConflictDetected).state.id


async def karim_left(stage: Stage) -> UUID:
    """What was booked with him is for somebody to decide."""
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID), hours(world.sofia))
    await stage.knows(
        visit(slot=slot(1, 8), skills_needed=("heating",)), technician(world.sofia, name="Sofia")
    )
    card = technician(world.karim, version=2, active=False, name="Karim")
    await stage.knows(card)
    _, asked = (await stage.hears(TechnicianLeft(state=card))).events
    id: UUID = asked.state.id
    return id


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem
    return outcome.problem.status, outcome.problem.code


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]


async def decided(stage: Stage, id: UUID, **fields: Any) -> Outcome:
    if isinstance(fields.get("slot"), Slot):
        fields["slot"] = fields["slot"].model_dump()
    return await stage.when(ResolveConflict(conflict_id=id, **fields), by=world.marie)


async def test_its_technician_goes_at_another_time(stage: Stage) -> None:
    id = await clash(stage)
    booked, resolved = (await decided(stage, id, slot=slot(1, 13))).events
    assert isinstance(booked, AppointmentBooked)
    assert (booked.state.start, booked.state.intervention_id) == (at(1, 13), VISIT_ID)
    assert isinstance(resolved, ConflictResolved)
    assert (resolved.technician_id, resolved.state.status) == (world.karim.id, "resolved")
    assert refusal(await decided(stage, id, slot=slot(1, 15))) == (409, "illegal_move")


async def test_two_managers_decide_at_once_and_the_second_is_told(stage: Stage) -> None:
    id = await clash(stage)
    both = await asyncio.gather(*(decided(stage, id, slot=slot(1, hour)) for hour in (13, 15)))
    refused = [refusal(one) for one in both if one.problem]
    assert refused == [(409, "illegal_move")]


async def test_who_came_back_goes_at_another_time_and_the_client_reads_that_alone(stage: Stage) -> None:
    id = await karim_left(stage)
    await stage.knows(technician(world.karim, version=3, name="Karim"))
    freed, booked, _ = (await decided(stage, id, slot=slot(1, 13))).events
    assert type(freed) is AppointmentChanged
    assert freed.state.for_client().status == "cancelled"
    assert isinstance(booked, AppointmentBooked)


async def test_somebody_else_goes_which_follows_by_event(stage: Stage) -> None:
    id = await karim_left(stage)
    resolved = (await decided(stage, id, technician_id=world.sofia.id, slot=slot(1, 8))).only(
        ConflictResolved
    )
    assert (resolved.technician_id, resolved.state.technician_id) == (world.sofia.id, world.karim.id)
    assert resolved.slot == slot(1, 8)
    [cancelled] = (await stage.hears(moved("cancelled"))).events
    assert isinstance(cancelled, AppointmentCancelled), "now its client is told"
    theirs = planned(slot(1, 8), id=UUID(int=299), technician_id=world.sofia.id)
    await stage.knows(visit("cancelled", version=9))
    (await stage.hears(theirs)).only(AppointmentBooked)


async def test_when_somebody_else_goes_may_be_decided_later(stage: Stage) -> None:
    id = await karim_left(stage)
    assert (await decided(stage, id, technician_id=world.sofia.id)).only(ConflictResolved).slot is None


async def test_only_who_takes_visits_and_can_do_the_work_goes(stage: Stage) -> None:
    id = await karim_left(stage)
    assert refusal(await decided(stage, id, slot=slot(1, 8))) == (409, "technician_unavailable")
    await stage.knows(technician(world.sofia, version=2, skills=["sanitary"], name="Sofia"))
    sofia = {"technician_id": world.sofia.id, "slot": slot(1, 8)}
    assert refusal(await decided(stage, id, **sofia)) == (409, "lacks_skill")
    await stage.knows(technician(world.sofia, version=3, active=False))
    assert refusal(await decided(stage, id, **sofia)) == (409, "technician_unavailable")


async def test_a_time_is_free_to_come_and_within_working_hours(stage: Stage) -> None:
    id = await clash(stage)
    assert refusal(await decided(stage, id, slot=slot(1, 9))) == (409, "slot_taken")
    past = datetime.now(UTC) - timedelta(hours=3)
    for start, end in ((past, past + timedelta(hours=2)), (at(1, 20), at(1, 22))):
        assert wrong(await decided(stage, id, slot={"start": start, "end": end})) == ["slot"]
    assert wrong(await decided(stage, id, technician_id=world.karim.id)) == ["slot"]
    on_purpose = await decided(stage, id, slot=slot(1, 20), outside_hours=True)
    assert isinstance(on_purpose.events[-1], ConflictResolved)


async def test_a_time_that_the_other_one_has_not_is_refused_at_once(stage: Stage) -> None:
    id = await karim_left(stage)
    await stage.given(
        elsewhere(at(1, 8), technician_id=world.sofia.id, id=UUID(int=303), uid="hers"),
    )
    assert refusal(await decided(stage, id, technician_id=world.sofia.id, slot=slot(1, 9))) == (
        409,
        "slot_taken",
    )


@pytest.mark.parametrize("status", ["on_site", "in_progress", "paused"])
async def test_who_is_on_site_ends_their_visit_first(stage: Stage, status: Any) -> None:
    id = await clash(stage)
    await stage.knows(visit(status, version=2), technician(world.sofia))
    for fields in ({"slot": slot(1, 13)}, {"technician_id": world.sofia.id}):
        assert refusal(await decided(stage, id, **fields)) == (409, "visit_under_way")


async def test_a_decision_says_who_or_when() -> None:
    with pytest.raises(ValueError, match="who goes, or when"):
        ResolveConflict(conflict_id=VISIT_ID)
