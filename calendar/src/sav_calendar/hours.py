"""When a visit fits: working hours, absences, public holidays and other visits. Pure functions on times with a zone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import Protocol, Self, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from holidays import HolidayBase, country_holidays

from sav_contracts.calendar.hours import PlannedHours, Shift, Weekday
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.public_holidays import in_library

# How long a repair usually takes. Longer visits than this go on over a break where they fit into no shift.
VISIT = timedelta(hours=2)
# How long after the start the technician may still arrive.
ARRIVAL = timedelta(hours=1)
# Visits begin every hour, counted from the start of each shift.
GRID = timedelta(hours=1)
# The smallest step of time: PostgreSQL and Python count microseconds.
MOMENT = timedelta(microseconds=1)

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
ZONE = "Europe/Paris"
HOLIDAYS = "FR"
USUAL_SHIFTS = [
    Shift(day=day, start=start, end=end)
    for day in WEEKDAYS[:5]
    for start, end in ((time(8), time(12)), (time(13), time(17)))
]
MIDNIGHT = time()
ALWAYS, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

# Start and end of a shift, of a visit or of an absence.
Span = tuple[datetime, datetime]


class Hours(Protocol):
    """When somebody works, week after week."""

    @property
    def zone(self) -> str: ...
    @property
    def holidays(self) -> str: ...
    @property
    def shifts(self) -> Sequence[Shift]: ...


class Recorded(Hours, Protocol):
    """The record of somebody's working hours, or its view."""

    @property
    def technician_id(self) -> UUID: ...
    @property
    def planned(self) -> Sequence[PlannedHours]: ...


@dataclass(frozen=True)
class Work:
    """When a technician works: the hours of now and those that follow, and the times in which they are away."""

    technician_id: UUID
    now: Hours
    planned: Sequence[PlannedHours] = ()
    away: Sequence[Span] = ()

    @classmethod
    def of(cls, hours: Recorded, away: Sequence[Span] = ()) -> Self:
        return cls(hours.technician_id, hours, hours.planned, away)

    @property
    def zone(self) -> str:
        """The zone of the present hours."""
        return self.now.zone

    def at(self, moment: datetime) -> Hours:
        """The hours that hold then."""
        if not self.planned:
            return self.now
        return next(hours for hours, since, until in self._periods() if since <= moment < until)

    def cover(self, start: datetime, end: datetime) -> bool:
        """Whether a visit begins and ends in working hours of one day; it may span a break, and no absence."""
        return not self.is_away(start, end) and any(
            any(opens <= start < closes for opens, closes in spans) and _within(end, spans)
            for spans in self.days(start, start + MOMENT)
        )

    def is_away(self, start: datetime, end: datetime) -> bool:
        """Whether they are away for any part of this time."""
        return any(begin < end and start < back for begin, back in self.away)

    def days(self, since: datetime, until: datetime) -> Iterator[list[Span]]:
        """The shifts of each day of work that has part in this time, in order, whether somebody is away or not."""
        for hours, begins, ends in self._periods():
            first, last = max(since, begins), min(until, ends)
            if first >= last:
                continue
            zone, free_days = ZoneInfo(hours.zone), public_holidays(hours.holidays)
            for day in _days(first.astimezone(zone).date(), last.astimezone(zone).date()):
                if day in free_days:
                    continue
                spans = [
                    (max(opens, begins), min(closes, ends))
                    for opens, closes in _at_work(hours.shifts, day, zone)
                ]
                yield [span for span in spans if span[0] < span[1]]

    def _periods(self) -> Iterator[tuple[Hours, datetime, datetime]]:
        """Hours with the time in which they hold: from midnight in their zone until the next ones."""
        begins = [ALWAYS, *(midnight(hours.effective_from, hours.zone) for hours in self.planned), NEVER]
        each: list[Hours] = [self.now, *self.planned]
        for number, hours in enumerate(each):
            # Of two zones, the later day may begin earlier.
            yield hours, begins[number], min(begins[number + 1 :])


def free_slots(
    work: Work,
    taken: Sequence[Span],
    since: datetime,
    until: datetime,
    travel: timedelta,
    length: timedelta = VISIT,
) -> Iterator[FreeSlot]:
    """The free slots that begin from `since` on and before `until`, the earliest first, in UTC."""
    return (slot_at(start, work, length) for start in free_starts(work, taken, since, until, travel, length))


def free_starts(
    work: Work,
    taken: Sequence[Span],
    since: datetime,
    until: datetime,
    travel: timedelta,
    length: timedelta = VISIT,
) -> Iterator[datetime]:
    """When the free slots begin: for those who look at many of them, and answer few."""
    # A visit that begins within one of these is too close to another one, or in an absence.
    blocked = sorted(
        [
            *((begin - travel - length, end + travel) for begin, end in taken),
            *((begin - length, end) for begin, end in work.away),
        ]
    )
    passed, blocked_until = 0, ALWAYS
    for start in starts(work, since, until, length):
        while passed < len(blocked) and blocked[passed][0] < start:
            blocked_until = max(blocked_until, blocked[passed][1])
            passed += 1
        if start >= blocked_until:
            yield start


def slot_at(start: datetime, work: Work, length: timedelta) -> FreeSlot:
    """The slot of a technician that begins then."""
    return FreeSlot(
        technician_id=work.technician_id,
        start=start,
        end=start + length,
        arrival_from=start,
        arrival_until=arrival_until(start, start + length, work.at(start).zone),
    )


def arrival_until(start: datetime, end: datetime, zone: str) -> datetime:
    """Until when the technician of a visit may arrive.

    Where the clocks go back in between, so much later: nobody reads "between 2:30 and 2:30".
    """
    until = min(start + ARRIVAL, end)
    before, after = (moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in (start, until))
    assert before is not None
    assert after is not None
    return until + max(before - after, timedelta())


def too_close(one: Span, other: Span, travel: timedelta) -> bool:
    """Whether two visits of one technician overlap, or leave less than `travel` between them."""
    return one[0] < other[1] + travel and other[0] < one[1] + travel


def starts(work: Work, since: datetime, until: datetime, length: timedelta = VISIT) -> Iterator[datetime]:
    """The starts from `since` on and before `until` of visits of that length, ignoring planned visits and absences.

    They fit into a shift; longer ones than usual that fit into no shift of the day go on over the break.
    """
    for spans in work.days(since, until):
        breaks = length > VISIT and all(length > closes - opens for opens, closes in spans)
        for opens, closes in spans:
            start = opens
            while start < closes:
                fits = start + length <= closes or (breaks and _within(start + length, spans))
                if fits and since <= start < until:
                    yield start
                start += GRID


def _within(end: datetime, spans: Iterable[Span]) -> bool:
    """Whether a visit that ends then ends in one of these."""
    return any(opens < end <= closes for opens, closes in spans)


def overlapping(shifts: Iterable[Shift]) -> Weekday | None:
    """A day on which two shifts overlap, or None."""
    for one, other in pairwise(sorted(shifts, key=lambda shift: (shift.day, shift.start))):
        if one.day == other.day and other.span[0] < one.span[1]:
            return one.day
    return None


@cache
def public_holidays(region: str) -> HolidayBase:
    """The public holidays of a country, a region or a department (`FR`, `FR-57`); test a day with `in`."""
    country, part = in_library(region)
    return country_holidays(country, subdiv=part)


def followed_by(planned: Iterable[PlannedHours], hours: PlannedHours) -> list[PlannedHours]:
    """What is planned once these hours hold from their day on: nothing that was planned from then on stays."""
    return [*(one for one in planned if one.effective_from < hours.effective_from), hours]


def midnight(day: date, zone: str) -> datetime:
    """When a day begins there, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _at_work(shifts: Iterable[Shift], day: date, zone: ZoneInfo) -> list[Span]:
    """The shifts of a day, the earliest first."""
    weekday = WEEKDAYS[day.weekday()]
    following = day + timedelta(days=1)
    return sorted(
        # Where the clocks change at the start or end of a shift, the reading that makes the shift shorter counts.
        (
            max(_readings(day, shift.start, zone)),
            min(_readings(day if shift.end > MIDNIGHT else following, shift.end, zone)),
        )
        for shift in shifts
        if shift.day == weekday
    )


@lru_cache(maxsize=20_000)
def _readings(day: date, clock: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments in UTC that a wall-clock time may mean; they differ in an hour that clocks skip or repeat.

    Many technicians work at the same hours, so most of them are known already.
    """
    first, second = (datetime.combine(day, clock.replace(fold=fold), zone) for fold in (0, 1))
    return first.astimezone(UTC), second.astimezone(UTC)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
