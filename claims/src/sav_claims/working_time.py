"""Working time: when a firm works, and how much of that lies between two moments. Pure arithmetic.

A moment is working time where the clock on the wall shows an opening of a day that is no public holiday. So an hour that
the clocks skip counts nothing, and one that they repeat counts twice.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from holidays import HolidayBase, country_holidays

from sav_contracts.auth.policy import SlaTargets
from sav_contracts.public_holidays import in_library

# Start and end, in UTC; the end is not in it.
Span = tuple[datetime, datetime]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
# No zone is farther from UTC.
FARTHEST = timedelta(hours=16)


class WorkingTime:
    """When a firm works, by its policy."""

    def __init__(self, targets: SlaTargets) -> None:
        self.zone = ZoneInfo(targets.zone)
        self._holidays = _holidays(targets.holidays)
        self._openings: dict[str, list[tuple[timedelta, timedelta]]] = {}
        for shift in sorted(targets.openings, key=lambda one: one.start):
            self._openings.setdefault(shift.day, []).append(shift.span)
        self._known: dict[date, list[Span]] = {}

    def after(self, start: datetime, working: timedelta, paused: Iterable[Span] = ()) -> datetime:
        """The first moment at which so much working time has passed since `start`, without what was paused."""
        left = working
        for opens, closes in self._without(start, datetime.max.replace(tzinfo=UTC), list(paused)):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise OverflowError("no working time is left in the calendar")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two moments; nothing where the second is the earlier one."""
        return sum((closes - opens for opens, closes in self._without(start, end, [])), timedelta())

    def _without(self, start: datetime, end: datetime, paused: list[Span]) -> Iterator[Span]:
        """The working time from `start` until `end`, in order, without what was paused."""
        for opens, closes in self._from(start):
            if opens >= end:
                return
            left = [(max(opens, start), min(closes, end))]
            for pause in paused:
                left = [part for whole in left for part in _cut(whole, pause)]
            yield from (part for part in left if part[0] < part[1])

    def _from(self, start: datetime) -> Iterator[Span]:
        # A day of the calendar may begin a day earlier or later than UTC's.
        day = start.astimezone(self.zone).date() - DAY
        while True:
            yield from (span for span in self.on(day) if span[1] > start)
            day += DAY

    def on(self, day: date) -> list[Span]:
        """The working time of a day on the firm's calendar, in order."""
        if day not in self._known:
            if len(self._known) > 5000:
                self._known.clear()
            self._known[day] = self._of(day)
        return self._known[day]

    def _of(self, day: date) -> list[Span]:
        if day in self._holidays:
            return []
        found = []
        for opens, closes in self._openings.get(WEEKDAYS[day.weekday()], ()):
            for since, until, offset in _offsets(self.zone, day):
                # The same readings of the clock mean other moments before and after the clocks change.
                midnight = datetime.combine(day, time(), UTC) - offset
                found.append((max(midnight + opens, since), min(midnight + closes, until)))
        return sorted(span for span in found if span[0] < span[1])


def _cut(whole: Span, pause: Span) -> Iterator[Span]:
    yield whole[0], min(whole[1], max(whole[0], pause[0]))
    yield max(whole[0], min(whole[1], pause[1])), whole[1]


def _offsets(zone: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The zone's offsets from UTC around a day, each with the time in which it holds."""
    since = datetime.combine(day, time(), UTC) - FARTHEST
    last = since + DAY + 2 * FARTHEST
    while since < last:
        offset = _offset(zone, since)
        until = last if _offset(zone, last) == offset else _change(zone, since, last)
        yield since, until, offset
        since = until


def _change(zone: ZoneInfo, since: datetime, until: datetime) -> datetime:
    """The moment at which the clocks change, to the second."""
    before = _offset(zone, since)
    low, high = 0, int((until - since).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, since + timedelta(seconds=middle)) == before:
            low = middle
        else:
            high = middle
    return since + timedelta(seconds=high)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


@cache
def _holidays(region: str) -> HolidayBase:
    country, part = in_library(region)
    return country_holidays(country, subdiv=part)


@lru_cache(maxsize=8)
def working_time(targets: SlaTargets) -> WorkingTime:
    """The working time of a policy; made once, since its days are remembered."""
    return WorkingTime(targets)
