"""Working time, beside a walk through every minute that shares nothing with it."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sav_claims.working_time import Span, WorkingTime
from sav_contracts.auth.policy import SlaTargets
from sav_contracts.calendar.hours import Shift

MINUTE = timedelta(minutes=1)
FIRST, YEARS = datetime(2024, 1, 1, tzinfo=UTC), 5
# One works at night, when the clocks change; one on Sundays; one beside the date line; one where Ramadan moves clocks.
FIRMS = {
    "office": SlaTargets(),
    "night": SlaTargets(
        openings=tuple(
            Shift(day=day, start=time(1, 30), end=time(4, 45)) for day in ("mon", "wed", "sat", "sun")
        )
    ),
    "always": SlaTargets(
        openings=tuple(
            Shift(day=day, start=time(0, 0), end=time(0, 0))
            for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        ),
        holidays="FR-57",
    ),
    "far": SlaTargets(zone="Pacific/Auckland", holidays="NZ"),
    "west": SlaTargets(zone="Pacific/Tahiti"),
    "ramadan": SlaTargets(
        zone="Africa/Casablanca",
        holidays="MA",
        openings=(
            Shift(day="sun", start=time(2, 0), end=time(3, 30)),
            Shift(day="sun", start=time(0, 15), end=time(2, 0)),
            Shift(day="tue", start=time(9, 0), end=time(17, 0)),
        ),
    ),
}


class Walk:
    """The minutes of five years, and of each whether the firm works: by the clock on the wall alone."""

    def __init__(self, targets: SlaTargets) -> None:
        zone = ZoneInfo(targets.zone)
        country, _, region = targets.holidays.partition("-")
        free = holidays.country_holidays(country, subdiv=region or None)
        names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        self.works = bytearray()
        at, end = FIRST, FIRST.replace(year=FIRST.year + YEARS)
        while at < end:
            # Clocks change at a quarter of an hour, so that its minutes are of one day and follow each other.
            wall = at.astimezone(zone)
            first = wall.hour * 60 + wall.minute
            opened = [
                (one.start.hour * 60 + one.start.minute, one.end.hour * 60 + one.end.minute or 24 * 60)
                for one in targets.openings
                if one.day == names[wall.weekday()] and wall.date() not in free
            ]
            self.works += bytes(
                any(start <= minute < end for start, end in opened) for minute in range(first, first + 15)
            )
            at += 15 * MINUTE

    def after(self, start: datetime, minutes: int, paused: list[Span]) -> datetime | None:
        """The end of the minute in which the last one of these is used."""
        place = (start - FIRST) // MINUTE
        while minutes and place < len(self.works):
            at = FIRST + place * MINUTE
            if self.works[place] and not any(since <= at < until for since, until in paused):
                minutes -= 1
            place += 1
        return None if minutes else FIRST + place * MINUTE

    def between(self, start: datetime, end: datetime) -> int:
        return sum(self.works[(start - FIRST) // MINUTE : max(0, (end - FIRST) // MINUTE)])


@pytest.fixture(scope="module")
def walks() -> dict[str, Walk]:
    return {name: Walk(targets) for name, targets in FIRMS.items()}


@pytest.fixture(scope="module")
def working() -> dict[str, WorkingTime]:
    return {name: WorkingTime(targets) for name, targets in FIRMS.items()}


MINUTES = st.integers(0, YEARS * 365 * 24 * 60 - 1)
MOMENTS = MINUTES.map(lambda minutes: FIRST + minutes * MINUTE)


@given(
    firm=st.sampled_from(sorted(FIRMS)),
    start=MOMENTS,
    minutes=st.integers(1, 5000),
    pauses=st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 20_000)), max_size=3),
)
@settings(max_examples=400, deadline=None)
def test_a_deadline_is_where_the_walk_through_every_minute_ends(
    walks: dict[str, Walk],
    working: dict[str, WorkingTime],
    firm: str,
    start: datetime,
    minutes: int,
    pauses: list[tuple[int, int]],
) -> None:
    paused = [(start + since * MINUTE, start + (since + length) * MINUTE) for since, length in pauses]
    if (expected := walks[firm].after(start, minutes, paused)) is not None:
        assert working[firm].after(start, minutes * MINUTE, paused) == expected


@given(firm=st.sampled_from(sorted(FIRMS)), start=MOMENTS, end=MOMENTS)
@settings(max_examples=200, deadline=None)
def test_the_working_time_between_two_moments_is_that_of_the_walk(
    walks: dict[str, Walk], working: dict[str, WorkingTime], firm: str, start: datetime, end: datetime
) -> None:
    assert working[firm].between(start, end) == walks[firm].between(start, end) * MINUTE


@pytest.mark.parametrize("firm", FIRMS)
def test_every_day_of_five_years_has_the_minutes_of_the_walk(
    walks: dict[str, Walk], working: dict[str, WorkingTime], firm: str
) -> None:
    for number in range(YEARS * 365):
        start = FIRST + timedelta(days=number)
        end = start + timedelta(days=1)
        assert working[firm].between(start, end) == walks[firm].between(start, end) * MINUTE, start


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        # Christmas 2026 is a Friday.
        ("2026-12-24T16:00:00+01:00", 2, "2026-12-28T09:00:00+01:00"),
        # Over the night in which the clocks go forward, and the one in which they go back.
        ("2026-03-27T16:30:00+01:00", 1, "2026-03-30T08:30:00+02:00"),
        ("2026-10-23T16:30:00+02:00", 1, "2026-10-26T08:30:00+01:00"),
        # The end of an opening is in time; nobody has to come back for the first second of the next one.
        ("2026-03-02T09:00:00+01:00", 3, "2026-03-02T12:00:00+01:00"),
        ("2026-03-02T12:30:00+01:00", 4, "2026-03-02T17:00:00+01:00"),
    ],
)
def test_deadlines_that_people_can_check(start: str, hours: int, end: str) -> None:
    assert WorkingTime(SlaTargets()).after(at(start), timedelta(hours=hours)) == at(end)


def test_an_hour_that_the_clocks_skip_is_no_working_time_and_a_repeated_one_is_twice() -> None:
    night = WorkingTime(FIRMS["night"])
    sunday = [(span[1] - span[0]) for span in night.on(at("2026-03-29T00:00:00+00:00").date())]
    assert sum(sunday, timedelta()) == timedelta(hours=2, minutes=15)
    sunday = [(span[1] - span[0]) for span in night.on(at("2026-10-25T00:00:00+00:00").date())]
    assert sum(sunday, timedelta()) == timedelta(hours=4, minutes=15)
