"""Who else could go, and when, where a technician takes no visits any more."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    PARIS,
    VISIT_ID,
    appointment,
    asked,
    at,
    hours,
    leaves,
    reclamation,
    slot,
    technician,
    visit,
    workday,
)

from sav_calendar.hours import VISIT, WEEKDAYS
from sav_chassis.testing import Stage
from sav_contracts.calendar.hours import Shift
from sav_contracts.catalog.product import Place

LYON = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")


@pytest.mark.parametrize("day", [2, 30], ids=["soon", "in six weeks"])
async def test_what_is_proposed_follows_the_wanted_time(stage: Stage, day: int) -> None:
    await stage.given(hours(world.sofia), appointment(at(day, 13), intervention_id=VISIT_ID))
    await stage.knows(technician(world.sofia), visit(slot=slot(day, 13)))
    found = asked(await leaves(stage)).alternatives
    assert [one.start for one in found] == [at(day, 13), at(day, 14), at(day, 15)]


async def test_where_nobody_is_free_after_the_wanted_time_the_nearest_before_it_are_proposed(
    stage: Stage,
) -> None:
    weeks: dict[str, Any] = {"technician_id": world.sofia.id, "end": at(4, 15) + timedelta(days=20)}
    busy = appointment(at(4, 15), id=UUID(int=302), uid="a third one", reclamation_id=UUID(int=102), **weeks)
    await stage.given(hours(world.sofia), busy, appointment(at(4, 15), intervention_id=VISIT_ID))
    await stage.knows(technician(world.sofia), visit(slot=slot(4, 15)))
    found = asked(await leaves(stage)).alternatives
    assert [one.start for one in found] == [at(4, 10), at(4, 9), at(4, 8)]


async def test_a_visit_without_a_time_is_proposed_for_the_day_that_its_client_prefers(stage: Stage) -> None:
    preferred = [{"on": workday(6)}, {"on": workday(5)}, {"on": "2026-03-02"}]
    await stage.given(hours(world.sofia))
    await stage.knows(
        technician(world.sofia), visit(), reclamation(version=3, place=LYON, preferred_times=preferred)
    )
    conflict = asked(await leaves(stage))
    assert [one.start for one in conflict.alternatives] == [at(5, hour) for hour in (8, 9, 10)]
    assert (conflict.no_time_yet, conflict.wanted) == (True, slot(5, 8))


async def test_a_preferred_weekday_is_the_next_one(stage: Stage) -> None:
    day = workday(3)
    preferred = [{"weekday": ("mon", "tue", "wed", "thu", "fri")[day.weekday()]}]
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia), visit(), reclamation(version=3, preferred_times=preferred))
    found = asked(await leaves(stage)).alternatives
    assert {one.start.astimezone(PARIS).weekday() for one in found} == {day.weekday()}


async def test_nobody_is_proposed_within_the_notice(stage: Stage) -> None:
    always = [Shift(day=day, start=time(0), end=time(23, 59)) for day in WEEKDAYS]
    await stage.given(hours(world.sofia, always))
    await stage.knows(technician(world.sofia), visit())
    first = min(one.start for one in asked(await leaves(stage)).alternatives)
    assert first >= datetime.now(UTC) + timedelta(hours=2) - timedelta(minutes=1)


async def test_where_nobody_else_is_there_the_time_is_one_in_working_hours(stage: Stage) -> None:
    await stage.knows(visit())
    conflict = asked(await leaves(stage))
    start, end = (moment.astimezone(PARIS) for moment in (conflict.wanted.start, conflict.wanted.end))
    assert conflict.alternatives == []
    assert (start.hour >= 8, end.hour <= 17, end - start) == (True, True, VISIT)
    assert conflict.wanted.start >= datetime.now(UTC) + timedelta(hours=2) - timedelta(minutes=1)
