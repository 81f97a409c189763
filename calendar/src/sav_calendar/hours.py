"""When a visit fits: working hours, public holidays and other visits. Pure functions on times with a zone."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Protocol, get_args
from zoneinfo import ZoneInfo

from holidays import HolidayBase, country_holidays

from sav_contracts.calendar import FreeSlot, Shift, Weekday, WorkingHoursView

# Constants; no policy sets them yet.
# How long a repair takes.
VISIT = timedelta(hours=2)
# How long after the start the technician may still arrive.
ARRIVAL = timedelta(hours=1)
# Visits begin every hour, counted from the start of each shift.
GRID = timedelta(hours=1)

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
ZONE = "Europe/Paris"
HOLIDAYS = "FR"
USUAL_SHIFTS = [
    Shift(day=day, start=start, end=end)
    for day in WEEKDAYS[:5]
    for start, end in ((time(8), time(12)), (time(13), time(17)))
]

# Start and end of a shift or of a visit.
Span = tuple[datetime, datetime]


def free_slots(
    hours: WorkingHoursView,
    taken: Sequence[Span],
    since: datetime,
    until: datetime,
    travel: timedelta,
    length: timedelta = VISIT,
) -> Iterator[FreeSlot]:
    """The free slots that begin from `since` on and before `until`, the earliest first, in UTC."""
    for start in starts(hours, since, until, length):
        if not any(too_close((start, start + length), span, travel) for span in taken):
            yield FreeSlot(
                technician_id=hours.technician_id,
                start=start,
                end=start + length,
                arrival_from=start,
                arrival_until=start + min(ARRIVAL, length),
            )


def too_close(one: Span, other: Span, travel: timedelta) -> bool:
    """Whether two visits of one technician overlap, or leave less than `travel` between them."""
    return one[0] < other[1] + travel and other[0] < one[1] + travel


class Hours(Protocol):
    """When somebody works: a record of that, or its view."""

    @property
    def zone(self) -> str: ...
    @property
    def holidays(self) -> str: ...
    @property
    def shifts(self) -> Sequence[Shift]: ...


def starts(hours: Hours, since: datetime, until: datetime, length: timedelta = VISIT) -> Iterator[datetime]:
    """The starts from `since` on and before `until` of visits of that length, ignoring planned visits.

    They fit into a shift; longer ones than usual that fit into no shift of the day go on over the break.
    """
    zone = ZoneInfo(hours.zone)
    free_days = public_holidays(hours.holidays)
    for day in _days(since.astimezone(zone).date(), until.astimezone(zone).date()):
        if day in free_days:
            continue
        spans = _at_work(hours.shifts, day, zone)
        breaks = length > VISIT and all(length > closes - opens for opens, closes in spans)
        for opens, closes in spans:
            start = opens
            while start < closes:
                ends_at_work = _within(start + length, spans if breaks else [(opens, closes)])
                if ends_at_work and since <= start < until:
                    yield start
                start += GRID


def at_work(visit: Span, shifts: Iterable[Shift], holidays: str, zone: ZoneInfo) -> bool:
    """Whether a visit begins and ends in working hours of one day; it may span a break."""
    start, end = visit
    day = start.astimezone(zone).date()
    spans = [] if day in public_holidays(holidays) else _at_work(shifts, day, zone)
    return any(opens <= start < closes for opens, closes in spans) and _within(end, spans)


def _within(end: datetime, spans: Iterable[Span]) -> bool:
    """Whether a visit that ends then ends in one of these."""
    return any(opens < end <= closes for opens, closes in spans)


def overlapping(shifts: Iterable[Shift]) -> Weekday | None:
    """A day on which two shifts overlap, or None."""
    for one, other in pairwise(sorted(shifts, key=lambda shift: (shift.day, shift.start))):
        if one.day == other.day and other.start < one.end:
            return one.day
    return None


@cache
def public_holidays(region: str) -> HolidayBase:
    """The public holidays of a country or a region (`FR`, `FR-57`); test a day with `in`.

    Raises `NotImplementedError` where the region is not known.
    """
    country, _, subdivision = region.partition("-")
    return country_holidays(country, subdiv=subdivision or None)


def _at_work(shifts: Iterable[Shift], day: date, zone: ZoneInfo) -> list[Span]:
    """The shifts of a day, the earliest first."""
    weekday = WEEKDAYS[day.weekday()]
    return sorted(
        # Where the clocks change at the start or end of a shift, the reading that makes the shift shorter counts.
        (max(_readings(day, shift.start, zone)), min(_readings(day, shift.end, zone)))
        for shift in shifts
        if shift.day == weekday
    )


def _readings(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    """The moments in UTC that a wall-clock time may mean; they differ in an hour that clocks skip or repeat."""
    return [datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)]


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
