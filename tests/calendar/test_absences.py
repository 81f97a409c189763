"""Absences, and what they and new hours would break."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    PARIS,
    RECLAMATION,
    appointment,
    at,
    elsewhere,
    planned,
    slot,
    technician,
    visit,
    workday,
)

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.calendar.absence import (
    AbsenceAdded,
    AbsenceRemoved,
    AddAbsence,
    PreviewAbsence,
    RemoveAbsence,
)
from sav_contracts.calendar.appointment import HoldSlot
from sav_contracts.calendar.conflict import ConflictDetected
from sav_contracts.calendar.hours import PreviewHours, SetHours, Shift
from sav_contracts.calendar.slots import FindFreeSlots
from sav_contracts.messages import View

STAFF = pytest.mark.parametrize("who", [world.karim, world.marie, world.alex], ids=lambda who: who.role)


def away(**fields: Any) -> AddAbsence:
    """Karim is away on the first day of work to come."""
    usual = {"technician_id": world.karim.id, "first_day": workday(1), "cause": "leave"}
    return AddAbsence.model_validate(usual | fields)


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def wrong(outcome: Outcome) -> list[str]:
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]


@STAFF
async def test_the_same_absence_repeated_is_recorded_once(stage: Stage, who: Actor) -> None:
    first = await stage.when(away(), by=who)
    again = await stage.when(away(note="deux fois"), by=who)
    assert (again.problem, again.events) == (None, [])
    assert again.reply["id"] == first.reply["id"]
    same = (await stage.when(away(), by=world.marie)).reply
    times = away(first_day=None, start=same["start"], end=same["end"])
    assert (await stage.when(times, by=who)).reply["id"] == same["id"], "the same days, written as times"


@pytest.mark.parametrize("other", [{"cause": "sick"}, {"last_day": workday(2)}])
async def test_another_absence_is_recorded_too(stage: Stage, other: dict[str, Any]) -> None:
    first = await stage.when(away(), by=world.marie)
    (await stage.when(away(**other), by=world.marie)).only(AbsenceAdded)
    removed = RemoveAbsence(technician_id=world.karim.id, absence_id=UUID(first.reply["id"]))
    await stage.when(removed, by=world.marie)
    (await stage.when(away(), by=world.marie)).only(AbsenceAdded)


async def times(stage: Stage, number: int = 1) -> list[str]:
    period = {"from": at(number, 0), "to": at(number, 23)}
    query = FindFreeSlots.model_validate({"reclamation_id": RECLAMATION} | period)
    found = (await stage.when(query, by=world.lea)).reply["items"]
    return [f"{datetime.fromisoformat(item['start']).astimezone(PARIS):%H:%M}" for item in found]


@STAFF
async def test_whole_days_are_days_where_the_technician_works(stage: Stage, who: Actor) -> None:
    outcome = await stage.when(away(last_day=workday(2), cause="sick", note="grippe"), by=who)
    told: View = outcome.only(AbsenceAdded).state
    assert told.for_client() is None
    state = outcome.only(AbsenceAdded).state
    after = datetime.combine(workday(2) + timedelta(days=1), time(), PARIS)
    assert (state.start, state.end) == (at(1, 0), after.astimezone(UTC))
    assert (state.cause, state.note, state.status) == ("sick", "grippe", "planned")
    assert await times(stage) == await times(stage, 2) == []
    assert await times(stage, 3) == ["08:00", "09:00", "10:00", "13:00", "14:00", "15:00"]


async def test_a_part_of_a_day(stage: Stage) -> None:
    wanted = away(first_day=None, start=at(1, 9, 30), end=at(1, 13, 1))
    (await stage.when(wanted, by=world.karim)).only(AbsenceAdded)
    assert await times(stage) == ["14:00", "15:00"]


@STAFF
async def test_whoever_is_there_after_all_has_their_times_again(stage: Stage, who: Actor) -> None:
    state = (await stage.when(away(), by=world.marie)).only(AbsenceAdded).state
    removing = RemoveAbsence(technician_id=world.karim.id, absence_id=state.id)
    assert (await stage.when(removing, by=who)).only(AbsenceRemoved).state.status == "removed"
    assert len(await times(stage)) == 6
    assert refusal(await stage.when(removing, by=who)) == (409, "illegal_move")


async def test_nobody_sees_or_changes_somebody_elses(stage: Stage) -> None:
    await stage.knows(technician(world.sofia))
    state = (await stage.when(away(), by=world.karim)).only(AbsenceAdded).state
    removing = RemoveAbsence(technician_id=world.karim.id, absence_id=state.id)
    through_another = RemoveAbsence(technician_id=world.sofia.id, absence_id=state.id)
    for asked in (away(), removing, PreviewAbsence(technician_id=world.karim.id, first_day=workday(1))):
        assert refusal(await stage.when(asked, by=world.sofia)) == (404, "not_found")
        assert refusal(await stage.when(asked, by=world.lea)) == (403, "not_allowed")
    assert refusal(await stage.when(through_another, by=world.marie)) == (404, "not_found")


async def test_what_cannot_be_is_named(stage: Stage) -> None:
    past, far = date(2026, 1, 5), datetime.now(PARIS).date() + timedelta(days=400)
    assert wrong(await stage.when(away(first_day=past), by=world.marie)) == ["first_day"]
    assert wrong(await stage.when(away(first_day=far), by=world.marie)) == ["first_day"]
    for fields, field in (
        ({"first_day": None}, "start"),
        ({"start": at(1, 8), "end": at(1, 9)}, "start"),
        ({"last_day": workday(1) - timedelta(days=1)}, "last_day"),
        ({"first_day": None, "start": at(1, 9), "end": at(1, 9)}, "end"),
    ):
        with pytest.raises(ValueError, match=r"absence|say when") as refused:
            away(**fields)
        assert refused.value.errors()[0]["ctx"]["field"] == field  # type: ignore[attr-defined]


async def test_nothing_is_booked_in_an_absence_unless_a_manager_says_so(stage: Stage) -> None:
    await stage.when(away(), by=world.karim)
    wanted = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(1, 8))
    assert wrong(await stage.when(wanted, by=world.lea)) == ["start"]
    assert wrong(await stage.when(wanted, by=world.marie)) == ["start"]
    on_purpose = wanted.model_copy(update={"outside_hours": True})
    assert (await stage.when(on_purpose, by=world.marie)).problem is None


async def test_a_visit_that_is_planned_in_one_becomes_a_conflict(stage: Stage) -> None:
    await stage.when(away(), by=world.karim)
    conflict = (await stage.hears(planned(slot(1, 8)))).only(ConflictDetected).state
    assert conflict.problem == "absence"
    assert conflict.proposals
    assert all(one.start >= at(2, 0) for one in conflict.proposals)


async def test_a_hold_and_an_absence_at_the_same_moment_see_each_other(stage: Stage) -> None:
    """Both take the technician's lock: the second one waits, and finds what the first one did. Nobody keeps a hold."""
    holding = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(1, 8))
    held, gone = await asyncio.gather(stage.when(holding, by=world.lea), stage.when(away(), by=world.karim))
    assert gone.problem is None
    assert held.problem is None or held.problem.status == 422
    assert await stage.database.pool.fetch("SELECT id FROM appointment WHERE status = 'held'") == []


@STAFF
async def test_what_an_absence_would_break_is_said_before(stage: Stage, who: Actor) -> None:
    await stage.given(appointment(at(1, 8)), elsewhere(at(2, 8)))
    await stage.knows(visit())
    one_day = PreviewAbsence(technician_id=world.karim.id, first_day=workday(1))
    outcome = await stage.when(one_day, by=who)
    assert outcome.events == []
    [item] = outcome.reply["items"]
    assert (item["reclamation_id"], item["reclamation_reference"]) == (str(RECLAMATION), "REC-2026-000100")
    both = one_day.model_copy(update={"last_day": workday(2)})
    assert (await stage.when(both, by=who)).reply["total"] == 2
    before = PreviewAbsence(technician_id=world.karim.id, start=at(1, 6), end=at(1, 8))
    assert (await stage.when(before, by=who)).reply == {"items": [], "total": 0}


@STAFF
async def test_what_new_hours_would_break_is_said_before(stage: Stage, who: Actor) -> None:
    on_purpose = elsewhere(at(2, 20), id=UUID(int=303), reclamation_id=UUID(int=103), uid="late")
    over = elsewhere(at(2, 8), id=UUID(int=304), reclamation_id=UUID(int=104), uid="over", status="done")
    await stage.given(appointment(at(1, 8)), elsewhere(at(3, 14)), on_purpose, over)
    afternoons = [Shift(day=day, start=time(13), end=time(17)) for day in ("mon", "tue", "wed", "thu", "fri")]
    wanted = {"technician_id": world.karim.id, "shifts": afternoons}
    outcome = await stage.when(PreviewHours.model_validate(wanted), by=who)
    assert [item["start"] for item in outcome.reply["items"]] == [at(1, 8).isoformat().replace("+00:00", "Z")]
    later = PreviewHours.model_validate(wanted | {"effective_from": workday(2)})
    assert (await stage.when(later, by=who)).reply["items"] == []
    overlapping = [*afternoons, Shift(day="mon", start=time(16), end=time(18))]
    assert wrong(await stage.when(PreviewHours.model_validate(wanted | {"shifts": overlapping}), by=who)) == [
        "shifts"
    ]
    kept = SetHours.model_validate(wanted)
    assert (await stage.when(kept, by=who)).problem is None
