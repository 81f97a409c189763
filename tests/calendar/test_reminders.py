"""Reminders of visits: they follow a visit that is moved, and none is sent for one that does not take place."""

from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_calendar import (
    APPOINTMENT,
    RECLAMATION,
    VISIT_ID,
    appointment,
    at,
    chosen,
    elsewhere,
    hours,
    is_away,
    is_back,
    karim_is,
    leaves,
    moved,
    planned,
    reclamation,
    technician,
    visit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_loop import run
from pydantic import SecretStr

from sav_calendar.commands.visit_link import PURPOSE
from sav_calendar.hours import VISIT
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.reminders import DAY_BEFORE, TIMERS, due_at
from sav_chassis.identity import Links
from sav_chassis.testing import Outcome, Stage
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentReminderDue,
    AppointmentView,
    Reminder,
)
from sav_contracts.calendar.conflict import ConflictBecameMoot, ConflictDetected, ResolveConflict
from sav_contracts.calendar.offer import OfferTimes
from sav_contracts.calendar.visit_link import AnswerVisitByLink, GetVisitByLink
from sav_contracts.slot import Slot, WantedSlot

SHORTLY = timedelta(minutes=1)
REMINDERS = {timer.__name__ for timer in TIMERS.values()}
BOTH: list[Reminder] = ["day_before", "two_hours"]
AT = at(5, 9)


def link(stage: Stage, id: UUID) -> SecretStr:
    return SecretStr(Links(stage.settings.link_secret).token(PURPOSE, id))


def reminded(outcome: Outcome) -> list[tuple[Reminder, datetime]]:
    """Of what people are reminded, in order."""
    return [
        (event.which, event.state.start)
        for event in outcome.events
        if isinstance(event, AppointmentReminderDue)
    ]


async def test_a_booked_visit_is_remembered_the_day_before_and_two_hours_before(stage: Stage) -> None:
    start = (await chosen(stage)).state.start
    for which in BOTH:
        due = due_at(which, start, "Europe/Paris")
        assert reminded(await stage.passes(due - SHORTLY)) == []
        assert reminded(await stage.passes(due + SHORTLY)) == [(which, start)]
    assert reminded(await stage.passes(timedelta(days=30))) == []
    assert await stage.waiting() == []


async def test_a_time_that_is_only_held_reminds_nobody(stage: Stage) -> None:
    await chosen(stage)
    await stage.database.pool.execute("UPDATE appointment SET status = 'held'")
    outcome = await stage.passes(timedelta(days=30))
    assert reminded(outcome) == []
    assert await stage.parked() == []


async def test_a_cancelled_visit_reminds_nobody(stage: Stage) -> None:
    booked = await planned_and_booked(stage)
    answer = AnswerVisitByLink(token=link(stage, booked.id), answer="cancel", reason="je pars")
    (await stage.when(answer)).only(AppointmentCancelled)
    assert not {timer.function for timer in await stage.waiting()} & REMINDERS
    assert reminded(await stage.passes(timedelta(days=30))) == []


async def test_what_was_booked_shortly_before_has_no_reminder_of_the_past(stage: Stage) -> None:
    start = stage.now() + timedelta(hours=1)
    await stage.given(appointment(start))
    confirmed = AnswerVisitByLink(token=link(stage, APPOINTMENT), answer="confirm")
    assert (await stage.when(confirmed)).problem is None
    assert not {timer.function for timer in await stage.waiting()} & REMINDERS


async def test_after_an_outage_only_the_nearer_reminder_is_sent(stage: Stage) -> None:
    start = (await chosen(stage)).state.start
    # The clock of the service goes on, and its timers run late.
    stage.ahead = start - timedelta(hours=1) - datetime.now(UTC)
    assert reminded(await stage.passes(SHORTLY)) == [("two_hours", start)]
    await stage.clear()


async def test_a_visit_that_has_begun_reminds_nobody(stage: Stage) -> None:
    start = (await chosen(stage)).state.start
    stage.ahead = start + SHORTLY - datetime.now(UTC)
    assert reminded(await stage.passes(SHORTLY)) == []
    assert await stage.waiting() == []


async def test_a_timer_that_is_early_by_another_clock_waits(stage: Stage) -> None:
    start = (await chosen(stage)).state.start
    await stage.database.pool.execute("UPDATE task SET due = now() WHERE use = 'timer'")
    assert reminded(await stage.passes(SHORTLY)) == []
    assert reminded(await stage.passes(start)) == [(which, start) for which in BOTH]


async def test_visits_from_before_get_their_timers(stage: Stage) -> None:
    migration = import_module("sav_calendar.migrations.0008_links")
    start = at(5, 8)
    await stage.given(
        appointment(start),
        elsewhere(at(5, 13), status="cancelled"),
        elsewhere(at(6, 8), id=UUID(int=302), uid="held", status="held"),
    )
    for timer, due in migration.DUE.items():
        await stage.database.pool.execute(migration.REMIND.format(timer=timer, due=due))
    assert [(one.id, one.due) for one in await stage.waiting()] == [
        (APPOINTMENT, due_at(which, start, "Europe/Paris")) for which in BOTH
    ]
    assert reminded(await stage.passes(start)) == [(which, start) for which in BOTH]


@pytest.mark.parametrize(
    "zone", ["Europe/Paris", "Indian/Reunion", "America/Miquelon", "Pacific/Noumea", "Africa/Casablanca"]
)
def test_the_day_before_is_that_of_the_place_also_when_clocks_change(zone: str) -> None:
    there = ZoneInfo(zone)
    for day in (date(2026, 1, 1) + timedelta(days=number) for number in range(5 * 366)):
        for hour in (0, 2, 8, 23):
            start = datetime.combine(day, time(hour), there).astimezone(UTC)
            due = due_at("day_before", start, zone)
            assert due.astimezone(there).date() == start.astimezone(there).date() - timedelta(days=1)
            assert due.astimezone(there).time() == DAY_BEFORE
            assert start - due_at("two_hours", start, zone) == timedelta(hours=2)


# Hours that pass, another free time, or a cancellation with which another visit begins.
steps = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 60)),
    st.tuples(st.just("move"), st.integers(0, 11)),
    st.tuples(st.just("cancel"), st.just(0)),
)


async def test_whatever_happens_exactly_the_reminders_that_are_still_true_are_sent(stage: Stage) -> None:
    sent = list[tuple[Reminder, datetime]]()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(story=st.lists(steps, min_size=3, max_size=8))
    async def happens(story: list[tuple[str, int]]) -> None:
        await stage.clear()
        await world_again(stage)
        now = await planned_and_booked(stage)
        since, expected, told = (
            stage.now(),
            list[tuple[Reminder, datetime]](),
            list[tuple[Reminder, datetime]](),
        )

        def until(moment: datetime) -> None:
            """It stood at this time from `since` until now: what became due meanwhile was to be said."""
            due = {which: due_at(which, now.start, now.zone) for which in BOTH}
            expected.extend((which, now.start) for which in BOTH if since < due[which] <= moment)

        for what, how in story:
            if what == "pass":
                told += reminded(await stage.passes(timedelta(hours=how)))
                continue
            answered = await happening(stage, what, how, now)
            if answered is None:
                continue
            until(stage.now())
            now, since = answered, stage.now()
            if now.status == "cancelled":
                break
        told += reminded(await stage.passes(timedelta(days=60)))
        if now.status == "booked":
            until(stage.now())
        assert sorted(told) == sorted(expected), "each that is still true, once"
        assert await stage.parked() == []
        assert await stage.waiting() == []
        sent.extend(told)

    await run(happens)
    assert sent, "some were sent"


def due(which: Reminder) -> datetime:
    return due_at(which, AT, "Europe/Paris")


async def awaited(stage: Stage) -> None:
    """Karim is expected at Léa's; she said that she will be there, so that the timers are set."""
    await stage.given(appointment(AT, intervention_id=VISIT_ID), hours(world.sofia))
    await stage.knows(visit(slot=Slot(start=AT, end=AT + VISIT)), technician(world.sofia))
    await confirms(stage)


async def confirms(stage: Stage) -> None:
    answer = AnswerVisitByLink(token=link(stage, APPOINTMENT), answer="confirm")
    assert (await stage.when(answer)).problem is None


async def away_then(stage: Stage) -> UUID:
    """Karim is away when he is expected; the conflict of that."""
    [found] = await is_away(stage, AT, AT + VISIT)
    assert isinstance(found, ConflictDetected)
    return found.state.id


def told(outcome: Outcome) -> list[tuple[Reminder, bool, bool]]:
    """Of what people are reminded, whether it is unsettled, and whether the client reads just now that it stands."""
    found = [event for event in outcome.events if isinstance(event, AppointmentReminderDue)]
    return [(event.which, event.unsettled, event.client_knows) for event in found]


@pytest.mark.parametrize("is_offered", [True, False])
async def test_what_is_unsettled_is_told_to_managers_alone(stage: Stage, is_offered: bool) -> None:
    await awaited(stage)
    conflict = await away_then(stage)
    if is_offered:
        assert (await stage.when(OfferTimes(conflict_id=conflict, times=[]), by=world.marie)).problem is None
    assert told(await stage.passes(due("day_before") + SHORTLY)) == []
    # For the list of the day.
    assert told(await stage.passes(due("two_hours") + SHORTLY)) == [("two_hours", True, False)]
    assert await stage.parked() == []


@pytest.mark.parametrize("which", BOTH)
@pytest.mark.parametrize("is_offered", [True, False])
async def test_of_what_stands_after_all_people_are_reminded_then_and_once(
    stage: Stage, which: Reminder, is_offered: bool
) -> None:
    await awaited(stage)
    conflict = await away_then(stage)
    if is_offered:
        assert (await stage.when(OfferTimes(conflict_id=conflict, times=[]), by=world.marie)).problem is None
    await stage.passes(due(which) + SHORTLY)
    assert await is_back(stage)
    assert told(await stage.passes(SHORTLY)) == [(which, False, is_offered)]
    # Each change of the visit looks at its timers.
    await stage.database.pool.execute("UPDATE appointment SET confirmed_start = NULL")
    await confirms(stage)
    await away_then(stage)
    assert await is_back(stage)
    later = [("two_hours", False, False)] if which == "day_before" else []
    assert told(await stage.passes(AT)) == later
    assert await stage.waiting() == []


async def test_what_is_settled_before_is_told_at_its_time_alone(stage: Stage) -> None:
    await awaited(stage)
    await away_then(stage)
    assert await is_back(stage)
    assert told(await stage.passes(SHORTLY)) == []
    assert told(await stage.passes(AT)) == [(which, False, False) for which in BOTH]


async def test_while_another_conflict_is_open_it_is_unsettled(stage: Stage) -> None:
    await awaited(stage)
    await away_then(stage)
    await stage.passes(due("day_before") + SHORTLY)
    await stage.given(
        PlanningConflict(
            id=UUID(int=900),
            technician_id=world.karim.id,
            reclamation_id=RECLAMATION,
            intervention_id=VISIT_ID,
            appointment_id=APPOINTMENT,
            problem="overrun",
            wanted=Slot(start=AT, end=AT + VISIT),
            proposals=[],
            status="open",
        )
    )
    since = "UPDATE conflict SET created_at = $1, updated_at = $1 WHERE problem = 'overrun'"
    await stage.database.pool.execute(since, stage.now())
    assert await is_back(stage)
    assert told(await stage.passes(SHORTLY)) == []
    await stage.hears(moved("en_route"))
    assert told(await stage.passes(SHORTLY)) == [("day_before", False, False)]


async def test_whose_technician_comes_back_is_reminded_then(stage: Stage) -> None:
    await awaited(stage)
    await leaves(stage)
    assert told(await stage.passes(due("day_before") + SHORTLY)) == []
    back = await karim_is(stage, active=True, version=3)
    moot, booked = back.events[0], back.events[1]
    assert (type(moot), type(booked)) == (ConflictBecameMoot, AppointmentBooked)
    assert moot.state.appointment_id == booked.state.id
    assert told(await stage.passes(SHORTLY)) == [("day_before", False, False)]


async def test_whoever_was_given_another_time_is_not_reminded_of_it_at_once(stage: Stage) -> None:
    await awaited(stage)
    conflict = await away_then(stage)
    await stage.passes(due("two_hours") + SHORTLY)
    soon = WantedSlot(start=at(5, 14), end=at(5, 14) + VISIT)
    decided = ResolveConflict(conflict_id=conflict, slot=soon)
    assert (await stage.when(decided, by=world.marie)).problem is None
    assert told(await stage.passes(SHORTLY)) == []


async def planned_and_booked(stage: Stage) -> AppointmentView:
    """Karim's visit at a time that Léa chose, which is known to be planned."""
    state = (await chosen(stage)).state
    await stage.knows(visit())
    await stage.hears(planned(Slot(start=state.start, end=state.end)))
    return state


async def world_again(stage: Stage) -> None:
    await stage.given(hours(world.karim))
    await stage.knows(technician(world.karim), reclamation())


async def happening(stage: Stage, what: str, how: int, now: AppointmentView) -> AppointmentView | None:
    """The visit as it is then; None where nothing was changed, as after the cut-off."""
    token = link(stage, now.id)
    answer: dict[str, Any] = {"token": token, "answer": what}
    if what == "move":
        shown = await stage.when(GetVisitByLink(token=token))
        times = shown.reply.get("times", [])
        if not times:
            return None
        answer["start"] = times[how % len(times)]["start"]
    outcome = await stage.when(AnswerVisitByLink.model_validate(answer))
    if outcome.problem or not outcome.events:
        return None
    state: AppointmentView = outcome.events[-1].state
    assert isinstance(state, AppointmentView)
    return state
