"""Moving and cancelling what is booked, and technicians who do not come."""

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
    elsewhere,
    held,
    hours,
    moved,
    planned,
    slot,
    technician,
    visit,
)

from sav_calendar.hours import VISIT
from sav_calendar.model.conflict import PlanningConflict
from sav_chassis import written
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import CutOffs, PolicyView
from sav_contracts.calendar.appointment import (
    AppointmentCancelled,
    AppointmentChanged,
    AppointmentMissedByTechnician,
    AppointmentMoved,
    CancelAppointment,
    HoldSlot,
    MoveAppointment,
    ReportNoShow,
)
from sav_contracts.calendar.conflict import ConflictBecameMoot, ConflictResolved
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.visit import AssignmentRefused, InterventionStatus
from sav_contracts.messages import Command
from sav_contracts.slot import Slot

EVERYBODY = pytest.mark.parametrize(
    "who", [world.lea, world.karim, world.marie, world.alex], ids=lambda who: who.role
)
WHY = "Formation."


def move(start: datetime, **fields: Any) -> MoveAppointment:
    return MoveAppointment(appointment_id=APPOINTMENT, start=start, **({"reason": WHY} | fields))


def calling_off(**fields: Any) -> CancelAppointment:
    return CancelAppointment(appointment_id=APPOINTMENT, **({"reason": WHY} | fields))


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def wrong(outcome: Outcome) -> list[str]:
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]


async def booked(stage: Stage, start: datetime | None = None, **fields: Any) -> None:
    """Léa's visit by Karim, in three days of work unless the test says otherwise."""
    await stage.knows(visit(status=fields.pop("visit_is", "planned")))
    await stage.given(appointment(start or at(3, 8), **({"intervention_id": VISIT_ID} | fields)))


@EVERYBODY
async def test_a_booked_visit_is_moved_in_place(stage: Stage, who: Actor) -> None:
    await booked(stage)
    event = (await stage.when(move(at(4, 13)), by=who)).only(AppointmentMoved)
    state = event.state
    assert (event.before, event.reason, event.previous_technician_id) == (slot(3, 8), WHY, None)
    assert (state.id, state.uid, state.sequence, state.status) == (APPOINTMENT, "an appointment", 1, "booked")
    assert (state.start, state.end, state.reason) == (at(4, 13), at(4, 15), WHY)
    assert (state.intervention_id, state.busy_until) == (VISIT_ID, at(4, 15, 30))


async def test_a_move_corrects_the_zone_of_old_ones_to_that_of_the_place(stage: Stage) -> None:
    await booked(stage)
    reunion = Place(address="4 rue de Paris", postcode="97400", city="Saint-Denis")
    await stage.knows(visit(version=3, place=reunion))
    assert (await stage.when(move(at(4, 13)), by=world.lea)).only(
        AppointmentMoved
    ).state.zone == "Indian/Reunion"


async def test_a_second_move_has_the_next_sequence(stage: Stage) -> None:
    await booked(stage)
    await stage.when(move(at(4, 13)), by=world.marie)
    again = (await stage.when(move(at(5, 13)), by=world.lea)).only(AppointmentMoved)
    assert (again.before, again.state.sequence) == (slot(4, 13), 2)


async def test_the_same_time_is_no_move(stage: Stage) -> None:
    await booked(stage)
    outcome = await stage.when(move(at(3, 8)), by=world.marie)
    assert (outcome.problem, outcome.events) == (None, [])


@EVERYBODY
async def test_what_is_booked_is_cancelled_and_its_visit_waits_for_another_time(
    stage: Stage, who: Actor
) -> None:
    await booked(stage)
    event = (await stage.when(calling_off(), by=who)).only(AppointmentCancelled)
    assert (event.called_off, event.state.status, event.state.reason) == (True, "cancelled", WHY)
    again = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(3, 8))
    assert (await stage.when(again, by=world.lea)).problem is None


async def test_what_is_only_held_is_cancelled_without_a_word(stage: Stage) -> None:
    await stage.given(held(at(3, 8)))
    assert (await stage.when(calling_off(), by=world.lea)).only(
        AppointmentChanged
    ).state.status == "cancelled"


@pytest.mark.parametrize("command", [move(at(4, 8)), calling_off()], ids=["move", "cancel"])
async def test_a_client_changes_a_visit_until_the_cut_off(stage: Stage, command: Command[Any]) -> None:
    await booked(stage, at(1, 8))
    await stage.passes(at(1, 8) - timedelta(hours=23, minutes=59))
    refused = await stage.when(command, by=world.lea)
    assert refusal(refused) == (409, "too_late")
    assert refused.problem
    assert "24 hours" in refused.problem.detail
    assert (await stage.when(command, by=world.karim)).problem is None


async def test_the_cut_off_is_the_policys(stage: Stage) -> None:
    policy = PolicyView(
        id=CutOffs.id(),
        version=1,
        created_at=stage.now(),
        updated_at=stage.now(),
        name="cut_offs",
        value={"changes_until_minutes": 90},
        changed_by=None,
    )
    await stage.knows(policy)
    await booked(stage, at(1, 13))
    await stage.passes(at(1, 11, 29))
    assert (await stage.when(move(at(2, 8)), by=world.lea)).problem is None
    assert refusal(await stage.when(move(at(1, 14)), by=world.paul)) == (404, "not_found")


@pytest.mark.parametrize(
    "command", [move(at(4, 8), reason=None), calling_off(reason=None)], ids=["move", "cancel"]
)
async def test_a_technician_says_why(stage: Stage, command: Command[Any]) -> None:
    await booked(stage)
    assert wrong(await stage.when(command, by=world.karim)) == ["reason"]
    assert (await stage.when(command, by=world.lea)).problem is None


@pytest.mark.parametrize("who", [world.paul, world.sofia], ids=lambda who: who.role)
async def test_what_is_somebody_elses_is_not_there(stage: Stage, who: Actor) -> None:
    await booked(stage)
    for command in (move(at(4, 8)), calling_off()):
        assert refusal(await stage.when(command, by=who)) == (404, "not_found")


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=lambda who: who.role)
@pytest.mark.parametrize(
    "decision", [{"technician_id": world.sofia.id}, {"closer": WHY}, {"outside_hours": True}], ids=str
)
async def test_only_managers_decide_so(stage: Stage, who: Actor, decision: dict[str, Any]) -> None:
    await booked(stage)
    assert wrong(await stage.when(move(at(4, 8), **decision), by=who)) == [*decision]


async def test_a_client_moves_to_a_free_time_staff_to_any_in_working_hours(stage: Stage) -> None:
    await booked(stage)
    assert wrong(await stage.when(move(at(4, 8, 20)), by=world.lea)) == ["start"]
    assert wrong(await stage.when(move(at(4, 22)), by=world.karim)) == ["start"]
    assert wrong(await stage.when(move(datetime.now(UTC)), by=world.marie)) == ["start"]
    assert (await stage.when(move(at(4, 8, 20)), by=world.karim)).problem is None
    assert (await stage.when(move(at(4, 22), outside_hours=True), by=world.marie)).problem is None


@pytest.mark.parametrize(("who", "advised"), [(world.karim, False), (world.marie, True)])
async def test_nobody_is_advised_what_only_managers_may_say(stage: Stage, who: Actor, advised: bool) -> None:
    await booked(stage)
    outcome = await stage.when(move(at(4, 22)), by=who)
    assert wrong(outcome) == ["start"]
    assert outcome.problem
    [error] = outcome.problem.errors or []
    assert ("outside_hours" in error.message) is advised
    assert "outside the technician’s working hours" in error.message


@EVERYBODY
async def test_a_time_that_is_taken_is_refused_with_others(stage: Stage, who: Actor) -> None:
    await booked(stage)
    await stage.given(elsewhere(at(4, 8)))
    refused = await stage.when(move(at(4, 10)), by=who)
    assert refusal(refused) == (409, "slot_taken")
    assert refused.problem
    free = refused.problem.alternatives or []
    assert len(free) == 3
    assert all(one.technician_id == world.karim.id and one.start != at(4, 10) for one in free)
    row = await stage.database.pool.fetchrow("SELECT * FROM appointment WHERE id = $1", APPOINTMENT)
    assert row
    assert (row["start"], row["status"], row["sequence"]) == (at(3, 8), "booked", 0)


async def test_a_visit_may_move_into_its_own_time(stage: Stage) -> None:
    await booked(stage)
    assert (await stage.when(move(at(3, 9)), by=world.lea)).only(AppointmentMoved).state.start == at(3, 9)


async def test_a_manager_gives_it_to_another_technician(stage: Stage) -> None:
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia))
    await booked(stage)
    event = (await stage.when(move(at(3, 8), technician_id=world.sofia.id), by=world.marie)).only(
        AppointmentMoved
    )
    assert event.previous_technician_id == world.karim.id
    assert (event.state.technician_id, event.state.intervention_id) == (world.sofia.id, None)
    # The visit before is cancelled, and hers is linked.
    assert (await stage.hears(moved("cancelled", technician_id=world.karim.id))).events == []
    hers = planned(slot(3, 8), id=UUID(int=201), technician_id=world.sofia.id)
    linked = (await stage.hears(hers)).only(AppointmentChanged).state
    assert (linked.id, linked.intervention_id) == (APPOINTMENT, UUID(int=201))


async def test_where_the_technician_before_is_there_already_the_new_ones_time_is_freed(stage: Stage) -> None:
    await stage.given(appointment(at(3, 8), technician_id=world.sofia.id, sequence=1))
    refused = AssignmentRefused(state=visit("on_site"), refused_technician_id=world.sofia.id)
    cancelled = (await stage.hears(refused)).only(AppointmentCancelled)
    assert (cancelled.state.technician_id, cancelled.cause) == (world.sofia.id, "technician_there")
    assert (await stage.hears(refused)).events == []


async def test_maintenance_keeps_its_technician(stage: Stage) -> None:
    none: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None}
    await stage.knows(
        technician(world.sofia), visit(reference="INT-2026-000001", purpose="maintenance", **none)
    )
    await stage.given(appointment(at(3, 8), intervention_id=VISIT_ID, **none))
    other = move(at(4, 8), technician_id=world.sofia.id)
    assert refusal(await stage.when(other, by=world.marie)) == (409, "another_technician")
    assert (await stage.when(move(at(4, 8)), by=world.lea)).only(AppointmentMoved).state.start == at(4, 8)


@pytest.mark.parametrize("visit_is", ["en_route", "on_site", "in_progress", "completed"])
async def test_a_visit_whose_technician_set_out_is_not_moved(
    stage: Stage, visit_is: InterventionStatus
) -> None:
    await booked(stage, visit_is=visit_is)
    for command in (move(at(4, 8)), calling_off()):
        assert refusal(await stage.when(command, by=world.marie)) == (409, "set_out")


async def test_what_is_still_being_planned_is_moved_in_a_moment(stage: Stage) -> None:
    await booked(stage, intervention_id=None)
    assert refusal(await stage.when(move(at(4, 8)), by=world.lea)) == (409, "being_planned")


@pytest.mark.parametrize("maintenance", [False, True])
async def test_what_is_only_held_is_booked_and_not_moved(stage: Stage, maintenance: bool) -> None:
    none: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None}
    fields = none | {"intervention_id": VISIT_ID} if maintenance else {}
    await stage.knows(visit(reference="INT-2026-000001", **(none if maintenance else {})))
    await stage.given(held(at(3, 8), **fields))
    for who in (world.lea, world.marie):
        assert refusal(await stage.when(move(at(4, 8)), by=who)) == (409, "nothing_booked")


@pytest.mark.parametrize("status", ["done", "no_show", "cancelled", "expired"])
async def test_what_is_over_is_not_moved(stage: Stage, status: str) -> None:
    await booked(stage, status=status)
    for command in (move(at(4, 8)), calling_off()):
        assert refusal(await stage.when(command, by=world.marie)) == (409, "illegal_move")


def conflict(start: datetime) -> PlanningConflict:
    """Karim is away when he is expected at Léa's."""
    return PlanningConflict(
        id=UUID(int=400),
        technician_id=world.karim.id,
        reclamation_id=RECLAMATION,
        reclamation_reference="REC-2026-000100",
        intervention_id=VISIT_ID,
        problem="absence",
        wanted=Slot(start=start, end=start + VISIT),
        proposals=[],
        status="open",
    )


@pytest.mark.parametrize(
    ("who", "told"),
    [(world.marie, ConflictResolved), (world.lea, ConflictBecameMoot)],
    ids=["manager", "client"],
)
async def test_another_time_settles_the_conflicts_of_the_visit(stage: Stage, who: Actor, told: type) -> None:
    await booked(stage)
    await stage.given(conflict(at(3, 8)))
    _, settled = (await stage.when(move(at(4, 8)), by=who)).events
    assert type(settled) is told


async def test_a_technician_who_did_not_come_settles_the_conflicts_of_the_visit(stage: Stage) -> None:
    await stage.given(conflict(at(3, 8)))
    _, settled = (await missed(stage, world.marie)).events
    assert (type(settled), settled.state.status) == (ConflictResolved, "resolved")


async def missed(stage: Stage, by: Actor, **fields: Any) -> Outcome:
    await booked(stage, at(1, 8), **fields)
    await stage.passes(at(1, 9))
    return await stage.when(ReportNoShow(appointment_id=APPOINTMENT), by=by)


@pytest.mark.parametrize("who", [world.marie, world.alex], ids=lambda who: who.role)
async def test_a_technician_who_did_not_come_is_another_fact_than_an_absent_client(
    stage: Stage, who: Actor
) -> None:
    event = (await missed(stage, who)).only(AppointmentMissedByTechnician)
    assert (event.state.status, event.state.missed_by) == ("no_show", "technician")
    assert [one.end - one.start for one in event.proposals] == [VISIT] * 3
    assert min(one.start for one in event.proposals) >= at(1, 10, 30)


async def test_where_nobody_came_there_is_nothing_to_decide_about_that_time(stage: Stage) -> None:
    await stage.given(conflict(at(1, 8)))
    told, settled = (await missed(stage, world.marie)).events
    assert (type(told), type(settled)) == (AppointmentMissedByTechnician, ConflictResolved)


async def test_an_absent_client_is_named_too(stage: Stage) -> None:
    await booked(stage)
    [event] = (await stage.hears(moved("no_access"))).events
    assert (event.state.status, event.state.missed_by) == ("no_show", "client")


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=lambda who: who.role)
async def test_only_managers_say_that_nobody_came(stage: Stage, who: Actor) -> None:
    assert refusal(await missed(stage, who)) == (403, "not_allowed")


@pytest.mark.parametrize("early", [timedelta(hours=1), timedelta(seconds=1)])
async def test_while_the_technician_may_still_arrive_nobody_says_that_they_did_not_come(
    stage: Stage, early: timedelta
) -> None:
    await booked(stage, at(1, 8))
    await stage.passes(at(1, 9) - early)
    refused = await stage.when(ReportNoShow(appointment_id=APPOINTMENT), by=world.marie)
    assert refusal(refused) == (409, "not_begun")
    assert refused.problem
    assert refused.problem.french
    assert written.moment(at(1, 9).astimezone(PARIS), "en") in refused.problem.detail
    assert f"jusqu’au {written.moment(at(1, 9).astimezone(PARIS), 'fr')}" in refused.problem.french.detail


@pytest.mark.parametrize(
    ("came", "status"), [(-1, "cancelled"), (0, "no_show"), (30, "no_show"), (None, "no_show")]
)
async def test_a_client_is_absent_once_the_technician_was_promised(
    stage: Stage, came: int | None, status: str
) -> None:
    """Before that nobody has to be there. Old events do not say when it was."""
    await booked(stage, at(1, 8))
    when = None if came is None else at(1, 8) + timedelta(minutes=came)
    [event] = (await stage.hears(moved("no_access").model_copy(update={"happened_at": when}))).events
    assert event.state.status == status


async def test_whoever_is_on_site_did_come(stage: Stage) -> None:
    assert refusal(await missed(stage, world.marie, visit_is="on_site")) == (409, "set_out")
