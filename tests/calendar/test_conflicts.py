"""Booked visits that do not fit any more: they stay until somebody decides, and are told at once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    APPOINTMENT,
    RECLAMATION,
    VISIT_ID,
    appointment,
    at,
    does,
    elsewhere,
    held,
    hours,
    is_away,
    is_back,
    leaves,
    moved,
    planned,
    reclamation,
    slot,
    technician,
    visit,
    workday,
)

from sav_calendar.conflicts import find_conflicts
from sav_calendar.hours import USUAL_SHIFTS, VISIT
from sav_chassis.testing import Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    AppointmentMoved,
)
from sav_contracts.calendar.conflict import (
    ConflictBecameMoot,
    ConflictChanged,
    ConflictDetected,
    ConflictResolved,
    ConflictView,
    ResolveConflict,
)
from sav_contracts.calendar.hours import HoursChanged, SetHours, Shift
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import ReclamationMoved
from sav_contracts.interventions.visit import InterventionStatus
from sav_contracts.messages import Event
from sav_contracts.slot import Slot

OTHER_VISIT = UUID(int=201)
OMAR = Actor(id=UUID(int=13), role=Role.TECHNICIAN)
MORNING = (at(1, 7), at(1, 12))
OTHERS: dict[str, Any] = {"id": OTHER_VISIT, "reclamation_id": UUID(int=101), "client_id": world.paul.id}


def found(events: list[Event]) -> list[ConflictView]:
    return [event.state for event in events if isinstance(event, ConflictDetected)]


async def booked(stage: Stage, **fields: Any) -> None:
    """Karim's visit at Léa's, the first day at 8; Sofia could go too."""
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID), hours(world.sofia))
    await stage.knows(visit(slot=slot(1, 8), **fields), technician(world.sofia, name="Sofia"))


def setting(shifts: list[Shift]) -> SetHours:
    return SetHours(technician_id=world.karim.id, shifts=shifts)


def at_one(conflict: ConflictView) -> ResolveConflict:
    """He goes in the afternoon."""
    given = {"conflict_id": conflict.id, "slot": slot(1, 13).model_dump()}
    return ResolveConflict.model_validate(given)


async def status(stage: Stage) -> str:
    found = await stage.database.pool.fetchval("SELECT status FROM appointment WHERE id = $1", APPOINTMENT)
    return str(found)


async def test_an_absence_over_a_visit_is_asked_about_and_the_visit_stays(stage: Stage) -> None:
    await booked(stage)
    [event] = await is_away(stage, *MORNING)
    assert isinstance(event, ConflictDetected)
    conflict = event.state
    assert (conflict.problem, conflict.status, conflict.wanted) == ("absence", "open", slot(1, 8))
    assert (conflict.appointment_id, conflict.intervention_id) == (APPOINTMENT, VISIT_ID)
    assert (event.one_of_many, event.others) == (False, [])
    assert await status(stage) == "booked", "its client is told of what is decided alone"


async def test_the_wanted_time_by_another_is_proposed_before_other_times_of_the_same(stage: Stage) -> None:
    await booked(stage)
    [conflict] = found(await is_away(stage, *MORNING))
    first, second, *_ = conflict.ranked
    assert (first.technician_id, first.start) == (world.sofia.id, at(1, 8))
    assert first.reasons == ["wanted_time", "same_day", "works_there"]
    assert (second.technician_id, second.start) == (world.karim.id, at(1, 13))
    assert second.reasons == ["same_day", "same_technician", "works_there"]
    assert len(conflict.ranked) == len(conflict.proposals) + len(conflict.alternatives)
    assert all(one.end <= MORNING[0] or one.start >= MORNING[1] for one in conflict.proposals)


async def test_whoever_does_not_work_there_is_proposed_later(stage: Stage) -> None:
    await booked(stage, place=Place(address="3 rue des Lilas", postcode="69003", city="Lyon"))
    await stage.given(hours(OMAR))
    await stage.knows(
        technician(world.sofia, version=2, name="Sofia", zone=["13"]), technician(OMAR, name="Omar")
    )
    [conflict] = found(await is_away(stage, *MORNING))
    at_eight = [one for one in conflict.ranked if one.start == at(1, 8)]
    assert [one.technician_id for one in at_eight] == [OMAR.id, world.sofia.id]


async def test_a_slot_that_is_lost_at_assignment_has_others_who_could_go(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)), hours(world.sofia))
    await stage.knows(visit(), technician(world.sofia, name="Sofia"))
    conflict = (await stage.hears(planned(slot(1, 8)))).only(ConflictDetected).state
    assert (conflict.problem, conflict.appointment_id) == ("slot_taken", None)
    assert (conflict.ranked[0].technician_id, conflict.ranked[0].start) == (world.sofia.id, at(1, 8))
    assert conflict.alternatives


async def test_visits_outside_the_absence_and_what_was_asked_before_are_left(stage: Stage) -> None:
    await booked(stage)
    assert await is_away(stage, at(1, 10), at(1, 12)) == [], "it ends as the visit does"
    assert found(await is_away(stage, *MORNING))
    assert await is_away(stage, *MORNING) == [], "once"


@pytest.mark.parametrize("there", ["on_site", "in_progress", "paused"])
async def test_a_visit_whose_technician_is_there_goes_on(stage: Stage, there: InterventionStatus) -> None:
    await booked(stage)
    await stage.knows(visit(there, version=3, slot=slot(1, 8)))
    assert await is_away(stage, *MORNING) == []


async def test_what_is_only_held_is_released(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    [event] = await is_away(stage, *MORNING)
    assert type(event) is AppointmentChanged
    assert event.state.status == "cancelled"


async def test_managers_are_told_of_all_of_them_at_once(stage: Stage) -> None:
    await booked(stage)
    await stage.given(elsewhere(at(1, 11), intervention_id=OTHER_VISIT))
    await stage.knows(visit(slot=slot(1, 11), **OTHERS))
    first, second = await is_away(stage, *MORNING)
    assert isinstance(first, ConflictDetected)
    assert isinstance(second, ConflictDetected)
    assert (first.one_of_many, second.one_of_many, second.others) == (False, True, [])
    [also] = first.others
    assert (also.intervention_id, also.wanted) == (second.state.intervention_id, second.state.wanted)


async def test_changed_hours_ask_about_what_is_outside_them_alone(stage: Stage) -> None:
    await booked(stage)
    await stage.given(elsewhere(at(1, 13), intervention_id=OTHER_VISIT))
    await stage.knows(visit(slot=slot(1, 13), **OTHERS))
    day = ("mon", "tue", "wed", "thu", "fri")[workday(1).weekday()]
    afternoon = Shift.model_validate({"day": day, "start": "13:00", "end": "17:00"})
    events = (await stage.when(setting([afternoon]), by=world.marie)).events
    assert [(one.problem, one.wanted) for one in found(events)] == [("outside_hours", slot(1, 8))]


async def test_hours_that_are_set_back_leave_nothing_to_decide(stage: Stage) -> None:
    await booked(stage)
    assert found((await stage.when(setting([]), by=world.marie)).events)
    events = (await stage.when(setting(USUAL_SHIFTS), by=world.marie)).events
    assert [type(event) for event in events] == [HoursChanged, ConflictBecameMoot]
    assert await status(stage) == "booked"


async def test_what_was_planned_outside_the_hours_on_purpose_is_left(stage: Stage) -> None:
    await booked(stage)
    await stage.database.pool.execute("UPDATE working_hours SET shifts = '[]'")
    karim, within = world.karim.id, (at(1, 0), at(1, 23))

    def was_outside(start: datetime, end: datetime) -> bool:
        return False

    find = find_conflicts
    assert await does(stage, lambda tx: find(tx, karim, *within, "outside_hours", was_outside)) == []
    assert found(await is_away(stage, *within, "outside_hours"))


async def test_an_absence_that_is_removed_leaves_nothing_to_decide(stage: Stage) -> None:
    await booked(stage)
    await is_away(stage, *MORNING)
    await is_away(stage, at(1, 9), at(1, 10))
    assert await is_back(stage) == [], "another one is still over it"
    [event] = await is_back(stage)
    assert isinstance(event, ConflictBecameMoot)
    assert await status(stage) == "booked"


async def test_what_was_never_booked_needs_a_decision_also_without_the_absence(stage: Stage) -> None:
    await stage.knows(visit())
    await is_away(stage, *MORNING)
    assert (await stage.hears(planned(slot(1, 8)))).only(ConflictDetected).state.problem == "absence"
    assert await is_back(stage) == []


async def test_a_manager_decides_and_the_client_has_one_time_in_place_of_the_other(stage: Stage) -> None:
    await booked(stage)
    [conflict] = found(await is_away(stage, *MORNING))
    told, resolved = (await stage.when(at_one(conflict), by=world.marie)).events
    assert isinstance(told, AppointmentMoved)
    assert (told.before, told.state.start) == (slot(1, 8), at(1, 13))
    # Calendars of telephones, and the link of its messages, go on with it (RFC 5545).
    assert (told.state.id, told.state.uid, told.state.sequence) == (APPOINTMENT, "an appointment", 1)
    assert isinstance(resolved, ConflictResolved)


async def test_a_visit_that_a_manager_lets_stand_is_not_moved(stage: Stage) -> None:
    await booked(stage)
    [conflict] = found(await is_away(stage, *MORNING))
    stands = {"conflict_id": conflict.id, "slot": slot(1, 8).model_dump(), "outside_hours": True}
    (await stage.when(ResolveConflict.model_validate(stands), by=world.marie)).only(ConflictResolved)
    assert await status(stage) == "booked"


async def test_a_decision_about_a_visit_settles_whatever_else_did_not_fit(stage: Stage) -> None:
    await booked(stage)
    [conflict] = found(await is_away(stage, *MORNING))
    await stage.database.pool.execute(
        "UPDATE working_hours SET shifts = '[]' WHERE technician_id = $1", world.karim.id
    )
    assert found(await is_away(stage, *MORNING, "outside_hours"))
    to_sofia = ResolveConflict(conflict_id=conflict.id, technician_id=world.sofia.id)
    outcome = await stage.when(to_sofia, by=world.marie)
    assert [event.state.status for event in outcome.events] == ["resolved", "resolved"]


@pytest.mark.parametrize("ends", ["cancelled", "declined", "completed", "no_access"])
async def test_what_ends_a_visit_ends_its_conflicts(stage: Stage, ends: InterventionStatus) -> None:
    await booked(stage)
    assert found(await is_away(stage, *MORNING))
    assert ConflictBecameMoot in map(type, (await stage.hears(moved(ends))).events)


async def test_a_time_whose_visit_is_still_being_planned_is_asked_about_too(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8)))
    [conflict] = found(await is_away(stage, *MORNING))
    assert (conflict.intervention_id, conflict.ranked) == (None, [])
    decided = at_one(conflict)
    early = await stage.when(decided, by=world.marie, seconds=1)
    assert early.problem
    await stage.knows(visit(slot=slot(1, 8)))
    events = (await stage.hears(planned(slot(1, 8)))).events
    assert [type(event) for event in events] == [AppointmentChanged, ConflictChanged]
    assert events[1].state.intervention_id == VISIT_ID
    assert (await stage.passes(timedelta())).only(ConflictChanged).state.ranked
    assert (await stage.when(decided, by=world.marie)).problem is None


async def test_it_ends_where_the_visit_is_never_planned(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8)))
    assert found(await is_away(stage, *MORNING))
    ended = reclamation(version=5, status="cancelled")
    await stage.knows(ended)
    events = (await stage.hears(ReclamationMoved(state=ended, before="qualified", after="cancelled"))).events
    assert {type(event) for event in events} == {AppointmentCancelled, ConflictBecameMoot}


async def test_whoever_leaves_has_one_conflict_for_each_visit(stage: Stage) -> None:
    await booked(stage)
    await is_away(stage, *MORNING)
    events = (await leaves(stage)).events
    assert [type(event) for event in events] == [AppointmentChanged, ConflictBecameMoot, ConflictDetected]


NOW = timedelta(minutes=1)


async def next_visit(stage: Stage, before: InterventionStatus = "in_progress") -> datetime:
    """Karim is at Paul's, and is to be at Léa's in an hour."""
    start = datetime.now(UTC) + timedelta(hours=1)
    await stage.knows(
        visit(before, slot=None, **OTHERS), visit("accepted"), technician(world.sofia, name="Sofia")
    )
    await stage.given(hours(world.sofia))
    wanted = planned(Slot(start=start, end=start + VISIT)).model_copy(update={"outside_hours": True})
    (await stage.hears(wanted)).only(AppointmentBooked)
    return start


async def test_a_visit_that_goes_on_past_the_start_of_the_next_one(stage: Stage) -> None:
    start = await next_visit(stage)
    event = (await stage.passes(start + NOW)).only(ConflictDetected)
    conflict = event.state
    assert (conflict.problem, conflict.intervention_id) == ("overrun", VISIT_ID)
    assert conflict.wanted.start == start
    assert conflict.ranked
    assert all(one.start > start for one in conflict.ranked)


@pytest.mark.parametrize("before", ["planned", "en_route", "paused", "completed"])
async def test_who_is_at_no_other_visit_is_late_for_none(stage: Stage, before: InterventionStatus) -> None:
    start = await next_visit(stage, before)
    assert (await stage.passes(start + NOW)).events == []


async def test_whoever_sets_out_meanwhile_is_not_asked_about(stage: Stage) -> None:
    start = await next_visit(stage)
    await stage.knows(visit("en_route", version=4))
    assert (await stage.passes(start + NOW)).events == []


@pytest.mark.parametrize("comes", ["en_route", "on_site"])
async def test_whoever_sets_out_at_last_leaves_nothing_to_decide(
    stage: Stage, comes: InterventionStatus
) -> None:
    start = await next_visit(stage)
    (await stage.passes(start + NOW)).only(ConflictDetected)
    (await stage.hears(moved(comes))).only(ConflictBecameMoot)


async def test_the_timer_follows_a_visit_that_is_moved(stage: Stage) -> None:
    start = await next_visit(stage)
    later = start + timedelta(hours=3)
    await stage.database.pool.execute(
        """UPDATE appointment SET start = $1, "end" = $2, busy_until = $2 WHERE status = 'booked'""",
        later,
        later + VISIT,
    )
    assert (await stage.passes(start + NOW)).events == []
    (await stage.passes(later + NOW)).only(ConflictDetected)


async def test_a_conflict_knows_its_reclamation(stage: Stage) -> None:
    await booked(stage)
    [conflict] = found(await is_away(stage, *MORNING))
    assert (conflict.reclamation_id, conflict.reclamation_reference) == (RECLAMATION, "REC-2026-000100")
    assert conflict.interval() == (at(1, 8), at(1, 10))
