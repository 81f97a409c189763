"""What is proposed where the wanted time of a visit cannot be booked."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import world
from given_calendar import PARIS, at, elsewhere, hours, planned, slot

from sav_chassis.testing import Stage
from sav_contracts.calendar.conflict import ConflictDetected
from sav_contracts.slot import Slot

HOUR = timedelta(hours=1)


async def proposed(stage: Stage, wanted: Slot) -> list[Slot]:
    return (await stage.hears(planned(wanted))).only(ConflictDetected).state.proposals


def clock(slots: list[Slot]) -> list[tuple[datetime, datetime]]:
    return [(one.start, one.end) for one in slots]


async def test_what_is_proposed_follows_the_wanted_time_and_is_as_long(stage: Stage) -> None:
    await stage.given(elsewhere(at(5, 15)))
    found = await proposed(stage, Slot(start=at(5, 16), end=at(5, 17)))
    # With half an hour on the way nothing else fits into that afternoon.
    expected = [at(6, 8), at(6, 9), at(6, 10)]
    assert clock(found) == [(start, start + HOUR) for start in expected]


async def test_proposals_do_not_overlap_each_other(stage: Stage) -> None:
    await stage.given(elsewhere(at(2, 8)))
    found = await proposed(stage, slot(2, 8))
    assert [one.start for one in found] == [at(2, 13), at(2, 15), at(3, 8)]
    assert all(one.end <= other.start for one, other in pairwise(found))


async def test_where_nothing_is_free_afterwards_the_nearest_times_before_are_proposed(stage: Stage) -> None:
    await stage.given(
        elsewhere(at(4, 15)),
        elsewhere(
            at(4, 17, 30),
            id=UUID(int=302),
            uid="a third one",
            reclamation_id=UUID(int=102),
            end=at(4, 17) + timedelta(days=20),
        ),
    )
    found = await proposed(stage, Slot(start=at(4, 15), end=at(4, 16)))
    assert clock(found) == [(start, start + HOUR) for start in (at(4, 13), at(4, 11), at(4, 10))]


async def test_nothing_is_proposed_within_the_notice(stage: Stage) -> None:
    """The wanted time is over: what follows begins after the notice at the earliest."""
    now = datetime.now(UTC)
    await stage.given(elsewhere(now - 2 * HOUR, end=now + HOUR))
    found = await proposed(stage, Slot(start=now - HOUR, end=now))
    assert len(found) == 3
    assert all(one.start >= now + 2 * HOUR for one in found)
    assert all(one.end - one.start == HOUR for one in found)


async def test_what_is_longer_than_any_shift_goes_on_over_the_break(stage: Stage) -> None:
    await stage.given(elsewhere(at(2, 8)))
    found = await proposed(stage, Slot(start=at(2, 9), end=at(2, 16)))
    assert clock(found) == [(at(day, 8), at(day, 15)) for day in (3, 4, 5)]


async def test_what_fits_into_no_day_is_proposed_as_long_as_visits_usually_are(stage: Stage) -> None:
    await stage.given(hours(world.sofia))
    found = await proposed(stage, Slot(start=at(2, 12), end=at(2, 22)))
    assert [one.end - one.start for one in found] == [2 * HOUR] * 3
    assert found[0].start.astimezone(PARIS).hour == 13
