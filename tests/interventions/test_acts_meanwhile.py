"""What was done offline, where somebody else changed the visit meanwhile."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import world
from given_acts import LABOUR, Json, a_day, act, apply, at, move, seen, told
from given_interventions import VISIT, assigned, visit

from sav_chassis.testing import Stage
from sav_contracts.interventions.act import (
    ActsRefused,
)
from sav_contracts.interventions.visit import (
    CarbonMonoxideFound,
    InterventionMoved,
    MoveIntervention,
)
from sav_contracts.slot import Slot
from sav_interventions.model import Technician

OTHER = UUID(int=201)


async def test_managers_hear_of_acts_on_a_visit_that_was_cancelled_meanwhile(stage: Stage) -> None:
    await stage.given(visit("planned"))
    await stage.hears(assigned(world.sofia, previous=world.karim))
    day = a_day()
    outcome = await stage.when(apply(*day), by=world.karim)
    codes = told(outcome)
    assert "done" not in codes
    refused = outcome.only(ActsRefused)
    assert refused.number == len(codes) == 9
    first = refused.acts[0]
    assert (first.act, first.at.isoformat(), first.code) == ("accepted", at(0), "illegal_move")
    assert (refused.state.status, refused.for_client()) == ("cancelled", None)
    again = await stage.when(apply(*day), by=world.karim)
    assert (told(again), again.events) == (codes, [])


async def test_managers_do_not_hear_of_what_the_technician_alone_did_wrong(stage: Stage) -> None:
    await stage.given(visit("planned"))
    outcome = await stage.when(apply(move(0, "accepted"), move(1, "accepted")), by=world.karim)
    assert told(outcome) == ["done", "illegal_move"]
    assert outcome.only(InterventionMoved).after == "accepted"


async def test_managers_hear_of_what_came_before_the_piece_that_makes_it_possible(stage: Stage) -> None:
    await stage.given(visit("planned"))
    day = a_day()
    late = await stage.when(apply(*day[2:6]), by=world.karim)
    assert told(late) == ["illegal_move", "illegal_move", "not_under_way", "illegal_move"]
    assert [one.act for one in late.only(ActsRefused).acts] == ["on_site", "in_progress", "work", "completed"]
    assert told(await stage.when(apply(*day[:6]), by=world.karim)) == ["done", "done", *told(late)]


async def test_managers_hear_of_a_danger_that_came_too_late(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    late = act(10, "work", solution="mesuré", labour=LABOUR, co_ppm=60)
    for now in (act(20, "work", solution="fini", labour=LABOUR), move(30, "completed")):
        await stage.when(apply(now), by=world.karim)
    outcome = await stage.when(apply(late), by=world.karim)
    assert told(outcome) == ["overtaken"]
    found = outcome.events[-1]
    assert isinstance(found, CarbonMonoxideFound)
    assert (found.ppm, found.state.status) == (60, "completed")


async def test_what_a_manager_did_meanwhile_is_told_and_the_rest_is_applied(stage: Stage) -> None:
    await stage.given(visit("planned"))
    await stage.when(MoveIntervention(intervention_id=VISIT, to="accepted"), by=world.marie)
    acts = (move(0, "accepted"), move(1, "en_route"), move(2, "on_site"))
    outcome = await stage.when(apply(*acts), by=world.karim)
    assert told(outcome) == ["illegal_move", "done", "done"]
    refused = outcome.events[-1]
    assert isinstance(refused, ActsRefused)
    assert ([act.act for act in refused.acts], refused.state.status) == (["accepted"], "on_site")
    moves = (await seen(stage))[1]
    assert [to for to, _ in moves] == ["accepted", "en_route", "on_site"]
    assert sorted(moves, key=lambda one: one[1]) == moves


async def test_what_a_manager_moved_further_meanwhile_is_told_although_the_rest_is_applied(
    stage: Stage,
) -> None:
    await stage.given(visit("planned"))
    for to in ("accepted", "en_route"):
        moved = MoveIntervention.model_validate({"intervention_id": VISIT, "to": to})
        await stage.when(moved, by=world.marie)
    outcome = await stage.when(apply(*a_day()), by=world.karim)
    assert told(outcome) == ["illegal_move"] * 2 + ["done"] * 7
    refused = outcome.events[-1]
    assert isinstance(refused, ActsRefused)
    assert [act.act for act in refused.acts] == ["accepted", "en_route"]


def hours_from_now(hours: float) -> Slot:
    start = datetime.now(UTC) + timedelta(hours=hours)
    return Slot(start=start, end=start + timedelta(hours=2))


NOT_KNOWN: dict[str, Json] = {
    "set inactive": {},
    "another day": {"slot": hours_from_now(72)},
    "late by another time": {"slot": hours_from_now(-6), "overdue": True},
}


@pytest.mark.parametrize("changed", NOT_KNOWN.values(), ids=NOT_KNOWN)
async def test_a_day_is_applied_whatever_a_manager_changed_that_the_telephone_could_not_know(
    stage: Stage, changed: Json
) -> None:
    set_inactive = not changed
    await stage.given(
        Technician(id=world.karim.id, name="Karim", account_active=True, set_inactive=set_inactive),
        visit("planned", **changed),
    )
    outcome = await stage.when(apply(*a_day()), by=world.karim)
    assert told(outcome) == ["done"] * 9


async def test_a_cause_of_lateness_counts_only_where_the_visit_was_late(stage: Stage) -> None:
    on_time = visit("planned", slot=hours_from_now(-3.5))
    late = visit("planned", id=OTHER, reclamation_id=uuid4(), slot=hours_from_now(-6), overdue=True)
    await stage.given(on_time, late)
    acts = [move(1, "accepted", id, lateness_cause="traffic") for id in (VISIT, OTHER)]
    outcome = await stage.when(apply(*acts), by=world.karim)
    assert told(outcome) == ["done"] * 2
    assert [event.state.lateness_cause for event in outcome.events] == [None, "traffic"]
