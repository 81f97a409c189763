"""What the calendar does when a visit is planned."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    APPOINTMENT,
    PARIS,
    RECLAMATION,
    VISIT_ID,
    appointment,
    at,
    chosen,
    elsewhere,
    held,
    hours,
    moved,
    planned,
    reclamation,
    slot,
    technician,
    visit,
    why,
)

from sav_calendar.lifecycle import AFTER_VISIT
from sav_chassis.testing import Stage, enveloped
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    AppointmentView,
    BookAppointment,
    HoldSlot,
)
from sav_contracts.calendar.conflict import ConflictDetected, ConflictResolved
from sav_contracts.interventions.visit import InterventionPlanned, InterventionStatus
from sav_contracts.messages import View
from sav_contracts.slot import Slot


def next_sunday() -> datetime:
    today = datetime.now(PARIS)
    return today.replace(hour=10) + timedelta(days=7 + 6 - today.weekday())


async def test_a_planned_visit_is_booked_at_its_time(stage: Stage) -> None:
    wanted = slot(1, 8)
    state = (await stage.hears(planned(wanted))).only(AppointmentBooked).state
    assert (state.status, state.start, state.end) == ("booked", wanted.start, wanted.end)
    assert (state.intervention_id, state.reclamation_id) == (VISIT_ID, RECLAMATION)
    assert (state.client_id, state.technician_id) == (world.lea.id, world.karim.id)
    assert (state.arrival_from, state.arrival_until) == (wanted.start, wanted.start + timedelta(hours=1))
    assert (state.zone, state.sequence, state.uid) == ("Europe/Paris", 0, str(state.id))


async def test_a_short_visit_has_no_arrival_after_its_end(stage: Stage) -> None:
    short = Slot(start=at(1, 8), end=at(1, 8, 30))
    assert (await stage.hears(planned(short))).only(AppointmentBooked).state.arrival_until == at(1, 8, 30)


async def test_the_same_plan_twice_books_once(stage: Stage) -> None:
    told = enveloped(planned(slot(1, 8)))
    first = (await stage.hears(told)).only(AppointmentBooked).state
    assert (await stage.hears(told)).events == []
    # Told again under another id, as after a restored backup.
    assert await why(stage, enveloped(planned(slot(1, 8)))) == "it is in the calendar already"
    assert first.version == 1


async def test_a_manager_plans_outside_working_hours_and_between_visits(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 19, 30)))
    on_purpose = planned(slot(1, 22)).model_copy(update={"outside_hours": True})
    (await stage.hears(on_purpose)).only(AppointmentBooked)


@pytest.mark.parametrize(
    "wanted",
    [
        slot(1, 22),
        slot(1, 7),
        slot(1, 12),
        slot(1, 16),
        Slot(start=at(1, 16), end=at(1, 16) + timedelta(hours=10)),
        Slot(start=next_sunday(), end=next_sunday() + timedelta(hours=2)),
    ],
    ids=["at night", "too early", "in the break", "too late", "over night", "on a Sunday"],
)
async def test_a_time_outside_working_hours_that_nobody_meant_is_asked_about(
    stage: Stage, wanted: Slot
) -> None:
    state = (await stage.hears(planned(wanted))).only(ConflictDetected).state
    assert (state.problem, state.wanted, len(state.proposals)) == ("outside_hours", wanted, 3)
    assert await stage.database.pool.fetchval("SELECT count(*) FROM appointment") == 0


async def test_a_visit_may_go_on_over_the_break(stage: Stage) -> None:
    long = Slot(start=at(1, 9), end=at(1, 16))
    assert (await stage.hears(planned(long))).only(AppointmentBooked).state.end == long.end


@pytest.mark.parametrize("outside_hours", [True, False])
@pytest.mark.parametrize(
    "impossible",
    [
        Slot.model_validate({"start": "9999-12-31T22:00:00-14:00", "end": "9999-12-31T23:59:59-14:00"}),
        Slot.model_validate({"start": "9999-01-03T10:00:00Z", "end": "9999-01-03T12:00:00Z"}),
        Slot.model_validate({"start": "0001-01-01T00:00:00+14:00", "end": "0001-01-01T02:00:00+14:00"}),
        Slot(start=at(1, 9), end=at(1, 9) + timedelta(days=3653)),
        Slot(start=at(1, 9), end=at(1, 9) + timedelta(seconds=40)),
        Slot(start=at(1, 9) + timedelta(days=800), end=at(1, 9) + timedelta(days=800, hours=2)),
    ],
    ids=[
        "the last hours there are",
        "the year 9999",
        "the first hours",
        "ten years",
        "40 seconds",
        "in 800 days",
    ],
)
async def test_a_time_that_was_once_taken_and_cannot_be_is_for_a_person(
    stage: Stage, impossible: Slot, outside_hours: bool
) -> None:
    """Such slots stand in the logs of earlier releases; what follows of the visit must not wait behind one."""
    told = planned(impossible).model_copy(update={"outside_hours": outside_hours})
    state = (await stage.hears(told)).only(ConflictDetected).state
    assert (state.problem, state.wanted, len(state.proposals)) == ("impossible_time", impossible, 3)
    assert await stage.parked() == []


async def test_a_visit_whose_time_the_client_booked_is_linked_and_not_booked_again(stage: Stage) -> None:
    holding = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(1, 8))
    taken = await stage.when(holding, by=world.lea)
    booking = BookAppointment(appointment_id=UUID(taken.reply["id"]))
    booked = (await stage.when(booking, by=world.lea)).only(AppointmentBooked).state

    linked = (await stage.hears(planned(slot(1, 8)))).only(AppointmentChanged).state
    assert (linked.id, linked.status, linked.intervention_id) == (booked.id, "booked", VISIT_ID)
    assert await stage.database.pool.fetchval("SELECT count(*) FROM appointment") == 1


async def test_a_held_time_that_is_planned_is_booked(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    booked = (await stage.hears(planned(slot(1, 8)))).only(AppointmentBooked).state
    assert (booked.id, booked.intervention_id, booked.held_until) == (APPOINTMENT, VISIT_ID, None)
    assert (await stage.passes(timedelta(minutes=6))).events == []


@pytest.mark.parametrize(
    ("standing", "told"), [("booked", AppointmentCancelled), ("held", AppointmentChanged)], ids=str
)
@pytest.mark.parametrize("who", [world.karim, world.sofia], ids=["their own", "another technician's"])
async def test_a_plan_for_another_time_replaces_what_stood_there(
    stage: Stage, standing: str, told: type, who: Any
) -> None:
    lapses = datetime.now(UTC) + timedelta(minutes=5) if standing == "held" else None
    await stage.given(appointment(at(1, 8), status=standing, technician_id=who.id, held_until=lapses))
    released, booked = (await stage.hears(planned(slot(1, 9)))).events
    assert type(released) is told
    assert isinstance(released.state, AppointmentView)
    assert (released.state.id, released.state.status) == (APPOINTMENT, "cancelled")
    assert isinstance(booked, AppointmentBooked)
    assert (booked.state.start, booked.state.technician_id) == (at(1, 9), world.karim.id)


async def test_a_plan_without_a_time_waits_for_one(stage: Stage) -> None:
    await stage.knows(visit())
    assert await why(stage, enveloped(planned())) == "no slot yet"


async def test_a_plan_without_a_time_waits_for_its_copy(stage: Stage) -> None:
    """By that alone it is found when its technician leaves."""
    assert (await stage.hears(planned())).events == []
    assert len(await stage.parked()) == 1


async def test_a_plan_without_a_time_takes_the_one_that_is_booked(stage: Stage) -> None:
    await stage.knows(visit())
    await stage.given(appointment(at(1, 8)))
    linked = (await stage.hears(planned())).only(AppointmentChanged).state
    assert (linked.id, linked.intervention_id) == (APPOINTMENT, VISIT_ID)


@pytest.mark.parametrize(
    "standing",
    [held(at(1, 8)), appointment(at(1, 8), intervention_id=UUID(int=299)),
     appointment(at(1, 8), intervention_id=UUID(int=299), technician_id=world.sofia.id)],
    ids=["only held", "another visit's", "another technician's other visit's"],
)  # fmt: skip
async def test_a_plan_without_a_time_takes_nothing_else(stage: Stage, standing: Any) -> None:
    fields = {column.key: getattr(standing, column.key) for column in standing.__table__.columns}
    await stage.given(type(standing)(**fields))
    await stage.knows(visit())
    assert await why(stage, enveloped(planned())) == "no slot yet"


async def test_only_the_wanted_time_that_is_told_counts(stage: Stage) -> None:
    await stage.knows(visit())
    told = InterventionPlanned(state=visit(slot=slot(1, 8)), slot=None)
    assert await why(stage, enveloped(told)) == "no slot yet"


@pytest.mark.parametrize(
    ("standing", "told"), [("booked", AppointmentCancelled), ("held", AppointmentChanged)], ids=str
)
async def test_a_plan_without_a_time_frees_the_one_of_another_technician(
    stage: Stage, standing: str, told: type
) -> None:
    """The client chose one technician's time while a manager gave the réclamation to another one."""
    lapses = datetime.now(UTC) + timedelta(minutes=5) if standing == "held" else None
    await stage.given(
        hours(world.sofia),
        appointment(at(1, 8), status=standing, technician_id=world.karim.id, held_until=lapses),
    )
    sofias = reclamation(version=3, status="assigned", technician_id=world.sofia.id, assignment=1)
    await stage.knows(sofias, technician(world.sofia), visit(technician_id=world.sofia.id, assignment=1))
    [released] = (await stage.hears(planned(technician_id=world.sofia.id, assignment=1))).events
    assert type(released) is told
    assert isinstance(released.state, AppointmentView)
    assert (released.state.id, released.state.status) == (APPOINTMENT, "cancelled")

    again = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.sofia.id, start=at(1, 8))
    assert (await stage.when(again, by=world.lea)).problem is None
    # And Karim's time is free.
    await stage.given(elsewhere(at(1, 8)))


@pytest.mark.parametrize("wanted", [None, slot(1, 9)], ids=["without a time", "with a time"])
async def test_a_plan_that_was_overtaken_frees_nothing(stage: Stage, wanted: Slot | None) -> None:
    """Sofia's visit was planned; then the réclamation went to Karim, whose time its client has booked."""
    await stage.given(appointment(at(1, 8)))
    await stage.knows(
        reclamation(version=4, status="assigned", technician_id=world.karim.id, assignment=2),
        visit(technician_id=world.sofia.id, assignment=1),
    )
    told = enveloped(planned(wanted, technician_id=world.sofia.id, assignment=1))
    assert await why(stage, told) == "obsolete: the réclamation went to another technician since"


@pytest.mark.parametrize("status", sorted(AFTER_VISIT))
async def test_a_plan_heard_after_the_visit_ended_is_obsolete(
    stage: Stage, status: InterventionStatus
) -> None:
    await stage.knows(visit(status, version=2))
    assert await why(stage, enveloped(planned(slot(1, 8)))) == "obsolete: the visit is over"


async def test_a_plan_heard_before_the_end_of_the_visit_it_replaces_waits(stage: Stage) -> None:
    """A réclamation was reassigned, or a visit goes on another day: two visits, whose news come in any order."""
    earlier = UUID(int=299)
    await stage.given(appointment(at(1, 8), intervention_id=earlier))
    assert (await stage.hears(planned(slot(1, 8)))).events == []
    [(_, reason)] = await stage.parked()
    assert f"end of visit {earlier}" in reason

    (await stage.hears(moved("declined", id=earlier))).only(AppointmentCancelled)
    await stage.database.pool.execute("UPDATE task SET due = now()")
    await stage.reactor.release_due()
    assert await stage.parked() == []
    rows = await stage.database.pool.fetch(
        "SELECT intervention_id FROM appointment WHERE status = 'booked' AND start = $1", at(1, 8)
    )
    assert [row["intervention_id"] for row in rows] == [VISIT_ID]


@pytest.mark.parametrize("wanted", [slot(1, 9), None], ids=["another time", "no time"])
@pytest.mark.parametrize("who", [world.karim, world.sofia], ids=["their own", "another technician's"])
async def test_a_time_linked_to_a_visit_whose_end_was_handled_waits_for_nothing(
    stage: Stage, wanted: Slot | None, who: Any
) -> None:
    earlier = UUID(int=299)
    await stage.hears(moved("declined", id=earlier, technician_id=who.id))
    await stage.given(appointment(at(1, 8), intervention_id=earlier, technician_id=who.id))
    await stage.knows(visit())
    events = (await stage.hears(planned(wanted))).events
    assert await stage.parked() == []
    if who == world.karim and wanted is None:
        [linked] = events
        assert type(linked) is AppointmentChanged
        assert (linked.state.id, linked.state.intervention_id) == (APPOINTMENT, VISIT_ID)
        return
    assert isinstance(events[0], AppointmentCancelled)
    assert [type(event) for event in events[1:]] == ([AppointmentBooked] if wanted else [])


async def test_a_time_is_not_booked_for_a_visit_whose_end_was_handled(stage: Stage) -> None:
    """Its copy says that it is open: it comes by another queue."""
    await stage.knows(
        visit("planned"), reclamation(version=3, status="assigned", technician_id=world.karim.id)
    )
    await stage.hears(moved("incomplete"))
    assert (await chosen(stage)).state.intervention_id is None
    await stage.knows(visit(id=UUID(int=299)))
    (await stage.hears(planned(id=UUID(int=299)))).only(AppointmentChanged)


async def test_a_planned_time_that_is_taken_becomes_a_conflict_with_proposals(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    wanted = slot(1, 9)
    told = enveloped(planned(wanted))
    state = (await stage.hears(told)).only(ConflictDetected).state
    assert (state.problem, state.status, state.wanted) == ("slot_taken", "open", wanted)
    assert (state.technician_id, state.reclamation_id) == (world.karim.id, RECLAMATION)
    assert (state.intervention_id, state.reclamation_reference) == (VISIT_ID, "REC-2026-000100")
    shown: View = state
    assert shown.for_client() is None
    assert len(state.proposals) == 3
    for proposal in state.proposals:
        assert proposal.start > datetime.now(UTC)
        assert proposal.end <= at(1, 8) - timedelta(minutes=30) or proposal.start >= at(1, 10, 30)
    assert await stage.parked() == []
    assert (await stage.hears(told)).events == []


async def test_a_technician_who_takes_no_visits_has_no_proposals(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    await stage.knows(technician(world.karim, version=2, active=False))
    assert (await stage.hears(planned(slot(1, 8)))).only(ConflictDetected).state.proposals == []


async def test_the_time_that_a_client_and_a_plan_want_at_once_is_given_once(stage: Stage) -> None:
    await stage.knows(reclamation(id=UUID(int=101), client_id=world.paul.id, reference="REC-2026-000101"))
    holding = HoldSlot(reclamation_id=UUID(int=101), technician_id=world.karim.id, start=at(1, 8))
    for _ in range(5):
        await stage.database.pool.execute("TRUNCATE appointment, conflict")
        asked, _ = await asyncio.gather(
            stage.when(holding, by=world.paul, seconds=20.0),
            stage.hears(planned(slot(1, 9), id=UUID(int=500))),
        )
        taken = await stage.database.pool.fetchval("SELECT count(*) FROM appointment")
        conflicts = await stage.database.pool.fetchval("SELECT count(*) FROM conflict")
        assert taken == 1
        assert conflicts == (0 if asked.problem else 1)
        assert await stage.parked() == []


async def test_a_conflict_is_resolved_by_booking_what_was_proposed(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)), hours(world.sofia))
    told = planned(slot(1, 8))
    conflict = (await stage.hears(told)).only(ConflictDetected).state
    await stage.knows(told.state, reclamation(version=3, status="assigned", technician_id=world.karim.id))

    start = conflict.proposals[-1].start
    holding = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=start)
    taken = await stage.when(holding, by=world.marie)
    booking = BookAppointment(appointment_id=UUID(taken.reply["id"]))
    booked, settled = (await stage.when(booking, by=world.marie)).events
    assert isinstance(booked, AppointmentBooked)
    assert booked.state.intervention_id == VISIT_ID
    assert isinstance(settled, ConflictResolved)
    assert settled.state.status == "resolved"
