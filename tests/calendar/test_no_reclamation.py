"""Times of visits that are for no réclamation, and of follow-ups."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import RECLAMATION, VISIT_ID, at, elsewhere, moved, planned, reclamation, slot, visit, why

from sav_calendar.hours import VISIT
from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.actor import Actor
from sav_contracts.calendar.appointment import (
    AppointmentAttended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissedByClient,
    BookAppointment,
    HoldSlot,
)
from sav_contracts.calendar.conflict import ConflictDetected, ConflictResolved
from sav_contracts.calendar.slots import FindFreeSlots
from sav_contracts.interventions.visit import InterventionStatus

NONE: dict[str, Any] = {
    "reclamation_id": None,
    "reclamation_reference": None,
    "reference": "INT-2026-000001",
    "purpose": "maintenance",
}


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def hold(hour: int = 8, who: Actor = world.karim, **fields: Any) -> HoldSlot:
    usual: dict[str, Any] = {"intervention_id": VISIT_ID, "technician_id": who.id, "start": at(1, hour)}
    return HoldSlot(**(usual | fields))


async def booked(stage: Stage, by: Actor = world.marie, hour: int = 8) -> AppointmentBooked:
    held = await stage.when(hold(hour), by=by)
    assert held.problem is None, held.problem
    event, *_ = (await stage.when(BookAppointment(appointment_id=UUID(held.reply["id"])), by=by)).events
    assert isinstance(event, AppointmentBooked)
    return event


async def test_a_visit_for_no_reclamation_is_booked_at_its_time(stage: Stage) -> None:
    state = (await stage.hears(planned(slot(1, 8), **NONE))).only(AppointmentBooked).state
    assert (state.reclamation_id, state.reclamation_reference, state.intervention_id) == (
        None,
        None,
        VISIT_ID,
    )
    assert state.timeline_roots() == {state.id, VISIT_ID}
    told = enveloped(planned(slot(1, 8), **NONE))
    assert await why(stage, told) == "it is in the calendar already"


async def test_two_of_them_are_booked_beside_each_other(stage: Stage) -> None:
    (await stage.hears(planned(slot(1, 8), **NONE))).only(AppointmentBooked)
    other = planned(slot(2, 8), **(NONE | {"id": UUID(int=201)}))
    assert (await stage.hears(other)).only(AppointmentBooked).state.intervention_id == UUID(int=201)


async def test_a_time_that_is_taken_is_a_conflict_that_another_time_resolves(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    conflict = (await stage.hears(planned(slot(1, 8), **NONE))).only(ConflictDetected).state
    assert (conflict.problem, conflict.reclamation_id, conflict.intervention_id) == (
        "slot_taken",
        None,
        VISIT_ID,
    )
    await stage.knows(visit(**NONE))
    held = await stage.when(hold(14), by=world.marie)
    taken, resolved = (
        await stage.when(BookAppointment(appointment_id=UUID(held.reply["id"])), by=world.marie)
    ).events
    assert isinstance(taken, AppointmentBooked)
    assert isinstance(resolved, ConflictResolved)
    assert resolved.state.id == conflict.id


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=["client", "manager", "admin"])
async def test_a_visit_without_a_time_gets_one(stage: Stage, who: Actor) -> None:
    await stage.knows(visit(**NONE))
    await stage.hears(planned(**NONE))
    free = await stage.when(FindFreeSlots(intervention_id=VISIT_ID), by=who)
    assert {one["technician_id"] for one in free.reply["items"]} == {str(world.karim.id)}
    state = (await booked(stage, who)).state
    assert (state.intervention_id, state.reclamation_id, state.start) == (VISIT_ID, None, at(1, 8))
    again = await stage.when(hold(14), by=who)
    assert refusal(again) == (409, "already_booked")


async def test_another_time_is_held_in_its_place(stage: Stage) -> None:
    await stage.knows(visit(**NONE))
    await stage.when(hold(8), by=world.lea)
    released, held = (await stage.when(hold(14), by=world.lea)).events
    assert (released.state.status, held.state.status) == ("cancelled", "held")


async def test_the_time_that_it_was_planned_for_replaces_a_held_one(stage: Stage) -> None:
    """Its copy was here before the event was handled."""
    await stage.knows(visit(**NONE))
    await stage.when(hold(8), by=world.marie)
    *_, told = (await stage.hears(planned(slot(1, 14), **NONE))).events
    assert isinstance(told, AppointmentBooked)
    assert told.state.start == at(1, 14)


async def test_somebody_elses_visit_gets_no_time(stage: Stage) -> None:
    await stage.knows(visit(**NONE))
    refused = await stage.when(hold(), by=world.paul, seconds=1.5)
    assert refusal(refused) == (404, "not_found")
    assert refusal(await stage.when(hold(who=world.sofia), by=world.lea)) == (409, "another_technician")


@pytest.mark.parametrize("status", ["en_route", "on_site", "completed", "cancelled"])
async def test_a_time_is_chosen_until_somebody_sets_out(stage: Stage, status: InterventionStatus) -> None:
    await stage.knows(visit(status, **NONE))
    refused = await stage.when(hold(), by=world.marie, seconds=1.5)
    assert refusal(refused) == (409, "set_out")


@pytest.mark.parametrize(
    ("after", "event"),
    [
        ("completed", AppointmentAttended),
        ("no_access", AppointmentMissedByClient),
        ("cancelled", AppointmentCancelled),
        ("declined", AppointmentCancelled),
    ],
)
async def test_its_time_ends_with_it(stage: Stage, after: InterventionStatus, event: Any) -> None:
    await stage.hears(planned(slot(1, 8), **NONE))
    told = (await stage.hears(moved(after, **NONE))).only(event)
    assert told.state.intervention_id == VISIT_ID


async def test_the_end_of_another_visit_is_no_matter_to_it(stage: Stage) -> None:
    await stage.hears(planned(slot(1, 8), **NONE))
    assert (await stage.hears(moved("cancelled", **(NONE | {"id": UUID(int=201)})))).events == []


async def test_a_follow_up_of_a_reclamation_gets_a_time_by_its_own_id(stage: Stage) -> None:
    """As a manager finds it in the list of visits."""
    await stage.knows(
        reclamation(status="assigned", technician_id=world.karim.id), visit(follows_id=UUID(int=199))
    )
    state = (await booked(stage)).state
    assert (state.reclamation_id, state.intervention_id) == (RECLAMATION, VISIT_ID)
    assert state.end - state.start == VISIT > timedelta()


@pytest.mark.parametrize("fields", [{"intervention_id": None}, {"reclamation_id": RECLAMATION}])
def test_a_time_is_for_one_thing(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="reclamation_id or intervention_id"):
        hold(**fields)
