"""When a visit fits: the arithmetic, over a year and both changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from given_views import a
from hypothesis import given, settings
from hypothesis import strategies as st

from sav_calendar.hours import (
    USUAL_SHIFTS,
    VISIT,
    WEEKDAYS,
    Work,
    free_slots,
    overlapping,
    public_holidays,
    starts,
)
from sav_calendar.waiting import offered_from
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.hours import Shift, WorkingHoursView

ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "Africa/Tunis", "UTC"]

TRAVEL = Buffers().travel


def works(shifts: list[Shift], zone: str = "Europe/Paris", holidays: str = "FR") -> Work:
    return Work.of(a(WorkingHoursView, zone=zone, holidays=holidays, shifts=shifts))


def clock(moments: Any, zone: str = "Europe/Paris") -> list[str]:
    return [f"{moment.astimezone(ZoneInfo(zone)):%a %H:%M}" for moment in moments]


def day(year: int, month: int, number: int, zone: str = "Europe/Paris") -> tuple[datetime, datetime]:
    begins = datetime(year, month, number, tzinfo=ZoneInfo(zone))
    return begins.astimezone(UTC), (begins + timedelta(days=1)).astimezone(UTC)


def test_visits_begin_every_hour_of_a_shift_and_end_within_it() -> None:
    assert clock(starts(works(USUAL_SHIFTS), *day(2026, 3, 3))) == [
        "Tue 08:00", "Tue 09:00", "Tue 10:00", "Tue 13:00", "Tue 14:00", "Tue 15:00",
    ]  # fmt: skip


def test_the_grid_begins_with_the_shift() -> None:
    odd = [Shift(day="tue", start=time(8, 20), end=time(11, 30))]
    assert clock(starts(works(odd), *day(2026, 3, 3))) == ["Tue 08:20", "Tue 09:20"]


def test_a_shift_shorter_than_a_visit_has_no_start() -> None:
    short = [Shift(day="tue", start=time(8), end=time(9, 59))]
    assert list(starts(works(short), *day(2026, 3, 3))) == []


def test_a_period_holds_the_starts_from_its_beginning_and_before_its_end() -> None:
    since, until = datetime(2026, 3, 3, 8, tzinfo=UTC), datetime(2026, 3, 3, 13, tzinfo=UTC)
    assert clock(starts(works(USUAL_SHIFTS), since, until)) == ["Tue 09:00", "Tue 10:00", "Tue 13:00"]
    assert list(starts(works(USUAL_SHIFTS), until, since)) == []


def test_public_holidays_are_free_where_they_are_public() -> None:
    weekday = [Shift(day="thu", start=time(8), end=time(10))]
    assumption = day(2026, 5, 14)  # Ascension
    assert list(starts(works(weekday), *assumption)) == []
    assert len(list(starts(works(weekday, holidays="TN"), *assumption))) == 1
    second_christmas_day = date(2025, 12, 26)
    assert second_christmas_day in public_holidays("FR-57")
    assert second_christmas_day not in public_holidays("FR")


@pytest.mark.parametrize(
    ("night", "begins", "number"),
    [(day(2026, 3, 29), "00:00 01:00 03:00 04:00", 4), (day(2026, 10, 25), "00:00 01:00 02:00 02:00 03:00 04:00", 6)],
    ids=["an hour is skipped", "an hour comes twice"],
)  # fmt: skip
def test_a_night_shift_has_the_hours_that_there_are(
    night: tuple[datetime, datetime], begins: str, number: int
) -> None:
    shift = [Shift(day="sun", start=time(0), end=time(6))]
    found = list(starts(works(shift), *night))
    assert " ".join(reading[4:] for reading in clock(found)) == begins
    assert len(found) == number


def test_a_shift_until_midnight_ends_with_its_day() -> None:
    late = works([Shift(day="tue", start=time(21), end=time(0))])
    assert clock(starts(late, *day(2026, 3, 3))) == ["Tue 21:00", "Tue 22:00"]
    ends = datetime(2026, 3, 3, 23, tzinfo=UTC)
    assert late.cover(ends - timedelta(hours=2), ends)
    assert not late.cover(ends - timedelta(hours=2), ends + timedelta(minutes=1))


def test_the_morning_after_the_clocks_changed_begins_at_the_same_reading() -> None:
    monday = [Shift(day="mon", start=time(8), end=time(10))]
    year = datetime(2025, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert set(clock(starts(works(monday), *year))) == {"Mon 08:00"}


clocks = st.times(max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0))


@st.composite
def shifts(draw: st.DrawFn) -> list[Shift]:
    """Shifts that do not overlap, up to two a day."""
    made = []
    for weekday in draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1)):
        bounds = sorted(draw(st.sets(clocks, min_size=4, max_size=4)))
        pairs = [(bounds[0], bounds[1]), (bounds[2], bounds[3])]
        made += [Shift(day=weekday, start=start, end=end) for start, end in pairs]
    return made


def within(start: datetime, shift: Shift, zone: ZoneInfo) -> bool:
    first, last = start.astimezone(zone), (start + VISIT).astimezone(zone)
    return (
        WEEKDAYS[first.weekday()] == shift.day
        and first.date() == last.date()
        and shift.start <= first.time()
        and last.time() <= shift.end
    )


@settings(deadline=None, max_examples=60)
@given(shifts(), st.sampled_from(ZONES), st.integers(2025, 2030))
def test_every_start_of_a_year_lies_in_a_shift_by_the_clock_on_the_wall(
    given_shifts: list[Shift], zone: str, year: int
) -> None:
    hours = works(given_shifts, zone)
    found = list(starts(hours, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)))
    assert found == sorted(set(found))
    for start in found:
        local = start.astimezone(ZoneInfo(zone))
        assert any(within(start, shift, ZoneInfo(zone)) for shift in given_shifts), local
        assert local.date() not in public_holidays("FR")


@settings(deadline=None)
@given(shifts(), st.sampled_from(ZONES), st.dates(date(2025, 1, 1), date(2030, 12, 31)))
def test_no_start_is_missing_on_a_day_of_24_hours(given_shifts: list[Shift], zone: str, on: date) -> None:
    begins = datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(zone))
    since, until = begins.astimezone(UTC), (begins + timedelta(days=1)).astimezone(UTC)
    if until - since != timedelta(days=1) or on in public_holidays("FR"):
        return
    minutes = [
        (shift.start.hour * 60 + shift.start.minute, shift.end.hour * 60 + shift.end.minute)
        for shift in given_shifts
        if shift.day == WEEKDAYS[on.weekday()]
    ]
    expected = sum(max(0, (end - start - 120) // 60 + 1) for start, end in minutes)
    assert len(list(starts(works(given_shifts, zone), since, until))) == expected


spans = st.builds(
    lambda minute, length: (
        datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=minute),
        datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=minute + length),
    ),
    st.integers(0, 7 * 24 * 60),
    st.integers(1, 300),
)


@settings(deadline=None)
@given(st.lists(spans, max_size=12))
def test_a_free_time_leaves_the_way_to_and_from_every_other_visit(
    taken: list[tuple[datetime, datetime]],
) -> None:
    hours = works(USUAL_SHIFTS)
    week = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)
    free = {slot.start for slot in free_slots(hours, taken, *week, TRAVEL)}
    for start in starts(hours, *week):
        gaps = [max(begin - (start + VISIT), start - end) for begin, end in taken]
        assert (start in free) == all(gap >= TRAVEL for gap in gaps)


def test_a_free_time_says_when_the_technician_may_arrive() -> None:
    first = next(free_slots(works(USUAL_SHIFTS), [], *day(2026, 3, 3), TRAVEL))
    assert clock([first.start, first.end]) == ["Tue 08:00", "Tue 10:00"]
    assert clock([first.arrival_from, first.arrival_until]) == ["Tue 08:00", "Tue 09:00"]


def test_shifts_that_touch_do_not_overlap() -> None:
    morning, noon = (
        Shift(day="mon", start=time(8), end=time(12)),
        Shift(day="mon", start=time(12), end=time(14)),
    )
    assert overlapping([noon, morning]) is None
    assert overlapping([morning, Shift(day="tue", start=time(9), end=time(11))]) is None
    assert overlapping([noon, Shift(day="mon", start=time(11, 59), end=time(13)), morning]) == "mon"


@pytest.mark.parametrize(
    ("hour", "then"),
    [
        ((0, 0), (2, 8, 0)),
        ((7, 59), (2, 8, 0)),
        ((8, 0), (2, 8, 0)),
        ((19, 59), (2, 19, 59)),
        ((20, 0), (3, 8, 0)),
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Paris", "Indian/Reunion", "America/Martinique"])
def test_offers_are_made_by_day_where_the_visit_is(
    zone: str, hour: tuple[int, int], then: tuple[int, int, int]
) -> None:
    there = ZoneInfo(zone)
    now = datetime(2026, 3, 2, *hour, tzinfo=there).astimezone(UTC)
    assert offered_from(now, zone) == datetime(2026, 3, *then, tzinfo=there)


def test_the_morning_after_the_clocks_change_begins_at_eight() -> None:
    saturday = datetime(2026, 3, 28, 22, tzinfo=ZoneInfo("Europe/Paris"))
    assert offered_from(saturday, "Europe/Paris") == datetime(2026, 3, 29, 6, tzinfo=UTC)
