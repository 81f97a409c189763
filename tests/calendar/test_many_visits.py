"""A long absence, or a technician who leaves, with many visits to come: recorded at once, other times follow."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import world
from given_calendar import at, elsewhere, hours, is_away, is_back, leaves, technician, visit
from sqlalchemy import event

from sav_calendar.conflicts import MOST_OTHERS
from sav_calendar.hours import VISIT
from sav_calendar.proposals import AT_ONCE
from sav_chassis.testing import Outcome, Stage
from sav_contracts.calendar.conflict import (
    ConflictBecameMoot,
    ConflictChanged,
    ConflictDetected,
    ConflictView,
)
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Event
from sav_contracts.slot import Slot

DAYS = 30
VISITS = 2 * DAYS
AT_THE_SAME_MOMENT = timedelta()


def ids(number: int) -> dict[str, Any]:
    return {"reclamation_id": UUID(int=1000 + number), "client_id": world.paul.id}


def to_come(number: int, start: datetime | None) -> InterventionView:
    wanted = Slot(start=start, end=start + VISIT) if start else None
    return visit(id=UUID(int=2000 + number), slot=wanted, **ids(number))


async def booked(stage: Stage) -> list[datetime]:
    """Karim has two visits on each day, at these times; Sofia is free then."""
    starts = [at(day, hour) for day in range(1, DAYS + 1) for hour in (8, 13)]
    for number, start in enumerate(starts):
        linked = UUID(int=2000 + number)
        fields = {"id": UUID(int=3000 + number), "uid": f"visit {number}", "intervention_id": linked}
        await stage.given(elsewhere(start, **fields, **ids(number)))
    await stage.given(hours(world.sofia))
    visits = [to_come(number, start) for number, start in enumerate(starts)]
    await stage.knows(technician(world.sofia, name="Sofia"), *visits)
    return starts


def asked(events: list[Event]) -> list[ConflictView]:
    return [one.state for one in events if isinstance(one, ConflictDetected)]


async def found_later(stage: Stage) -> list[ConflictView]:
    events = (await stage.passes(AT_THE_SAME_MOMENT)).events
    assert {type(one) for one in events} <= {ConflictChanged}
    return [one.state for one in events]


@contextmanager
def statements(stage: Stage) -> Iterator[list[str]]:
    """What is sent to the database meanwhile; many rows of one statement are sent as one."""
    sent: list[str] = []

    def note(*args: object) -> None:
        sent.append(str(args[2]))

    event.listen(stage.database.engine.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(stage.database.engine.sync_engine, "before_cursor_execute", note)


async def test_an_absence_over_many_visits_takes_no_more_statements_than_over_few(stage: Stage) -> None:
    await booked(stage)
    with statements(stage) as for_few:
        assert len(asked(await is_away(stage, at(1, 0), at(2, 23)))) == 4
    with statements(stage) as for_many:
        first, *rest = await is_away(stage, at(3, 0), at(DAYS, 23))
    assert isinstance(first, ConflictDetected)
    assert len(rest) == VISITS - 5
    assert len(for_many) < len(for_few) + 10
    assert len(first.others) + first.more == len(rest), "managers are told of all of them"
    assert len(first.others) == MOST_OTHERS, "a longer list would not fit into the event"


async def test_each_of_many_visits_has_other_times_in_the_end(stage: Stage) -> None:
    starts = await booked(stage)
    conflicts = asked(await is_away(stage, at(1, 0), at(DAYS, 23)))
    assert [one.wanted.start for one in conflicts] == starts
    at_once = [one for one in conflicts if one.ranked]
    assert [one.wanted.start for one in at_once] == starts[:AT_ONCE]
    later = await found_later(stage)
    assert {one.id for one in at_once} | {one.id for one in later} == {one.id for one in conflicts}
    for one in (*at_once, *later):
        first = one.ranked[0]
        assert (first.technician_id, first.start) == (world.sofia.id, one.wanted.start)
    assert await found_later(stage) == [], "once"


async def test_what_is_decided_meanwhile_is_left(stage: Stage) -> None:
    await booked(stage)
    await is_away(stage, at(1, 0), at(DAYS, 23))
    assert {type(one) for one in await is_back(stage)} == {ConflictBecameMoot}
    assert await found_later(stage) == []


async def test_of_many_visits_of_whoever_leaves_none_is_proposed_the_time_of_another_first(
    stage: Stage,
) -> None:
    many = AT_ONCE + 3
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia), *(to_come(number, None) for number in range(many)))
    left: Outcome = await leaves(stage)
    conflicts = {one.id: one for one in asked(left.events)}
    assert len(conflicts) == many
    later = {one.id: one for one in await found_later(stage)}
    assert len(later) == many - AT_ONCE
    firsts = [one.alternatives[0] for one in (conflicts | later).values()]
    assert len({one.start for one in firsts}) == many
    for one in later.values():
        assert (one.no_time_yet, one.wanted.start) == (True, one.alternatives[0].start)
