"""When moves happened, and where: in order, not in the future, and nobody sets out days early without a reason."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import world
from given_interventions import VISIT, assigned, visit, work
from given_views import a

from sav_chassis.testing import Outcome, Stage
from sav_chassis.written import day
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import CutOffs, PolicyView
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.position import Position
from sav_contracts.interventions.visit import (
    InterventionMove,
    InterventionMoved,
    InterventionStarted,
    InterventionView,
    MadeMove,
    MoveIntervention,
)
from sav_contracts.slot import Slot
from sav_interventions.move_times import MOST_MOVES

HERE = Position(lat=45.764, lon=-4.8357, accuracy=12.5)
LYON = Place(address="8 quai Perrache", postcode="69002", city="Lyon")


def now() -> datetime:
    return datetime.now(UTC)


def ago(**time: float) -> datetime:
    return now() - timedelta(**time)


def move(to: InterventionMove, at: datetime | None = None, **fields: Any) -> MoveIntervention:
    return MoveIntervention(intervention_id=VISIT, to=to, at=at, **fields)


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.problem, outcome.events
    assert (outcome.problem.status, outcome.events) == (422, [])
    return [error.field for error in outcome.problem.errors or []]


def made(to: Any, at: datetime, by: Actor = world.karim) -> MadeMove:
    return MadeMove(to=to, at=at, recorded_at=at, by_id=by.id)


async def test_a_move_says_when_it_happened_who_made_it_and_where(stage: Stage) -> None:
    await stage.given(visit("planned"))
    then = ago(hours=2)
    moved = (await stage.when(move("accepted", then, position=HERE), by=world.karim)).only(InterventionMoved)
    [act] = moved.state.acts
    assert (act.to, act.at, act.by_id, act.position) == ("accepted", then, world.karim.id, HERE)
    assert timedelta() <= now() - act.recorded_at < timedelta(minutes=1)
    assert moved.happened_at == then
    assert "acts" not in moved.state.for_client().model_dump()


async def test_a_move_happens_now_where_nothing_else_is_said(stage: Stage) -> None:
    await stage.given(visit("planned"))
    [act] = (await stage.when(move("accepted"), by=world.marie)).only(InterventionMoved).state.acts
    assert (act.at, act.by_id, act.position) == (act.recorded_at, world.marie.id, None)


async def test_the_start_and_the_end_of_work_have_their_times(stage: Stage) -> None:
    await stage.given(visit("on_site", work=work()))
    began, ended = ago(hours=3), ago(hours=1)
    started = (await stage.when(move("in_progress", began), by=world.karim)).only(InterventionStarted)
    assert started.happened_at == began
    done = (await stage.when(move("completed", ended), by=world.karim)).only(InterventionMoved)
    assert (done.state.done_at, done.happened_at) == (ended, ended)
    assert [act.to for act in done.state.acts] == ["in_progress", "completed"]


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=400)])
async def test_nothing_happens_in_the_future(stage: Stage, ahead: timedelta) -> None:
    await stage.given(visit("planned"))
    assert wrong(await stage.when(move("accepted", now() + ahead), by=world.karim)) == ["at"]


async def test_a_clock_that_is_a_little_fast_or_slow_does_no_harm(stage: Stage) -> None:
    await stage.given(visit("planned"))
    fast = (await stage.when(move("accepted", now() + timedelta(minutes=3)), by=world.karim)).only(
        InterventionMoved
    )
    assert fast.state.acts[0].at <= now()
    slow = (await stage.when(move("en_route", ago(minutes=3)), by=world.karim)).only(InterventionMoved)
    assert slow.state.acts[1].at == slow.state.acts[0].at


async def test_a_move_was_not_before_the_last_one_of_the_same_person(stage: Stage) -> None:
    await stage.given(visit("accepted", acts=[made("accepted", ago(hours=1))]))
    assert wrong(await stage.when(move("en_route", ago(hours=2)), by=world.karim)) == ["at"]
    assert (await stage.when(move("en_route", ago(minutes=50)), by=world.karim)).problem is None


async def test_what_somebody_else_did_meanwhile_is_no_reason_to_refuse(stage: Stage) -> None:
    theirs = made("accepted", ago(hours=1), world.marie)
    await stage.given(visit("accepted", acts=[theirs]))
    moved = (await stage.when(move("en_route", ago(hours=2)), by=world.karim)).only(InterventionMoved)
    assert [act.at for act in moved.state.acts] == [theirs.at, theirs.at]


async def test_a_visit_may_be_entered_the_same_day_but_not_long_after(stage: Stage) -> None:
    await stage.given(visit("planned"))
    assert wrong(await stage.when(move("accepted", ago(days=2)), by=world.karim)) == ["at"]
    assert (await stage.when(move("accepted", ago(hours=20)), by=world.karim)).problem is None


async def test_a_visit_that_ends_by_an_event_says_so(stage: Stage) -> None:
    await stage.given(visit("planned"))
    cancelled, *_ = (await stage.hears(assigned(world.sofia, previous=world.karim))).events
    assert isinstance(cancelled.state, InterventionView)
    [act] = cancelled.state.acts
    assert (act.to, act.by_id) == ("cancelled", None)


def slot(start: datetime) -> Slot:
    return Slot(start=start, end=start + timedelta(hours=2))


@pytest.mark.parametrize("who", [world.karim, world.marie], ids=["technician", "manager"])
async def test_who_sets_out_days_early_says_why(stage: Stage, who: Actor) -> None:
    await stage.given(visit("accepted", slot=slot(now() + timedelta(days=3)), place=LYON))
    refused = await stage.when(move("en_route"), by=who)
    assert wrong(refused) == ["reason"]
    assert refused.problem
    on = (now() + timedelta(days=3)).astimezone(ZoneInfo("Europe/Paris")).date()
    assert f"prévue le {day(on, 'fr')}\N{NO-BREAK SPACE}:" in refused.problem.in_french().detail
    moved = (await stage.when(move("en_route", reason="la cliente part demain"), by=who)).only(
        InterventionMoved
    )
    assert (moved.state.status, moved.reason) == ("en_route", "la cliente part demain")


@pytest.mark.parametrize("planned", [None, slot(ago(minutes=5)), slot(ago(days=3))])
async def test_who_sets_out_on_the_day_or_later_or_without_a_day_says_nothing(
    stage: Stage, planned: Slot | None
) -> None:
    await stage.given(visit("accepted", slot=planned, place=LYON))
    assert (await stage.when(move("en_route"), by=world.karim)).problem is None


@pytest.mark.parametrize(("postcode", "zone"), [("69002", "Europe/Paris"), ("98800", "Pacific/Noumea")])
async def test_the_day_is_that_of_the_place_and_the_hours_are_the_policys(
    stage: Stage, postcode: str, zone: str
) -> None:
    there = LYON.model_copy(update={"postcode": postcode})
    tomorrow = (now().astimezone(ZoneInfo(zone)) + timedelta(days=1)).replace(hour=0, minute=30)
    until_then = tomorrow.replace(minute=0, second=0, microsecond=0) - now()
    hours = int(until_then.total_seconds() // 3600)
    await stage.given(visit("accepted", slot=slot(tomorrow), place=there))
    await stage.knows(a(PolicyView, CutOffs.id(), name="cut_offs", value={"sets_out_hours": hours}))
    assert wrong(await stage.when(move("en_route"), by=world.karim)) == ["reason"]
    hour_more = {"sets_out_hours": hours + 1}
    await stage.knows(a(PolicyView, CutOffs.id(), name="cut_offs", value=hour_more, version=2))
    assert (await stage.when(move("en_route"), by=world.karim)).problem is None


async def test_a_visit_that_was_moved_very_often_can_only_go_on(stage: Stage) -> None:
    often = [made("paused" if number % 2 else "in_progress", ago(hours=1)) for number in range(MOST_MOVES)]
    await stage.given(visit("in_progress", acts=often, work=work()))
    refused = await stage.when(move("paused", cause="parts"), by=world.karim)
    assert refused.problem
    assert refused.problem.code == "too_many_moves"
    assert (await stage.when(move("completed"), by=world.karim)).problem is None
