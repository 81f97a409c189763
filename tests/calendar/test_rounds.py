"""Which free times are better: preferred ones, and those on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_calendar import PARIS, RECLAMATION, at, elsewhere, hours, reclamation, technician, workday
from given_views import a

from sav_calendar.rounds import FAR, NEAR, SAME, Spot, Stop, detour, distance, suits
from sav_chassis.testing import Outcome, Stage
from sav_contracts.auth.policy import Buffers, PolicyView
from sav_contracts.calendar.appointment import HoldSlot
from sav_contracts.calendar.slots import FindFreeSlots
from sav_contracts.catalog.product import Place
from sav_contracts.claims.intake import PreferredDay, PreferredTime
from sav_contracts.claims.reclamation import ReclamationView

LYON, OTHER_LYON, VIENNE = Spot("FR", "69003"), Spot("FR", "69008"), Spot("FR", "38200")
PLACE = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")
EIGHT = datetime(2026, 3, 3, 8, tzinfo=UTC)


def stop(hour: int, spot: Spot | None) -> Stop:
    return EIGHT.replace(hour=hour), spot


def test_places_are_the_same_near_or_far() -> None:
    assert [distance(LYON, other) for other in (LYON, OTHER_LYON, VIENNE, None)] == [SAME, NEAR, FAR, NEAR]
    fort_de_france, pointe_a_pitre = Spot("FR", "97200"), Spot("FR", "97110")
    assert distance(fort_de_france, pointe_a_pitre) == FAR
    assert distance(LYON, Spot("BE", "69003")) == FAR


@pytest.mark.parametrize(
    ("day", "hour", "longer"),
    [
        ([], 8, 2),
        ([stop(8, LYON)], 10, 0),
        ([stop(8, OTHER_LYON)], 10, 1),
        ([stop(8, VIENNE)], 10, 2),
        ([stop(8, LYON), stop(14, LYON)], 10, 0),
        ([stop(8, VIENNE), stop(14, VIENNE)], 10, 4),
        ([stop(8, VIENNE), stop(14, LYON)], 10, 0),
        ([stop(14, LYON)], 8, 0),
    ],
)
def test_a_detour_is_what_a_visit_makes_the_way_of_the_day_longer(
    day: list[Stop], hour: int, longer: int
) -> None:
    assert detour(LYON, EIGHT.replace(hour=hour), day) == longer


@pytest.mark.parametrize(
    ("wished", "suiting"),
    [
        (PreferredTime(weekday="tue"), [8, 14, 19]),
        (PreferredTime(weekday="tue", part="morning"), [8]),
        (PreferredTime(weekday="tue", part="afternoon"), [14]),
        (PreferredTime(weekday="tue", part="evening"), [19]),
        (PreferredTime(on=EIGHT.date()), [8, 14, 19]),
        (PreferredTime(weekday="wed"), []),
        (PreferredTime(on=EIGHT.date() + timedelta(days=7)), []),
    ],
)
def test_a_time_suits_by_the_clock_at_the_place(wished: PreferredTime, suiting: list[int]) -> None:
    zone = ZoneInfo("Pacific/Noumea")
    day = EIGHT.date()
    starts = {hour: datetime(day.year, day.month, day.day, hour, tzinfo=zone) for hour in (8, 14, 19)}
    assert [hour for hour, start in starts.items() if suits(start.astimezone(UTC), [wished], zone)] == suiting


def asking(**fields: Any) -> FindFreeSlots:
    usual = {"reclamation_id": RECLAMATION, "from": at(1, 0), "to": at(3, 23)}
    return FindFreeSlots.model_validate(usual | fields)


def read(outcome: Outcome) -> list[tuple[datetime, bool, int]]:
    assert outcome.problem is None, outcome.problem
    return [
        (datetime.fromisoformat(item["start"]), item["preferred"], item["rank"])
        for item in outcome.reply["items"]
    ]


async def test_preferred_times_come_first_where_the_best_are_asked_for(stage: Stage) -> None:
    weekdays = get_args(PreferredDay)
    day: PreferredDay = weekdays[workday(2).weekday()]
    await stage.knows(reclamation(version=3, preferred_times=(PreferredTime(weekday=day, part="afternoon"),)))
    best = read(await stage.when(asking(order="best"), by=world.lea))
    assert [start for start, _, _ in best[:4]] == [at(2, 13), at(2, 14), at(2, 15), at(1, 8)]
    assert [(suits, rank) for _, suits, rank in best[:4]] == [(True, 1), (True, 2), (True, 3), (False, 4)]
    earliest = read(await stage.when(asking(), by=world.lea))
    assert [start for start, _, _ in earliest] == sorted(start for start, _, _ in best)
    assert sorted(earliest) == sorted(best)


async def test_a_day_is_a_round_trip(stage: Stage) -> None:
    """Karim is at the same postcode on the second day, and far away on the first one."""
    other = Place(address="1 rue Haute", postcode="38200", city="Vienne")
    await stage.given(
        elsewhere(at(1, 13)),
        elsewhere(at(2, 13), id=UUID(int=302), reclamation_id=UUID(int=102), uid="near"),
    )
    await stage.knows(
        reclamation(version=3, place=PLACE),
        a(ReclamationView, UUID(int=101), place=other),
        a(ReclamationView, UUID(int=102), place=PLACE),
    )
    best = [start for start, _, _ in read(await stage.when(asking(order="best"), by=world.marie))]
    assert {start.astimezone(PARIS).date() for start in best[:3]} == {workday(2)}
    assert best.index(at(1, 8)) > 2


async def test_two_hundred_of_the_best_are_enough(stage: Stage) -> None:
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia))
    wide = {"from": at(1, 0), "to": at(1, 0) + timedelta(weeks=6), "order": "best"}
    found = read(await stage.when(asking(**wide), by=world.lea))
    assert [rank for _, _, rank in found] == list(range(1, 201))


async def test_the_earliest_of_six_weeks_are_the_same_as_the_best_of_them(stage: Stage) -> None:
    """They are looked for week by week: none is lost or found twice where two weeks meet."""
    await stage.given(elsewhere(at(6, 13)))
    wide = {"from": at(1, 0), "to": at(1, 0) + timedelta(weeks=6)}
    earliest = read(await stage.when(asking(**wide), by=world.lea))
    best = read(await stage.when(asking(**wide, order="best"), by=world.lea))
    assert [start for start, _, _ in earliest] == sorted(start for start, _, _ in best)
    assert sorted(earliest) == sorted(best)
    assert earliest[-1][0] - earliest[0][0] > timedelta(weeks=5)


async def test_a_visit_takes_as_long_as_the_policy_says(stage: Stage) -> None:
    await stage.knows(a(PolicyView, Buffers.id(), name="buffers", value={"repair_minutes": 180}))
    found = (await stage.when(asking(), by=world.lea)).reply["items"]
    begin, end = (datetime.fromisoformat(found[0][name]) for name in ("start", "end"))
    assert end - begin == timedelta(hours=3)
    last = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(1, 10))
    refused = await stage.when(last, by=world.lea)
    assert refused.problem
    assert refused.problem.status == 422
    held = await stage.when(last.model_copy(update={"start": begin}), by=world.lea)
    assert held.reply["end"] == found[0]["end"]
