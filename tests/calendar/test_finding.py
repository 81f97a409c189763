"""Free times: for a réclamation, or of one technician."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
import world
from given_calendar import (
    PARIS,
    RECLAMATION,
    appointment,
    at,
    elsewhere,
    hours,
    reclamation,
    technician,
    workday,
)

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.calendar.slots import FindFreeSlots
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import ReclamationStatus
from sav_contracts.claims.visits import NOT_PLANNABLE

PLANNABLE = sorted(set(get_args(ReclamationStatus)) - set(NOT_PLANNABLE))


def on(number: int, **fields: Any) -> FindFreeSlots:
    """For Léa's réclamation, on one day."""
    usual = {"reclamation_id": RECLAMATION, "from": at(number, 0), "to": at(number, 23)}
    return FindFreeSlots.model_validate(usual | fields)


def found(outcome: Outcome) -> list[str]:
    assert outcome.problem is None, outcome.problem
    return [
        f"{datetime.fromisoformat(item['start']).astimezone(PARIS):%H:%M}" for item in outcome.reply["items"]
    ]


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem
    return outcome.problem.status, outcome.problem.code


def wrong(outcome: Outcome) -> list[str]:
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=lambda who: who.role)
async def test_a_reclamation_without_technician_could_go_to_all_who_are_active(
    stage: Stage, who: Actor
) -> None:
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia))
    outcome = await stage.when(on(1), by=who)
    assert found(outcome) == [f"{hour:02}:00" for hour in (8, 8, 9, 9, 10, 10, 13, 13, 14, 14, 15, 15)]
    technicians = [UUID(item["technician_id"]) for item in outcome.reply["items"]]
    assert technicians == [world.karim.id, world.sofia.id] * 6
    assert outcome.events == []


async def test_a_reclamation_with_a_technician_is_theirs(stage: Stage) -> None:
    await stage.given(hours(world.sofia))
    await stage.knows(
        technician(world.sofia), reclamation(version=3, status="assigned", technician_id=world.sofia.id)
    )
    for who in (world.lea, world.sofia, world.marie):
        outcome = await stage.when(on(1), by=who)
        assert {item["technician_id"] for item in outcome.reply["items"]} == {str(world.sofia.id)}
    other = await stage.when(on(1, technician_id=world.karim.id), by=world.lea)
    assert refusal(other) == (409, "another_technician")


async def test_one_of_several_technicians_can_be_asked_for(stage: Stage) -> None:
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia))
    outcome = await stage.when(on(1, technician_id=world.sofia.id), by=world.lea)
    assert {item["technician_id"] for item in outcome.reply["items"]} == {str(world.sofia.id)}


async def test_somebody_elses_reclamation_does_not_exist(stage: Stage) -> None:
    await stage.knows(reclamation(version=3, status="assigned", technician_id=world.karim.id))
    for who in (world.paul, world.sofia):
        assert refusal(await stage.when(on(1), by=who)) == (404, "not_found")


async def test_a_reclamation_that_nobody_knows_is_told_like_somebody_elses(stage: Stage) -> None:
    for who in (world.lea, world.sofia):
        nobodys = await stage.when(on(1, reclamation_id=UUID(int=999)), by=who)
        assert refusal(nobodys) == (404, "not_found")


async def test_a_reclamation_that_nobody_knows_is_a_wrong_field(stage: Stage) -> None:
    assert wrong(await stage.when(on(1, reclamation_id=UUID(int=999)), by=world.marie)) == ["reclamation_id"]


@pytest.mark.parametrize("status", sorted(NOT_PLANNABLE))
async def test_what_is_not_plannable_has_no_free_times_and_the_reason(
    stage: Stage, status: ReclamationStatus
) -> None:
    await stage.knows(reclamation(version=3, status=status))
    outcome = await stage.when(on(1), by=world.lea)
    assert refusal(outcome) == (409, "not_plannable")
    assert outcome.problem
    assert NOT_PLANNABLE[status].en in outcome.problem.detail


@pytest.mark.parametrize("status", PLANNABLE)
async def test_what_is_under_way_is_plannable(stage: Stage, status: ReclamationStatus) -> None:
    await stage.knows(reclamation(version=3, status=status))
    assert found(await stage.when(on(1), by=world.lea))


async def test_a_technician_without_visits_at_present_has_no_free_times(stage: Stage) -> None:
    await stage.knows(technician(world.karim, version=2, active=False))
    assert found(await stage.when(on(1), by=world.lea)) == []
    theirs = on(1, reclamation_id=None, technician_id=world.karim.id)
    assert found(await stage.when(theirs, by=world.marie)) == []


async def test_only_who_can_do_the_work_has_free_times_for_it(stage: Stage) -> None:
    await stage.knows(
        reclamation(version=3, skills_needed=("heating", "gas")),
        technician(world.karim, version=2, skills=["heating"]),
    )
    assert found(await stage.when(on(1), by=world.lea)) == []
    assert found(await stage.when(on(1), by=world.marie)) == []
    await stage.knows(technician(world.karim, version=3, skills=["gas", "heating"]))
    assert found(await stage.when(on(1), by=world.lea))


async def test_a_client_is_shown_the_times_of_those_who_work_there(stage: Stage) -> None:
    lyon = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")
    await stage.knows(reclamation(version=3, place=lyon), technician(world.karim, version=2, zone=["13"]))
    assert found(await stage.when(on(1), by=world.lea)) == []
    assert found(await stage.when(on(1), by=world.marie))
    theirs = reclamation(version=4, place=lyon, technician_id=world.karim.id, status="assigned")
    await stage.knows(theirs)
    assert found(await stage.when(on(1), by=world.lea)), "they have it already"


async def test_visits_take_their_time_and_the_way_before_and_after(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 13, 30)))
    assert found(await stage.when(on(1), by=world.lea)) == ["08:00", "09:00", "10:00"]
    await stage.given(elsewhere(at(1, 7, 29), id=UUID(int=302), reclamation_id=UUID(int=102), uid="early",
                                end=at(1, 8, 30)))  # fmt: skip
    assert found(await stage.when(on(1), by=world.lea)) == ["09:00", "10:00"]


@pytest.mark.parametrize(
    ("status", "free"),
    [("held", 5), ("booked", 5), ("expired", 6), ("cancelled", 6), ("no_show", 6), ("done", 6)],
)
async def test_only_what_is_held_or_booked_takes_time(stage: Stage, status: str, free: int) -> None:
    await stage.given(elsewhere(at(1, 17), status=status))
    assert len(found(await stage.when(on(1), by=world.lea))) == free


async def test_a_client_gets_two_hours_notice_and_staff_none(stage: Stage) -> None:
    await stage.passes(at(1, 8, 1))
    assert found(await stage.when(on(1), by=world.lea)) == ["13:00", "14:00", "15:00"]
    assert found(await stage.when(on(1), by=world.marie)) == ["09:00", "10:00", "13:00", "14:00", "15:00"]


async def test_nothing_is_free_in_the_past(stage: Stage) -> None:
    past = {"from": datetime(2020, 1, 1, tzinfo=UTC), "to": datetime(2020, 1, 8, tzinfo=UTC)}
    assert found(await stage.when(on(1, **past), by=world.marie)) == []
    since_long = {"from": datetime(1900, 1, 1, tzinfo=UTC), "to": at(1, 9)}
    first = await stage.when(on(1, **since_long), by=world.marie)
    assert all(datetime.fromisoformat(item["start"]) > datetime.now(UTC) for item in first.reply["items"])
    assert "08:00" in found(first)


async def test_without_a_period_it_is_the_next_two_weeks(stage: Stage) -> None:
    outcome = await stage.when(FindFreeSlots(reclamation_id=RECLAMATION), by=world.lea)
    begins = [datetime.fromisoformat(item["start"]) for item in outcome.reply["items"]]
    assert begins == sorted(begins)
    assert timedelta(days=9) < begins[-1] - datetime.now(UTC) < timedelta(weeks=2)


async def test_a_period_lasts_six_weeks_at_most_and_ends_after_it_starts(stage: Stage) -> None:
    start = datetime.combine(workday(1), datetime.min.time(), PARIS)
    longest = {"from": start, "to": start + timedelta(weeks=6)}
    assert found(await stage.when(on(1, **longest), by=world.lea))
    longer = {"from": start, "to": start + timedelta(weeks=6, seconds=1)}
    assert wrong(await stage.when(on(1, **longer), by=world.lea)) == ["to"]
    assert wrong(await stage.when(on(1, **{"from": start, "to": start}), by=world.lea)) == ["to"]
    never = {"from": datetime(2200, 12, 31, 23, tzinfo=UTC), "to": None}
    assert wrong(await stage.when(on(1, **never), by=world.lea)) == ["from"]


async def test_two_hundred_times_are_enough(stage: Stage) -> None:
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia))
    long = {"from": at(1, 0), "to": at(1, 0) + timedelta(weeks=6)}
    assert len(found(await stage.when(on(1, **long), by=world.lea))) == 200


@pytest.mark.parametrize("who", [world.karim, world.marie, world.alex], ids=lambda who: who.role)
async def test_the_technician_and_managers_ask_for_one_technicians_times(stage: Stage, who: Actor) -> None:
    theirs = on(1, reclamation_id=None, technician_id=world.karim.id)
    assert len(found(await stage.when(theirs, by=who))) == 6


async def test_others_do_not_ask_for_one_technicians_times(stage: Stage) -> None:
    theirs = on(1, reclamation_id=None, technician_id=world.karim.id)
    assert refusal(await stage.when(theirs, by=world.sofia)) == (404, "not_found")
    assert refusal(await stage.when(theirs, by=world.lea)) == (403, "not_allowed")
    assert refusal(await stage.when(theirs)) == (401, "not_signed_in")
    nobody = on(1, reclamation_id=None, technician_id=UUID(int=999))
    assert wrong(await stage.when(nobody, by=world.marie)) == ["technician_id"]


async def test_the_clock_of_the_technicians_own_zone_counts(stage: Stage) -> None:
    await stage.given(hours(world.sofia, zone="America/Martinique"))
    await stage.knows(technician(world.sofia))
    theirs = on(1, reclamation_id=None, technician_id=world.sofia.id)
    first = (await stage.when(theirs, by=world.sofia)).reply["items"][0]["start"]
    assert datetime.fromisoformat(first).astimezone(UTC).hour == 12


async def test_what_was_booked_shows_no_more(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8)))
    assert found(await stage.when(on(1), by=world.lea)) == ["13:00", "14:00", "15:00"]
