"""The clocks of réclamations: when they are due, what is told of them, and what they follow."""

from datetime import date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_claims import PRODUCT, product, reclamation, visit
from given_views import a
from holidays import country_holidays

from sav_chassis.testing import Stage
from sav_claims.clocks import Clock, Clocks, legal_day
from sav_claims.model import Reclamation
from sav_claims.working_time import working_time
from sav_contracts.auth.policy import PolicySet, PolicyView, SlaTargets
from sav_contracts.calendar.hours import Weekday
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import (
    OpenReclamation,
    QualifyReclamation,
    ReclamationChanged,
    ReclamationStatus,
    ReclamationView,
)
from sav_contracts.claims.sla import SlaBreached, SlaWarning
from sav_contracts.interventions.visit import EndingRefused, InterventionClosed, InterventionStarted

RECLAMATION = UUID(int=100)
TARGETS = SlaTargets()
WORKING = working_time(TARGETS)


def policy(version: int = 2, **value: Any) -> PolicyView:
    return a(PolicyView, SlaTargets.id(), version=version, name="sla_targets", value=value)


async def opened(stage: Stage, **fields: Any) -> ReclamationView:
    """A réclamation that Léa has just opened."""
    usual: dict[str, Any] = {"problem_type": "noise", "description": "il siffle"}
    if not fields.get("product_id"):
        place = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}
        usual |= {"article": "Mitigeur", "place": place}
    outcome = await stage.when(OpenReclamation.model_validate(usual | fields), by=world.lea)
    assert outcome.problem is None, outcome.problem
    state: ReclamationView = outcome.events[0].state
    return state


async def qualified(stage: Stage, id: UUID, **fields: Any) -> ReclamationView:
    usual = {"priority": "normal", "reason": "convenu"}
    command = QualifyReclamation.model_validate({"reclamation_id": id} | usual | fields)
    outcome = await stage.when(command, by=world.marie)
    assert outcome.problem is None, outcome.problem
    state: ReclamationView = outcome.events[0].state
    return state


async def moved(stage: Stage, id: UUID, to: ReclamationStatus) -> ReclamationView:
    """As a command of another part of claims does it: it moves the record and tells that."""
    from sav_chassis.envelope import Context
    from sav_chassis.tx import transaction
    from sav_contracts.actor import Role

    context = Context(actor_id=world.marie.id, actor_role=Role.MANAGER, correlation_id=id, causation_id=id)
    async with transaction(stage.database, stage.settings, context, lambda _: None) as tx:
        record = await tx.load(Reclamation, id, world.marie)
        record.move(to, world.marie)
        tx.emit(record, ReclamationChanged())
    state: ReclamationView = record.view()
    return state


async def test_a_new_one_is_due_by_its_priority_in_working_time(stage: Stage) -> None:
    state = await opened(stage)
    assert state.respond_by == WORKING.after(state.created_at, timedelta(hours=8))
    assert state.resolve_by == WORKING.after(state.created_at, timedelta(hours=40))
    assert state.due_at == state.respond_by
    assert (state.responded_at, state.resolve_met, state.overdue) == (None, None, False)


async def test_a_client_reads_nothing_of_the_clocks(stage: Stage) -> None:
    shown = (await opened(stage)).for_client().model_dump()
    assert not {name for name in shown if "respond" in name or "due" in name or "breach" in name}


async def test_qualifying_is_the_answer_and_another_priority_sets_the_end_anew(stage: Stage) -> None:
    first = await opened(stage)
    state = await qualified(stage, first.id, priority="high")
    assert state.responded_at is not None
    assert state.resolve_by == WORKING.after(state.created_at, timedelta(hours=24))
    assert state.due_at == state.resolve_by
    again = await qualified(stage, first.id, priority="low")
    assert again.responded_at == state.responded_at
    assert again.resolve_by == WORKING.after(state.created_at, timedelta(hours=80))


async def test_it_warns_and_then_tells_of_the_breach_once_each_to_the_minute(stage: Stage) -> None:
    state = await opened(stage)
    assert state.respond_by
    assert state.resolve_by
    warned = WORKING.after(state.created_at, timedelta(hours=6))
    assert (await stage.passes(warned - timedelta(minutes=1))).events == []
    told = (await stage.passes(warned + timedelta(minutes=1))).only(SlaWarning)
    assert (told.clock, told.due, told.state.overdue) == ("respond", state.respond_by, False)
    assert (await stage.passes(state.respond_by - timedelta(minutes=1))).events == []
    over = (await stage.passes(state.respond_by + timedelta(minutes=1))).only(SlaBreached)
    assert (over.clock, over.state.overdue, over.state.respond_breached) == ("respond", True, True)
    assert over.state.due_at == state.respond_by, "what is late stands before what is due"
    # What follows is about the other clock.
    later = await stage.passes(state.resolve_by + timedelta(days=9))
    assert [(type(event), event.clock) for event in later.events if hasattr(event, "clock")] == [
        (SlaWarning, "resolve"),
        (SlaBreached, "resolve"),
    ]
    assert await stage.waiting() == []


async def test_what_was_answered_late_is_not_overdue_any_more(stage: Stage) -> None:
    state = await opened(stage)
    assert state.respond_by
    await stage.passes(state.respond_by + timedelta(minutes=1))
    after = await qualified(stage, state.id)
    assert (after.respond_breached, after.overdue) == (True, False)


async def test_nothing_is_told_of_what_was_met_meanwhile(stage: Stage) -> None:
    state = await opened(stage)
    assert state.respond_by
    await qualified(stage, state.id)
    assert (await stage.passes(state.respond_by + timedelta(minutes=1))).events == []


async def test_clocks_stand_still_while_the_client_is_awaited(stage: Stage) -> None:
    state = await opened(stage)
    await qualified(stage, state.id)
    paused = await moved(stage, state.id, "awaiting_client")
    assert (paused.resolve_by, paused.due_at) == (None, None)
    assert (await stage.passes(timedelta(days=60))).events == []
    since = await moved(stage, state.id, "qualified")
    minutes = WORKING.between(paused.updated_at, since.updated_at) // timedelta(minutes=1)
    assert minutes > 30 * 8 * 60
    assert abs(since.paused_total - minutes) <= 1
    assert since.resolve_by
    expected = WORKING.after(state.created_at, timedelta(hours=40), [(paused.updated_at, since.updated_at)])
    assert abs(since.resolve_by - expected) < timedelta(seconds=1)


async def in_progress(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id, assignment=1))
    await stage.hears(InterventionStarted(state=visit(status="in_progress")))


async def test_what_is_resolved_in_time_is_met_and_starts_afresh_when_reopened(stage: Stage) -> None:
    await in_progress(stage)
    done = await stage.hears(InterventionClosed(state=visit(), outcome="completed"))
    state = done.events[-1].state
    assert (state.resolve_met, state.due_at, state.overdue) == (True, None, False)
    first = state.resolve_by
    assert first
    await stage.passes(timedelta(days=3))
    again = await moved(stage, RECLAMATION, "reopened")
    assert again.resolve_met is None
    assert again.resolve_by
    assert again.resolve_by > first
    assert again.resolve_by == WORKING.after(again.updated_at, timedelta(hours=24)) or (
        abs(again.resolve_by - WORKING.after(again.updated_at, timedelta(hours=24))) < timedelta(seconds=1)
    )


async def test_one_that_was_closed_before_there_were_clocks_starts_afresh_when_reopened(stage: Stage) -> None:
    """As the migration left it: met, by no state."""
    ended = stage.now() - timedelta(days=20)
    old = Clocks(respond=Clock(met_at=ended), resolve=Clock(met_at=ended), ended_at=ended)
    await stage.given(reclamation(status="closed", created_at=ended, closed_at=ended, clocks=old))
    again = await moved(stage, RECLAMATION, "reopened")
    assert again.resolve_by
    due = WORKING.after(again.updated_at, timedelta(hours=24))
    assert abs(again.resolve_by - due) < timedelta(seconds=1)
    assert (again.resolve_met, again.overdue) == (None, False)
    assert (await stage.passes(timedelta(minutes=1))).events == []


async def test_what_goes_on_after_it_was_resolved_is_not_met_any_more(stage: Stage) -> None:
    await in_progress(stage)
    assert (await moved(stage, RECLAMATION, "resolved")).resolve_met is True
    refused = EndingRefused(state=visit(status="in_progress", assignment=1), refused="resolved", assignment=1)
    [*_, told] = (await stage.hears(refused)).events
    assert (told.state.status, told.state.resolve_met) == ("in_progress", None)


async def test_what_was_resolved_late_says_so(stage: Stage) -> None:
    await in_progress(stage)
    told = await stage.passes(timedelta(days=20))
    assert [event.clock for event in told.events if isinstance(event, SlaBreached)] == ["respond", "resolve"]
    done = await stage.hears(InterventionClosed(state=visit(), outcome="completed"))
    state = done.events[-1].state
    assert (state.resolve_met, state.resolve_breached, state.overdue) == (False, True, False)


@pytest.mark.parametrize("status", ["cancelled", "rejected", "merged"])
async def test_what_is_over_has_no_clock_that_runs(stage: Stage, status: ReclamationStatus) -> None:
    state = await opened(stage)
    over = await moved(stage, state.id, status)
    assert (over.due_at, over.overdue) == (None, False)
    assert over.ended_at is not None
    assert (await stage.passes(timedelta(days=60))).events == []
    assert await stage.waiting() == []


async def test_another_policy_sets_the_clocks_of_everything_open_anew(stage: Stage) -> None:
    ids = [(await opened(stage)).id for _ in range(60)]
    over = (await moved(stage, ids.pop(), "cancelled")).respond_by
    always = [{"day": day, "start": "00:00:00", "end": "23:59:59"} for day in get_args(Weekday)]
    target = {"respond_minutes": 1, "resolve_minutes": 2}
    await stage.passes(timedelta(minutes=10))
    working_day = next(one for one in ("FR", "JP", "US") if stage.now().date() not in country_holidays(one))
    new = policy(normal=target, openings=always, holidays=working_day)
    await stage.knows(new)
    await stage.hears(PolicySet(state=new, were={}, now={}))
    events = (await stage.runs_effects()).events
    assert {type(event) for event in events} == {ReclamationChanged}
    states = {event.state.id: event.state for event in events}
    assert sorted(states) == sorted(ids)
    for state in states.values():
        assert state.resolve_by
        assert state.resolve_by < state.created_at + timedelta(minutes=3)
        assert (state.overdue, state.resolve_breached) == (True, True)
    assert over is not None
    # The flags say it; nobody is told.
    assert not [one for one in (await stage.passes(timedelta(days=9))).events if isinstance(one, SlaBreached)]
    assert (await stage.runs_effects()).events == []


async def test_a_run_that_was_cut_off_goes_on_where_it_ended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(60):
        await opened(stage)
    new = policy(normal={"respond_minutes": 60, "resolve_minutes": 61})
    await stage.knows(new)
    await stage.hears(PolicySet(state=new, were={}, now={}))
    monkeypatch.setattr("sav_claims.sla.RUN", 0.001)
    seen: list[UUID] = []
    while waiting := [one for one in await stage.waiting() if "follow_policy" in one.function]:
        assert len(waiting) == 1
        seen += [event.state.id for event in (await stage.runs_effects()).events]
    assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize(
    ("requested", "last"),
    # Code de la consommation, L217-10: days of the calendar, by the clock of the place.
    [("2026-11-01T22:30:00+00:00", "2026-12-01"), ("2026-11-01T23:30:00+00:00", "2026-12-02")],
)
def test_thirty_days_of_the_calendar(requested: str, last: str) -> None:
    assert legal_day(datetime.fromisoformat(requested), ZoneInfo("Europe/Paris")) == date.fromisoformat(last)


def bought(**fields: Any) -> Any:
    return product(world.lea, **fields)


async def test_a_covered_fault_of_a_consumer_has_the_legal_days_from_its_request(stage: Stage) -> None:
    await stage.knows(bought())
    state = await opened(stage, product_id=PRODUCT)
    assert state.legal_due is None
    await stage.passes(timedelta(days=12))
    later = await qualified(stage, state.id, coverage="covered")
    paris = ZoneInfo("Europe/Paris")
    assert later.legal_due == state.created_at.astimezone(paris).date() + timedelta(days=30)
    # Waiting for the client does not change it, and it is told when it is over.
    waiting = await moved(stage, state.id, "awaiting_client")
    assert waiting.legal_due == later.legal_due
    told = await stage.passes(timedelta(days=25))
    slas = [event for event in told.events if isinstance(event, SlaWarning | SlaBreached)]
    legal = [event for event in slas if event.clock == "legal"]
    assert [type(event) for event in legal] == [SlaWarning, SlaBreached]
    assert legal[-1].state.legal_breached
    assert legal[-1].due.astimezone(paris).date() == later.legal_due


async def test_a_request_that_is_long_ago_when_its_coverage_is_decided_is_told_at_once(stage: Stage) -> None:
    state = await opened(stage)
    await stage.passes(timedelta(days=40))
    await qualified(stage, state.id, coverage="covered")
    told = await stage.passes(timedelta(seconds=1))
    assert "legal" in [event.clock for event in told.events if isinstance(event, SlaBreached)]


@pytest.mark.parametrize(
    ("coverage", "consumer"), [("not_covered", True), ("unknown", True), ("covered", False)]
)
async def test_there_is_no_legal_clock_without_cover_or_for_a_business(
    stage: Stage, coverage: str, consumer: bool
) -> None:
    await stage.knows(bought(consumer=consumer))
    state = await opened(stage, product_id=PRODUCT)
    assert (await qualified(stage, state.id, coverage=coverage)).legal_due is None


async def test_the_days_are_those_of_the_place(stage: Stage) -> None:
    there = Place(address="1 rue Haute", postcode="97400", city="Saint-Denis")
    await stage.knows(bought(place=there))
    await stage.given(
        reclamation(product_id=PRODUCT, status="submitted", problem_type="noise", priority="normal")
    )
    state = await qualified(stage, RECLAMATION, coverage="covered")
    reunion = ZoneInfo("Indian/Reunion")
    assert state.legal_due == state.created_at.astimezone(reunion).date() + timedelta(days=30)
