"""Working hours."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
import world
from given_calendar import NOW, PARIS, technician
from pydantic import ValidationError

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.actor import Actor
from sav_contracts.calendar.hours import HoursChanged, SetHours, Shift
from sav_contracts.calendar.slots import FindFreeSlots
from sav_contracts.interventions.technician import TechnicianChanged
from sav_contracts.messages import View

MORNINGS = [Shift(day="mon", start=time(8), end=time(12)), Shift(day="sat", start=time(9), end=time(13))]


def setting(**fields: Any) -> SetHours:
    return SetHours.model_validate({"technician_id": world.karim.id, "shifts": MORNINGS} | fields)


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.problem
    assert outcome.problem.status == 422
    assert outcome.events == []
    return [error.field for error in outcome.problem.errors or []]


async def test_a_new_technician_works_at_the_usual_hours(stage: Stage) -> None:
    state = (await stage.hears(TechnicianChanged(state=technician(world.sofia)))).only(HoursChanged).state
    assert (state.id, state.technician_id) == (uuid5(world.sofia.id, "hours"), world.sofia.id)
    assert (state.zone, state.holidays) == ("Europe/Paris", "FR")
    assert [(shift.day, shift.start.hour, shift.end.hour) for shift in state.shifts] == [
        (day, *shift) for day in ("mon", "tue", "wed", "thu", "fri") for shift in ((8, 12), (13, 17))
    ]


async def test_a_changed_card_leaves_the_hours_as_they_are(stage: Stage) -> None:
    told = enveloped(TechnicianChanged(state=technician(world.karim, name="Karim B.")))
    assert (await stage.hears(told)).events == []
    assert await stage.outcome_of(told, "start_with_usual_hours") == "they have hours already"


@pytest.mark.parametrize("who", [world.karim, world.marie, world.alex], ids=lambda who: who.role)
async def test_the_technician_or_a_manager_sets_all_hours(stage: Stage, who: Actor) -> None:
    outcome = await stage.when(setting(zone="Africa/Tunis", holidays="TN"), by=who)
    state = outcome.only(HoursChanged).state
    assert state.shifts == MORNINGS
    assert (state.zone, state.holidays, state.version) == ("Africa/Tunis", "TN", 2)
    assert outcome.reply["shifts"][0] == {"day": "mon", "start": "08:00:00", "end": "12:00:00"}


async def test_a_shift_may_end_at_midnight(stage: Stage) -> None:
    late = {"day": "sat", "start": "20:00", "end": "00:00"}
    outcome = await stage.when(setting(shifts=[late]), by=world.karim)
    assert outcome.reply["shifts"] == [{"day": "sat", "start": "20:00:00", "end": "00:00:00"}]
    free = await stage.when(FindFreeSlots(technician_id=world.karim.id), by=world.karim)
    starts = [datetime.fromisoformat(one["start"]).astimezone(PARIS) for one in free.reply["items"]]
    assert {(at.weekday(), at.hour) for at in starts} == {(5, 20), (5, 21), (5, 22)}
    twice = [late, {"day": "sat", "start": "23:00", "end": "23:30"}]
    assert wrong(await stage.when(setting(shifts=twice), by=world.karim)) == ["shifts"]


@pytest.mark.parametrize(("start", "end"), [("24:00", "08:00"), ("08:00", "24:01"), ("08:00", "07:00")])
def test_what_is_no_shift_is_refused(start: str, end: str) -> None:
    with pytest.raises(ValidationError):
        Shift.model_validate({"day": "sat", "start": start, "end": end})


async def test_hours_can_be_set_before_the_usual_ones_are_there(stage: Stage) -> None:
    await stage.knows(technician(world.sofia))
    first = await stage.when(setting(technician_id=world.sofia.id), by=world.sofia)
    assert first.only(HoursChanged).state.version == 1
    assert (await stage.hears(TechnicianChanged(state=technician(world.sofia)))).events == []


async def test_without_shifts_there_is_no_free_time(stage: Stage) -> None:
    await stage.when(setting(shifts=[]), by=world.karim)
    theirs = FindFreeSlots(technician_id=world.karim.id)
    assert (await stage.when(theirs, by=world.karim)).reply == {"items": []}


async def test_nobody_sets_somebody_elses_hours(stage: Stage) -> None:
    await stage.knows(technician(world.sofia))
    for who, refused in ((world.sofia, (404, "not_found")), (world.lea, (403, "not_allowed"))):
        outcome = await stage.when(setting(), by=who)
        assert outcome.problem
        assert (outcome.problem.status, outcome.problem.code) == refused
        assert outcome.events == []


async def test_wrong_hours_are_refused_by_their_field(stage: Stage) -> None:
    overlapping = [*MORNINGS, Shift(day="mon", start=time(11), end=time(14))]
    assert wrong(await stage.when(setting(shifts=overlapping), by=world.karim)) == ["shifts"]
    unknown = setting(technician_id=UUID(int=999))
    assert wrong(await stage.when(unknown, by=world.marie)) == ["technician_id"]


async def test_hours_are_nothing_for_clients(stage: Stage) -> None:
    state: View = (await stage.when(setting(), by=world.karim)).only(HoursChanged).state
    assert state.for_client() is None
    assert state.created_at > NOW


def in_days(number: int) -> date:
    return datetime.now(PARIS).date() + timedelta(days=number)


@pytest.mark.parametrize("who", [world.karim, world.marie, world.alex], ids=lambda who: who.role)
async def test_hours_hold_from_a_day_on_and_those_of_now_until_then(stage: Stage, who: Actor) -> None:
    outcome = await stage.when(setting(holidays="FR-67", effective_from=in_days(10)), by=who)
    state = outcome.only(HoursChanged).state
    assert (len(state.shifts), state.holidays, state.effective_from) == (10, "FR", None)
    [planned] = state.planned
    assert (planned.effective_from, planned.holidays, planned.shifts) == (in_days(10), "FR-67", MORNINGS)
    begun = (await stage.passes(timedelta(days=11))).only(HoursChanged).state
    assert (begun.shifts, begun.holidays, begun.planned) == (MORNINGS, "FR-67", [])
    assert begun.effective_from == in_days(10)
    assert "begin_planned_hours" not in {one.function for one in await stage.waiting()}


async def test_a_later_change_replaces_what_was_planned_after_it(stage: Stage) -> None:
    for number in (30, 10, 20, 15):
        await stage.when(setting(effective_from=in_days(number)), by=world.karim)
    state = (
        (await stage.when(setting(effective_from=in_days(20), shifts=[]), by=world.karim))
        .only(HoursChanged)
        .state
    )
    assert [(one.effective_from, len(one.shifts)) for one in state.planned] == [
        *((in_days(number), 2) for number in (10, 15)),
        (in_days(20), 0),
    ]
    [timer] = [one for one in await stage.waiting() if one.function == "begin_planned_hours"]
    assert timer.due.astimezone(PARIS) == datetime.combine(in_days(10), time(), PARIS)
    today = (await stage.when(setting(), by=world.karim)).only(HoursChanged).state
    assert (today.shifts, today.planned, today.effective_from) == (MORNINGS, [], in_days(0))
    assert "begin_planned_hours" not in {one.function for one in await stage.waiting()}


async def test_each_change_begins_in_its_turn(stage: Stage) -> None:
    await stage.when(setting(effective_from=in_days(2)), by=world.karim)
    await stage.when(setting(effective_from=in_days(4), shifts=[]), by=world.karim)
    first, second = (await stage.passes(timedelta(days=5))).events
    assert [type(event) for event in (first, second)] == [HoursChanged] * 2
    assert (first.state.shifts, second.state.shifts) == (MORNINGS, [])


async def test_the_first_hours_of_somebody_may_begin_later(stage: Stage) -> None:
    await stage.knows(technician(world.sofia))
    later = setting(technician_id=world.sofia.id, effective_from=in_days(10))
    state = (await stage.when(later, by=world.sofia)).only(HoursChanged).state
    assert (len(state.shifts), len(state.planned)) == (10, 1)


async def test_hours_begin_today_at_the_earliest_and_within_a_year(stage: Stage) -> None:
    for number in (-1, 367):
        assert wrong(await stage.when(setting(effective_from=in_days(number)), by=world.karim)) == [
            "effective_from"
        ]


async def test_two_dozen_changes_are_planned_at_most(stage: Stage) -> None:
    for number in range(1, 25):
        assert (
            await stage.when(setting(effective_from=in_days(number), shifts=[]), by=world.karim)
        ).problem is None
    one_more = setting(effective_from=in_days(30))
    assert wrong(await stage.when(one_more, by=world.karim)) == ["effective_from"]
    instead = setting(effective_from=in_days(24))
    assert (await stage.when(instead, by=world.karim)).problem is None
