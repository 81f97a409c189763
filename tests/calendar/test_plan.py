"""One plan for a disrupted day: as little moved as possible, nobody at two places; accepted in whole or in part."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import world
from given_calendar import (
    VISIT_ID,
    appointment,
    at,
    elsewhere,
    hours,
    is_away,
    slot,
    technician,
    visit,
    workday,
)
from hypothesis import example, given
from hypothesis import strategies as st

from sav_calendar.plan import FREE, UNPLACED, Cost, Option, best_plan
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.calendar.appointment import AppointmentMoved
from sav_contracts.calendar.conflict import ConflictDetected, ConflictResolved
from sav_contracts.calendar.offer import OfferTimes
from sav_contracts.calendar.plan import AcceptPlan, ProposePlan
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.slot import Slot

OMAR = Actor(id=UUID(int=13), role=Role.TECHNICIAN)
DAY = (at(1, 0), at(1, 22))
HOUR = timedelta(hours=1)


async def disrupted(stage: Stage, *others: Actor) -> list[UUID]:
    """Karim is away all day, on which he was to go to three clients; these others work. The ids of the conflicts."""
    ids = [VISIT_ID, UUID(int=201), UUID(int=202)]
    claims = [UUID(int=100), UUID(int=101), UUID(int=102)]
    # One of them shorter, and at a time at which visits do not usually begin.
    times = [slot(1, 8), Slot(start=at(1, 10, 30), end=at(1, 11, 30)), slot(1, 13)]
    for number, (id, claim, time) in enumerate(zip(ids, claims, times, strict=True)):
        of_it: dict[str, Any] = {"reclamation_id": claim, "reclamation_reference": f"REC-2026-00010{number}"}
        booked = appointment(
            time.start,
            end=time.end,
            id=UUID(int=300 + number),
            uid=str(number),
            intervention_id=id,
            **of_it,
        )
        await stage.given(booked)
        await stage.knows(visit(id=id, slot=time, **of_it))
    await stage.given(*map(hours, others))
    await stage.knows(*(technician(who, name=f"T{who.id.int}") for who in others))
    events = await is_away(stage, *DAY)
    return [event.state.id for event in events if isinstance(event, ConflictDetected)]


async def plan(stage: Stage, **fields: Any) -> dict[str, Any]:
    outcome = await stage.when(ProposePlan.model_validate({"on": workday(1)} | fields), by=world.marie)
    assert outcome.problem is None, outcome.problem
    return outcome.reply


def accepted(item: dict[str, Any]) -> dict[str, Any]:
    time = item["proposed"]
    return {
        "conflict_id": item["conflict_id"],
        "technician_id": time["technician_id"],
        "slot": {"start": time["start"], "end": time["end"]},
    }


async def accepts(stage: Stage, *items: dict[str, Any]) -> Outcome:
    return await stage.when(AcceptPlan.model_validate({"items": items}), by=world.marie)


async def test_where_another_is_free_nothing_is_moved(stage: Stage) -> None:
    conflicts = await disrupted(stage, world.sofia)
    proposed = await plan(stage)
    assert proposed["left_out"] == []
    assert {UUID(item["conflict_id"]) for item in proposed["items"]} == {*conflicts}
    for item in proposed["items"]:
        assert item["proposed"]["start"] == item["wanted"]["start"]
        assert item["proposed"]["technician_id"] == str(world.sofia.id)
    starts = [item["wanted"]["start"] for item in proposed["items"]]
    assert starts == sorted(starts)


def busy(who: Actor, number: int, start: datetime) -> Any:
    """Something that somebody else is booked for."""
    other = UUID(int=number)
    return elsewhere(start, technician_id=who.id, id=other, uid=str(number), reclamation_id=other)


async def test_who_is_busy_gets_what_fits_and_nothing_is_proposed_twice(stage: Stage) -> None:
    await disrupted(stage, world.sofia, OMAR)
    await stage.given(busy(world.sofia, 400, at(1, 10, 30)), busy(OMAR, 401, at(1, 8)))
    items = (await plan(stage))["items"]
    times = [(item["proposed"]["technician_id"], item["proposed"]["start"]) for item in items]
    kept = [item for item in items if item["proposed"]["start"] == item["wanted"]["start"]]
    assert (len({*times}), len(kept)) == (3, 3)
    assert times[0][0] == str(world.sofia.id), "Omar is elsewhere at 8"
    assert times[1][0] == str(OMAR.id), "Sofia is elsewhere by then"


async def test_where_nobody_else_is_there_its_technician_goes_another_day(stage: Stage) -> None:
    await disrupted(stage)
    items = (await plan(stage))["items"]
    assert {item["proposed"]["technician_id"] for item in items} == {str(world.karim.id)}
    days = {datetime.fromisoformat(item["proposed"]["start"]).date() for item in items}
    assert workday(1) not in days
    spans = sorted(item["proposed"]["start"] for item in items)
    assert len({*spans}) == 3


async def test_only_that_day_and_that_technician(stage: Stage) -> None:
    await disrupted(stage, world.sofia)
    assert (await plan(stage, on=workday(2)))["items"] == []
    assert (await plan(stage, technician_id=world.sofia.id))["items"] == []
    assert len((await plan(stage, technician_id=world.karim.id))["items"]) == 3


async def test_what_waits_for_its_client_or_is_under_way_is_left_out(stage: Stage) -> None:
    first, second, _ = await disrupted(stage, world.sofia)
    offer = OfferTimes.model_validate({"conflict_id": first})
    assert (await stage.when(offer, by=world.marie)).problem is None
    of_second = await stage.database.pool.fetchval(
        "SELECT intervention_id FROM conflict WHERE id = $1", second
    )
    await stage.knows(visit("on_site", version=7, id=of_second, reclamation_id=UUID(int=101)))
    proposed = await plan(stage)
    assert len(proposed["items"]) == 1
    assert {(UUID(one["conflict_id"]), one["why"]) for one in proposed["left_out"]} == {
        (first, "client_chooses"),
        (second, "under_way"),
    }


async def test_where_nothing_is_free_it_says_so(stage: Stage) -> None:
    await disrupted(stage)
    await stage.database.pool.execute("UPDATE working_hours SET shifts = '[]'")
    proposed = await plan(stage)
    assert proposed["items"] == []
    assert {one["why"] for one in proposed["left_out"]} == {"no_free_time"}


async def test_two_conflicts_of_one_visit_are_one_item(stage: Stage) -> None:
    await disrupted(stage, world.sofia)
    await stage.database.pool.execute(
        "UPDATE working_hours SET shifts = '[]' WHERE technician_id = $1", world.karim.id
    )
    assert len(await is_away(stage, *DAY, "outside_hours")) == 3
    proposed = await plan(stage)
    assert len(proposed["items"]) == 3
    assert [one["why"] for one in proposed["left_out"]] == ["same_visit"] * 3


async def test_a_plan_is_accepted_as_a_whole(stage: Stage) -> None:
    await disrupted(stage, world.sofia)
    items = (await plan(stage))["items"]
    outcome = await accepts(stage, *map(accepted, items))
    assert [one["status"] for one in outcome.reply["items"]] == ["resolved"] * 3
    assert [event.by_client for event in outcome.events if isinstance(event, ConflictResolved)] == [False] * 3
    assert (await plan(stage)) == {"items": [], "left_out": []}


async def test_or_in_part(stage: Stage) -> None:
    await disrupted(stage, world.sofia)
    first, *others = (await plan(stage))["items"]
    await accepts(stage, accepted(first))
    assert [one["conflict_id"] for one in (await plan(stage))["items"]] == [
        one["conflict_id"] for one in others
    ]


async def test_what_changed_meanwhile_is_refused_alone_with_why(stage: Stage) -> None:
    await disrupted(stage, world.sofia)
    items = (await plan(stage))["items"]
    await stage.given(busy(world.sofia, 400, at(1, 8)))
    nobody = accepted(items[0]) | {"conflict_id": str(UUID(int=999))}
    outcome = await accepts(stage, *map(accepted, items), nobody, accepted(items[2]))
    said = outcome.reply["items"]
    assert [one["status"] for one in said] == [None, "resolved", "resolved", None, None]
    assert [one["problem"]["code"] for one in said if one["problem"]] == [
        "slot_taken",
        "not_found",
        "illegal_move",
    ]
    resolved = [event for event in outcome.events if isinstance(event, ConflictResolved)]
    assert [event.state.id for event in resolved] == [UUID(one["conflict_id"]) for one in said[1:3]]


async def test_a_client_whose_visit_is_moved_has_one_other_time(stage: Stage) -> None:
    """Two decisions about one visit in one plan: the first counts."""
    await disrupted(stage)
    item = (await plan(stage))["items"][0]
    at_another = accepted(item) | {"slot": slot(4, 13).model_dump(mode="json")}
    outcome = await accepts(stage, accepted(item), at_another)
    assert [one["status"] for one in outcome.reply["items"]] == ["resolved", None]
    assert [type(event) for event in outcome.events].count(AppointmentMoved) == 1


async def test_two_managers_accept_at_once_and_each_visit_is_decided_once(stage: Stage) -> None:
    await disrupted(stage, world.sofia)
    items = [accepted(item) for item in (await plan(stage))["items"]]
    one, other = await asyncio.gather(accepts(stage, *items), accepts(stage, *reversed(items)))
    done = [item["status"] for answer in (one, other) for item in answer.reply["items"]]
    assert sorted(done, key=str) == [None] * 3 + ["resolved"] * 3


START = datetime(2026, 3, 2, 8, tzinfo=UTC)
TECHNICIANS = [UUID(int=number) for number in (1, 2)]


def option(hour: int, who: int, dearer: int) -> Option:
    start = START + hour * HOUR
    time = FreeSlot(
        technician_id=TECHNICIANS[who],
        start=start,
        end=start + 2 * HOUR,
        arrival_from=start,
        arrival_until=start + HOUR,
    )
    return Option(time, Cost(0, int(dearer > 0), dearer, 0, who))


def overlap(one: FreeSlot, other: FreeSlot) -> bool:
    return one.technician_id == other.technician_id and one.start < other.end and other.start < one.end


def total(visits: list[list[Option]], times: list[FreeSlot | None]) -> Cost:
    cost = FREE
    for options, time in zip(visits, times, strict=True):
        known = [one.cost for one in options if one.time is time or one.time == time]
        cost = cost.plus(min(known) if time else UNPLACED)
    return cost


def clashes(times: list[FreeSlot | None]) -> bool:
    given = [time for time in times if time]
    return any(overlap(one, other) for n, one in enumerate(given) for other in given[n + 1 :])


OPTIONS = st.lists(st.builds(option, st.integers(0, 6), st.integers(0, 1), st.integers(0, 5)), max_size=4)


@given(st.lists(OPTIONS, max_size=4))
@example([[option(0, 0, 0), option(4, 0, 1)], [option(0, 0, 0)]])
@example([[option(0, 0, 0)], [option(1, 0, 0)], []])
def test_the_plan_is_the_cheapest_of_all(visits: list[list[Option]]) -> None:
    """Compared with every plan that there is."""
    found = best_plan(visits, overlap)
    assert not clashes(found)
    every = product(*([*(one.time for one in options), None] for options in visits))
    best = min(total(visits, [*times]) for times in every if not clashes([*times]))
    assert total(visits, found) == best


def test_a_large_plan_is_found_in_time() -> None:
    visits = [[option(hour, who, hour) for hour in range(60) for who in (0, 1)] for _ in range(40)]
    before = datetime.now(UTC)
    found = best_plan(visits, overlap)
    assert datetime.now(UTC) - before < timedelta(seconds=3)
    assert all(found)
    assert not clashes(found)
