"""Holding a time and booking it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import world
from given_calendar import (
    APPOINTMENT,
    RECLAMATION,
    VISIT_ID,
    appointment,
    at,
    elsewhere,
    held,
    reclamation,
    technician,
    visit,
)

from sav_calendar.model.conflict import PlanningConflict
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentChanged,
    AppointmentView,
    BookAppointment,
    HoldSlot,
)
from sav_contracts.calendar.conflict import ConflictBecameMoot, ConflictResolved
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import ReclamationStatus
from sav_contracts.claims.visits import NOT_PLANNABLE
from sav_contracts.messages import Event
from sav_contracts.slot import Slot

BOOK = BookAppointment(appointment_id=APPOINTMENT)
MANAGERS = pytest.mark.parametrize("who", [world.marie, world.alex], ids=lambda who: who.role)
CLIENT_AND_MANAGERS = pytest.mark.parametrize(
    "who", [world.lea, world.marie, world.alex], ids=lambda who: who.role
)


def hold(start: datetime, **fields: Any) -> HoldSlot:
    usual = {"reclamation_id": RECLAMATION, "technician_id": world.karim.id, "start": start}
    return HoldSlot.model_validate(usual | fields)


def booking(outcome: Outcome) -> BookAppointment:
    assert outcome.problem is None, outcome.problem
    return BookAppointment(appointment_id=UUID(outcome.reply["id"]))


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def wrong(outcome: Outcome) -> list[str]:
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]


@CLIENT_AND_MANAGERS
async def test_a_free_time_is_held_for_five_minutes(stage: Stage, who: Actor) -> None:
    outcome = await stage.when(hold(at(1, 8)), by=who)
    state = outcome.only(AppointmentChanged).state
    assert (state.status, state.start, state.end) == ("held", at(1, 8), at(1, 10))
    assert (state.arrival_from, state.arrival_until) == (at(1, 8), at(1, 9))
    assert (state.client_id, state.technician_id) == (world.lea.id, world.karim.id)
    assert (state.reclamation_id, state.reclamation_reference) == (RECLAMATION, "REC-2026-000100")
    assert (state.zone, state.sequence, state.uid, state.version) == ("Europe/Paris", 0, str(state.id), 1)
    assert state.held_until
    assert timedelta(minutes=4) < state.held_until - datetime.now(UTC) <= timedelta(minutes=5)
    [timer] = await stage.waiting()
    assert (timer.function, timer.id, timer.due) == ("expire_hold", state.id, state.held_until)


@pytest.mark.parametrize(
    ("postcode", "zone"),
    [("69003", "Europe/Paris"), ("97400", "Indian/Reunion"), ("97200", "America/Martinique")],
)
async def test_times_are_read_on_the_clock_of_the_place_and_not_of_the_technicians_hours(
    stage: Stage, postcode: str, zone: str
) -> None:
    place = Place(address="4 rue de Paris", postcode=postcode, city="Saint-Denis")
    await stage.knows(reclamation(version=3, place=place))
    assert (await stage.when(hold(at(1, 8)), by=world.lea)).only(AppointmentChanged).state.zone == zone


@pytest.mark.parametrize(
    ("fields", "hours"), [({"purpose": "diagnostic"}, 1), ({"purpose": "install"}, 4), ({}, 2)], ids=str
)
async def test_a_time_is_as_long_as_what_is_planned_for_the_reclamation_takes(
    stage: Stage, fields: dict[str, Any], hours: int
) -> None:
    await stage.knows(visit(**fields), visit("completed", id=UUID(int=201), purpose="maintenance"))
    state = (await stage.when(hold(at(1, 8)), by=world.lea)).only(AppointmentChanged).state
    assert state.end - state.start == timedelta(hours=hours)


async def test_a_technician_does_not_hold_and_book(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    assert refusal(await stage.when(hold(at(1, 13)), by=world.karim)) == (403, "not_allowed")
    assert refusal(await stage.when(BOOK, by=world.karim)) == (403, "not_allowed")
    assert refusal(await stage.when(hold(at(1, 13)))) == (401, "not_signed_in")


async def test_nobody_holds_for_somebody_elses_reclamation(stage: Stage) -> None:
    assert refusal(await stage.when(hold(at(1, 8)), by=world.paul)) == (404, "not_found")


@pytest.mark.parametrize("status", sorted(NOT_PLANNABLE))
async def test_no_time_is_held_for_what_is_not_plannable(stage: Stage, status: ReclamationStatus) -> None:
    await stage.knows(reclamation(version=3, status=status))
    for who in (world.lea, world.marie):
        assert refusal(await stage.when(hold(at(1, 8)), by=who)) == (409, "not_plannable")


async def test_an_assigned_reclamation_keeps_its_technician(stage: Stage) -> None:
    await stage.knows(reclamation(version=3, status="assigned", technician_id=world.sofia.id))
    for who in (world.lea, world.marie):
        assert refusal(await stage.when(hold(at(1, 8)), by=who)) == (409, "another_technician")


async def test_a_technician_who_takes_no_visits_is_not_held(stage: Stage) -> None:
    await stage.knows(technician(world.karim, version=2, active=False))
    for who in (world.lea, world.marie):
        assert refusal(await stage.when(hold(at(1, 8)), by=who)) == (409, "technician_unavailable")


async def test_an_unknown_technician_is_a_wrong_field(stage: Stage) -> None:
    nobody = hold(at(1, 8), technician_id=UUID(int=999))
    assert wrong(await stage.when(nobody, by=world.marie)) == ["technician_id"]


@pytest.mark.parametrize(("hour", "minute"), [(8, 30), (11, 0), (12, 0), (16, 0), (3, 0)])
async def test_a_client_chooses_among_the_free_times_only(stage: Stage, hour: int, minute: int) -> None:
    assert wrong(await stage.when(hold(at(1, hour, minute)), by=world.lea)) == ["start"]


async def test_a_client_chooses_two_hours_ahead_at_least(stage: Stage) -> None:
    await stage.passes(at(1, 11, 1))
    assert wrong(await stage.when(hold(at(1, 13)), by=world.lea)) == ["start"]
    assert (await stage.when(hold(at(1, 14)), by=world.lea)).problem is None


@MANAGERS
async def test_a_manager_chooses_any_time_to_come_and_says_so_outside_working_hours(
    stage: Stage, who: Actor
) -> None:
    assert (await stage.when(hold(at(1, 8, 10)), by=who)).problem is None
    for late in (at(1, 7, 59), at(1, 15, 30), at(1, 22), at(1, 12)):
        assert wrong(await stage.when(hold(late), by=who)) == ["start"]
        on_purpose = hold(late).model_copy(update={"outside_hours": True})
        assert (await stage.when(on_purpose, by=who)).problem is None


async def test_a_client_has_no_say_in_working_hours(stage: Stage) -> None:
    on_purpose = hold(at(1, 22)).model_copy(update={"outside_hours": True})
    assert wrong(await stage.when(on_purpose, by=world.lea)) == ["start"]


@CLIENT_AND_MANAGERS
async def test_nobody_chooses_the_past_or_the_end_of_days(stage: Stage, who: Actor) -> None:
    for start in (
        datetime.now(UTC),
        datetime(1900, 1, 1, tzinfo=UTC),
        datetime(2200, 12, 31, 23, tzinfo=UTC),
    ):
        assert wrong(await stage.when(hold(start), by=who)) == ["start"]


@pytest.mark.parametrize("status", ["held", "booked"])
async def test_a_time_that_is_taken_is_refused(stage: Stage, status: str) -> None:
    await stage.given(elsewhere(at(1, 9), status=status))
    for who in (world.lea, world.marie):
        refused = await stage.when(hold(at(1, 10)), by=who)
        assert refusal(refused) == (409, "slot_taken")
        assert refused.problem
        assert refused.problem.detail == "This time was just taken; choose another one"


@CLIENT_AND_MANAGERS
async def test_the_way_between_visits_binds_everybody(stage: Stage, who: Actor) -> None:
    await stage.given(elsewhere(at(1, 15, 15)))
    assert refusal(await stage.when(hold(at(1, 13)), by=who)) == (409, "slot_taken")


@pytest.mark.parametrize("status", ["expired", "cancelled", "no_show", "done"])
async def test_a_time_that_was_given_back_is_free(stage: Stage, status: str) -> None:
    await stage.given(elsewhere(at(1, 8), status=status))
    assert (await stage.when(hold(at(1, 8)), by=world.lea)).problem is None


async def test_visits_that_touch_do_not_overlap(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 10)))
    close = hold(at(1, 8), closer="Deux rues plus loin.")
    assert (await stage.when(close, by=world.marie)).problem is None


@CLIENT_AND_MANAGERS
async def test_a_new_hold_takes_the_place_of_the_one_before(stage: Stage, who: Actor) -> None:
    first = (await stage.when(hold(at(1, 8)), by=world.lea)).only(AppointmentChanged).state
    outcome = await stage.when(hold(at(1, 9)), by=who)
    released, taken = outcome.events
    assert isinstance(released.state, AppointmentView)
    assert isinstance(taken.state, AppointmentView)
    assert {type(released), type(taken)} == {AppointmentChanged}
    assert (released.state.id, released.state.status) == (first.id, "cancelled")
    assert (taken.state.status, taken.state.start) == ("held", at(1, 9))
    assert [timer.id for timer in await stage.waiting()] == [taken.state.id]


async def test_a_hold_that_fails_leaves_the_one_before(stage: Stage) -> None:
    await stage.given(held(at(1, 13)), elsewhere(at(1, 8)))
    assert refusal(await stage.when(hold(at(1, 8)), by=world.lea)) == (409, "slot_taken")
    assert (await stage.when(BOOK, by=world.lea)).problem is None


async def test_a_reclamation_has_one_visit_at_a_time(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8)))
    for who in (world.lea, world.marie):
        assert refusal(await stage.when(hold(at(2, 8)), by=who)) == (409, "already_booked")


@pytest.mark.parametrize("status", ["done", "no_show", "cancelled", "expired"])
async def test_after_a_visit_another_one_may_be_held(stage: Stage, status: str) -> None:
    await stage.given(appointment(at(1, 8), status=status))
    assert (await stage.when(hold(at(2, 8)), by=world.lea)).problem is None


@CLIENT_AND_MANAGERS
async def test_a_held_time_is_booked(stage: Stage, who: Actor) -> None:
    taken = await stage.when(hold(at(1, 8)), by=world.lea)
    booked = (await stage.when(booking(taken), by=who)).only(AppointmentBooked).state
    assert (booked.status, booked.start, booked.held_until) == ("booked", at(1, 8), None)
    assert booked.intervention_id is None
    assert "expire_hold" not in {timer.function for timer in await stage.waiting()}


async def test_somebody_elses_hold_does_not_exist(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    assert refusal(await stage.when(BOOK, by=world.paul)) == (404, "not_found")


@pytest.mark.parametrize("status", ["done", "no_show", "cancelled"])
async def test_only_a_held_time_is_booked(stage: Stage, status: str) -> None:
    await stage.given(appointment(at(1, 8), status=status))
    assert refusal(await stage.when(BOOK, by=world.lea)) == (409, "illegal_move")


async def test_a_lapsed_hold_is_not_booked_even_before_its_timer(stage: Stage) -> None:
    await stage.given(held(at(1, 8), held_until=datetime.now(UTC)))
    assert refusal(await stage.when(BOOK, by=world.lea)) == (409, "hold_expired")


async def test_what_is_not_plannable_any_more_is_not_booked(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    await stage.knows(reclamation(version=3, status="cancelled"))
    assert refusal(await stage.when(BOOK, by=world.lea)) == (409, "not_plannable")


async def test_a_reclamation_that_went_to_somebody_else_is_not_booked(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    await stage.knows(reclamation(version=3, status="assigned", technician_id=world.sofia.id))
    assert refusal(await stage.when(BOOK, by=world.lea)) == (409, "another_technician")


async def test_a_hold_expires_and_its_time_is_held_again(stage: Stage) -> None:
    first = await stage.when(hold(at(1, 8)), by=world.lea)
    expired = (await stage.passes(timedelta(minutes=5, seconds=1))).only(AppointmentChanged).state
    assert (expired.status, expired.held_until) == ("expired", None)
    assert refusal(await stage.when(booking(first), by=world.lea)) == (409, "hold_expired")

    await stage.knows(reclamation(id=UUID(int=101), client_id=world.paul.id, reference="REC-2026-000101"))
    again = await stage.when(hold(at(1, 8), reclamation_id=UUID(int=101)), by=world.paul)
    (await stage.when(booking(again), by=world.paul)).only(AppointmentBooked)


async def test_a_booked_time_does_not_expire(stage: Stage) -> None:
    await stage.when(booking(await stage.when(hold(at(1, 8)), by=world.lea)), by=world.lea)
    assert (await stage.passes(timedelta(minutes=6))).events == []


async def test_booking_takes_the_visit_that_waits_for_a_time(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    await stage.knows(
        visit("planned"),
        visit("planned", id=UUID(int=201), technician_id=world.sofia.id),
        visit("cancelled", id=UUID(int=202)),
        visit("planned", id=UUID(int=203), reclamation_id=UUID(int=101)),
    )
    assert (await stage.when(BOOK, by=world.lea)).only(AppointmentBooked).state.intervention_id == VISIT_ID


async def test_a_visit_that_is_over_is_not_taken(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    await stage.knows(visit("cancelled"))
    assert (await stage.when(BOOK, by=world.lea)).only(AppointmentBooked).state.intervention_id is None


def conflict(**fields: Any) -> PlanningConflict:
    usual = {
        "id": UUID(int=400),
        "technician_id": world.karim.id,
        "reclamation_id": RECLAMATION,
        "reclamation_reference": "REC-2026-000100",
        "intervention_id": VISIT_ID,
        "problem": "slot_taken",
        "wanted": Slot(start=at(1, 8), end=at(1, 10)),
        "proposals": [],
        "status": "open",
    }
    return PlanningConflict(**(usual | fields))


@pytest.mark.parametrize(
    ("who", "told", "status"),
    [(world.marie, ConflictResolved, "resolved"), (world.lea, ConflictBecameMoot, "moot")],
    ids=["a manager", "the client"],
)
async def test_booking_another_time_settles_the_conflict(
    stage: Stage, who: Actor, told: type[Event], status: str
) -> None:
    others = conflict(id=UUID(int=401), reclamation_id=UUID(int=101))
    await stage.given(held(at(1, 13)), conflict(), others)
    booked, settled = (await stage.when(BOOK, by=who)).events
    assert isinstance(booked, AppointmentBooked)
    assert type(settled) is told
    assert (settled.state.id, settled.state.status) == (UUID(int=400), status)


async def test_twenty_people_and_five_times_make_five_visits(stage: Stage) -> None:
    times = [at(number, hour) for number in (1, 2) for hour in (8, 13)] + [at(3, 8)]
    people = [Actor(id=UUID(int=1000 + n), role=Role.CLIENT) for n in range(20)]
    claims = [
        reclamation(id=UUID(int=2000 + n), client_id=who.id, reference=f"REC-2026-{n:06}")
        for n, who in enumerate(people)
    ]
    await stage.knows(*claims)
    outcomes = await asyncio.gather(
        *(
            stage.when(hold(times[n % 5], reclamation_id=claims[n].id), by=who, seconds=20.0)
            for n, who in enumerate(people)
        )
    )
    won = [outcome for outcome in outcomes if outcome.problem is None]
    lost = [outcome.problem for outcome in outcomes if outcome.problem]
    assert sorted(datetime.fromisoformat(one.reply["start"]) for one in won) == times
    assert [(problem.status, problem.code) for problem in lost] == [(409, "slot_taken")] * 15

    booked = await asyncio.gather(*(stage.when(booking(one), by=world.marie, seconds=20.0) for one in won))
    assert [one.reply["status"] for one in booked] == ["booked"] * 5


async def test_managers_who_choose_overlapping_times_at_once_do_not_both_get_theirs(stage: Stage) -> None:
    """Off the grid, so that only the constraint stands between them."""
    claims = [reclamation(id=UUID(int=2000 + n), reference=f"REC-2026-{n:06}") for n in range(12)]
    await stage.knows(*claims)
    outcomes = await asyncio.gather(
        *(
            stage.when(hold(at(1, 8, 5 * n), reclamation_id=claim.id), by=world.marie, seconds=20.0)
            for n, claim in enumerate(claims)
        )
    )
    codes = sorted(outcome.problem.code if outcome.problem else "held" for outcome in outcomes)
    assert codes == ["held"] + ["slot_taken"] * 11


async def test_the_database_itself_refuses_an_overlap(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8)))
    copy = """INSERT INTO appointment (id, version, created_at, updated_at, client_id, technician_id, reclamation_id,
        start, "end", zone, status, uid, sequence, travel, busy_until)
        SELECT gen_random_uuid(), version, created_at, updated_at, client_id, $1, gen_random_uuid(),
        start + '119 min'::interval, "end" + '119 min'::interval, zone, $2, gen_random_uuid()::text, sequence, travel,
        busy_until + '119 min'::interval FROM appointment WHERE id = $3"""
    pool = stage.database.pool
    for status in ("held", "booked"):
        with pytest.raises(asyncpg.ExclusionViolationError):
            await pool.execute(copy, world.karim.id, status, APPOINTMENT)
    await pool.execute(copy, world.karim.id, "cancelled", APPOINTMENT)
    await pool.execute(copy, world.sofia.id, "booked", APPOINTMENT)


@pytest.mark.parametrize("days", [(1, 2, 3), (1, 1, 1)], ids=["of three times", "of the same time"])
async def test_three_holds_for_one_reclamation_at_once_leave_one(stage: Stage, days: tuple[int, ...]) -> None:
    outcomes = await asyncio.gather(
        *(stage.when(hold(at(day, 8)), by=world.lea, seconds=20.0) for day in days)
    )
    assert [outcome.problem for outcome in outcomes] == [None] * 3
    rows = await stage.database.pool.fetch("SELECT id FROM appointment WHERE status = 'held'")
    assert [row["id"] for row in rows] == [timer.id for timer in await stage.waiting()]
    assert len(rows) == 1
