"""Late visits: marked once by a timer, explained by the next move, punctual again with a later slot."""

from datetime import timedelta
from importlib import import_module
from typing import Any, cast, get_args
from uuid import UUID

import pytest
import world
from given_interventions import RECLAMATION, VISIT, visit, work
from given_views import a
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentChanged, AppointmentView
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationView
from sav_contracts.interventions.lateness import InterventionOverdue
from sav_contracts.interventions.visit import (
    OPEN_VISIT,
    InterventionMove,
    InterventionMoved,
    InterventionScheduled,
    InterventionStarted,
    InterventionStatus,
    InterventionView,
    LatenessCause,
    MoveIntervention,
)
from sav_contracts.slot import Slot
from sav_interventions.lifecycle import INTERVENTION, NOT_BEGUN

WHILE: list[InterventionStatus] = sorted(NOT_BEGUN)
SHORTLY = timedelta(minutes=1)


def slot(stage: Stage, hours: float) -> Slot:
    """Two hours that begin so many hours from now."""
    start = stage.now() + timedelta(hours=hours)
    return Slot(start=start, end=start + timedelta(hours=2))


async def booked(stage: Stage, at: Slot, version: int = 1) -> Outcome:
    state = a(
        AppointmentView,
        UUID(int=700),
        version=version,
        technician_id=world.karim.id,
        reclamation_id=RECLAMATION,
        intervention_id=VISIT,
        start=at.start,
        end=at.end,
    )
    event = AppointmentBooked(state=state) if version == 1 else AppointmentChanged(state=state)
    return await stage.hears(event)


async def planned(stage: Stage, *steps: InterventionMove, hours: float = 1, **fields: Any) -> Slot:
    """Karim's visit, which has a time and was taken through these states."""
    await stage.given(visit("planned", **fields))
    at = slot(stage, hours)
    (await booked(stage, at)).only(InterventionScheduled)
    for step in steps:
        await moved(stage, step)
    return at


async def late(stage: Stage, *steps: InterventionMove, **fields: Any) -> InterventionView:
    at = await planned(stage, *steps, **fields)
    return (await stage.passes(at.end + SHORTLY)).only(InterventionOverdue).state


async def moves(
    stage: Stage, to: InterventionMove, why: LatenessCause | None = None, by: Actor = world.karim
) -> Outcome:
    command = MoveIntervention(
        intervention_id=VISIT, to=to, lateness_cause=why, reason="parce que", cause="parts"
    )
    return await stage.when(command, by=by)


async def moved(
    stage: Stage, to: InterventionMove, why: LatenessCause | None = None, by: Actor = world.karim
) -> InterventionView:
    outcome = await moves(stage, to, why, by)
    assert outcome.problem is None, outcome.problem
    state: InterventionView = outcome.events[0].state
    return state


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.problem, outcome.events
    assert (outcome.problem.status, outcome.events) == (422, [])
    return [error.field for error in outcome.problem.errors or []]


STEPS: dict[InterventionStatus, list[InterventionMove]] = {
    "planned": [],
    "accepted": ["accepted"],
    "en_route": ["accepted", "en_route"],
    "on_site": ["accepted", "en_route", "on_site"],
}


@pytest.mark.parametrize("now", WHILE)
async def test_a_visit_that_has_not_begun_at_the_end_of_its_slot_is_late_once(
    stage: Stage, now: InterventionStatus
) -> None:
    at = await planned(stage, *STEPS[now])
    assert (await stage.passes(at.end - SHORTLY)).events == []
    told = (await stage.passes(at.end + SHORTLY)).only(InterventionOverdue)
    assert (told.state.status, told.state.overdue, told.state.slot) == (now, True, at)
    assert (await stage.passes(timedelta(days=30))).events == []
    assert await stage.waiting() == []


async def test_a_client_reads_that_the_visit_is_late_and_not_why(stage: Stage) -> None:
    await late(stage)
    state = await moved(stage, "accepted", "traffic")
    shown = state.for_client().model_dump()
    assert (state.lateness_cause, shown["overdue"]) == ("traffic", True)
    assert not {"lateness_cause", "help_asked_at", "help_asked_for"} & shown.keys()


@pytest.mark.parametrize("end", [None, "paused", "completed", "incomplete"])
async def test_what_began_in_time_is_never_late(stage: Stage, end: InterventionMove | None) -> None:
    at = await planned(stage, *STEPS["on_site"], "in_progress", work=work("V-1"))
    if end:
        await moved(stage, end)
    assert [event for event in (await stage.passes(at.end + SHORTLY)).events if event.state.id == VISIT] == []


@pytest.mark.parametrize("end", ["declined", "cancelled"])
async def test_what_is_over_is_never_late(stage: Stage, end: InterventionMove) -> None:
    at = await planned(stage)
    await moved(stage, end, by=world.marie)
    assert await stage.waiting() == []
    assert (await stage.passes(at.end + SHORTLY)).events == []


async def test_a_visit_without_a_time_is_never_late(stage: Stage) -> None:
    await stage.given(visit("planned"))
    await moved(stage, "accepted")
    assert (await stage.passes(timedelta(days=30))).events == []


@pytest.mark.parametrize("who", [world.karim, world.marie, world.alex])
@pytest.mark.parametrize("now", WHILE)
async def test_the_next_move_of_a_late_visit_says_why_and_later_ones_need_not(
    stage: Stage, now: InterventionStatus, who: Actor
) -> None:
    await late(stage, *STEPS[now])
    rest: list[InterventionMove] = [*STEPS["on_site"], "in_progress"][len(STEPS[now]) :]
    assert wrong(await moves(stage, rest[0], by=who)) == ["lateness_cause"]
    state = await moved(stage, rest[0], "previous_visit", by=who)
    for step in rest[1:]:
        assert state.overdue
        state = await moved(stage, step, by=who)
    assert (state.status, state.overdue, state.lateness_cause) == ("in_progress", False, "previous_visit")
    assert await stage.waiting() == []


@pytest.mark.parametrize("why", get_args(LatenessCause))
async def test_what_ends_a_late_visit_says_why_too(stage: Stage, why: LatenessCause) -> None:
    await late(stage)
    assert wrong(await moves(stage, "declined")) == ["lateness_cause"]
    state = (await moves(stage, "declined", why)).only(InterventionMoved).state
    assert (state.overdue, state.lateness_cause) == (False, why)


async def test_an_illegal_move_of_a_late_visit_is_refused_as_one(stage: Stage) -> None:
    await late(stage)
    outcome = await moves(stage, "completed")
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (409, "illegal_move")


async def test_a_visit_in_time_has_no_cause_to_name(stage: Stage) -> None:
    await planned(stage)
    assert wrong(await moves(stage, "accepted", "traffic")) == ["lateness_cause"]
    await stage.clear()
    await stage.given(visit("planned"))
    assert wrong(await moves(stage, "accepted", "traffic")) == ["lateness_cause"]


async def test_who_knows_before_the_timer_that_they_are_late_may_say_so(stage: Stage) -> None:
    await stage.given(visit("on_site", slot=slot(stage, -3)))
    started = (await moves(stage, "in_progress", "client")).only(InterventionStarted).state
    assert (started.overdue, started.lateness_cause) == (False, "client")


async def test_news_that_end_a_late_visit_need_no_cause(stage: Stage) -> None:
    await late(stage, assignment=1)
    state = a(ReclamationView, RECLAMATION, status="cancelled", assignment=1)
    heard = await stage.hears(ReclamationMoved(state=state, before="assigned", after="cancelled"))
    ended = heard.only(InterventionMoved).state
    assert (ended.status, ended.overdue, ended.lateness_cause) == ("cancelled", False, None)


@pytest.mark.parametrize("named", [False, True])
async def test_a_later_slot_ends_the_lateness_and_may_be_missed_again(stage: Stage, named: bool) -> None:
    await late(stage)
    if named:
        await moved(stage, "accepted", "planning")
    again = slot(stage, 24)
    state = (await booked(stage, again, 2)).only(InterventionScheduled).state
    assert (state.overdue, state.lateness_cause, state.slot) == (False, None, again)
    told = (await stage.passes(again.end + SHORTLY)).only(InterventionOverdue)
    assert told.state.slot == again
    to: InterventionMove = "en_route" if named else "accepted"
    assert wrong(await moves(stage, to)) == ["lateness_cause"]


async def test_another_slot_moves_the_timer(stage: Stage) -> None:
    first = await planned(stage)
    later = slot(stage, 6)
    await booked(stage, later, 2)
    assert (await stage.passes(first.end + SHORTLY)).events == []
    assert (await stage.passes(later.end + SHORTLY)).only(InterventionOverdue).state.slot == later


async def test_a_timer_that_is_early_by_another_clock_waits(stage: Stage) -> None:
    at = await planned(stage)
    await stage.database.pool.execute("UPDATE task SET due = now() WHERE use = 'timer'")
    assert (await stage.passes(SHORTLY)).events == []
    assert (await stage.passes(at.end + SHORTLY)).only(InterventionOverdue).state.overdue


async def test_a_service_that_was_down_marks_it_afterwards(stage: Stage) -> None:
    at = await planned(stage)
    assert (await stage.passes(at.end + timedelta(days=3))).only(InterventionOverdue).state.overdue


async def test_visits_from_before_get_their_timers(stage: Stage) -> None:
    migration = import_module("sav_interventions.migrations.0009_late")
    over, ahead = slot(stage, -3), slot(stage, 1)
    await stage.given(
        visit("planned", slot=over),
        visit("accepted", id=UUID(int=201), reclamation_id=UUID(int=101), slot=ahead),
        visit("in_progress", id=UUID(int=202), reclamation_id=UUID(int=102), slot=over),
        visit("planned", id=UUID(int=203), reclamation_id=UUID(int=103)),
    )
    for statement in (migration.FIND, migration.REMIND):
        await stage.database.pool.execute(statement)
    assert (await stage.passes(SHORTLY)).only(InterventionOverdue).state.id == VISIT
    told = (await stage.passes(ahead.end + SHORTLY)).only(InterventionOverdue)
    assert told.state.id == UUID(int=201)
    assert await stage.waiting() == []


# Hours that pass, another slot that begins in so many hours, or the next of the legal moves, with or without a cause.
steps = st.one_of(
    st.tuples(st.just("pass"), st.integers(0, 5)),
    st.tuples(st.just("slot"), st.integers(1, 5)),
    st.tuples(st.just("move"), st.integers(0, 1000)),
    st.tuples(st.just("explain"), st.integers(0, 1000)),
)


async def test_whatever_happens_it_is_late_exactly_while_its_slot_is_over_and_it_has_not_begun(
    stage: Stage,
) -> None:
    marked: list[Slot] = []

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(story=st.lists(steps, min_size=4, max_size=12))
    async def happens(story: list[tuple[str, int]]) -> None:
        await stage.clear()
        await stage.given(visit("planned", work=work("V-1")))
        now, told = await current(stage), list[Slot | None]()
        for number, (what, how) in enumerate(story):
            # Nothing is told before its time: timers that are due by now have run.
            outcome = await happening(stage, what, how, now, number)
            for event in outcome.events:
                if event.state.id == VISIT:
                    now = event.state
                if isinstance(event, InterventionOverdue):
                    told.append(event.state.slot)
            assert outcome.problem is None or outcome.problem.status == 422, outcome.problem
            is_over = now.slot is not None and now.slot.end <= stage.now()
            assert now.overdue == (is_over and now.status in NOT_BEGUN), (what, now)
        assert len(told) == len({str(slot) for slot in told}), "a slot was told twice"
        assert await stage.parked() == []
        marked.extend(filter(None, told))

    await run(happens)
    assert marked, "some were late"


async def current(stage: Stage) -> InterventionView:
    """The visit as it is."""
    state: InterventionView = (await booked(stage, slot(stage, 1))).only(InterventionScheduled).state
    return state


async def happening(stage: Stage, what: str, how: int, now: InterventionView, number: int) -> Outcome:
    if what == "pass":
        return await stage.passes(timedelta(hours=how, minutes=1))
    if what == "slot":
        return await booked(stage, slot(stage, how), number + 2)
    if now.status not in OPEN_VISIT:
        return Outcome(events=[])
    legal = INTERVENTION.legal(now.status, world.marie)
    to = cast(InterventionMove, legal[how % len(legal)])
    return await moves(stage, to, "other" if what == "explain" and now.overdue else None, world.marie)
