"""Visits as calendar programs read them: iCalendar (RFC 5545, with the properties of RFC 7986), by the library `icalendar`."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
    vDuration,
)

MEDIA_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//SAV//SAV//FR"
# How often a program that subscribed looks again.
REFRESH = timedelta(hours=1)
# The years whose clock changes a file describes: visits are planned a year ahead at most, and kept for two in a feed.
ZONE_SINCE, ZONE_UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
END = b"END:VCALENDAR\r\n"

# A file that is sent (RFC 5546): none asks for an answer. A feed has no method.
Method = Literal["PUBLISH", "CANCEL"]


class Entry(NamedTuple):
    """What a calendar program is told of one visit. Texts are as people read them: the library escapes them."""

    uid: str
    sequence: int
    start: datetime
    end: datetime
    zone: str
    summary: str
    description: str
    location: str
    cancelled: bool
    changed_at: datetime


def event_text(entry: Entry, organizer: str = "") -> str:
    """The entry as a VEVENT, in the zone where the visit is; `organizer` is an e-mail address, which a sent file needs."""
    event = Event()
    event.add("uid", entry.uid)
    # Each move raises it, and so does a cancellation (RFC 5546, 2.1.4).
    event.add("sequence", entry.sequence + entry.cancelled)
    # Without a method it says when this was last changed (RFC 5545, 3.8.7.2), so the same text is made each time.
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("last-modified", entry.changed_at.astimezone(UTC))
    event.add("dtstart", _there(entry.start, entry.zone))
    event.add("dtend", _there(entry.end, entry.zone))
    event.add("summary", entry.summary)
    if entry.description:
        event.add("description", entry.description)
    if entry.location:
        event.add("location", entry.location)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.cancelled else "OPAQUE")
    if organizer:
        event.add("organizer", vCalAddress(f"mailto:{organizer}"))
    return bytes(event.to_ical()).decode()


def _there(at: datetime, zone: str) -> datetime:
    """The time on the clock of that zone; in UTC where clocks show it twice, since programs differ in which they mean."""
    local = at.astimezone(ZoneInfo(zone))
    once = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
    return local if once else at.astimezone(UTC)


def calendar_text(
    events: Iterable[str], zones: Collection[str], name: str = "", method: Method | None = None
) -> str:
    """A whole file with these VEVENTs and the zones that they are in. With a `name` it is a feed, which is read again."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if method:
        calendar.add("method", method)
    if name:
        # The second is what programs read that do not know RFC 7986 yet.
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", vDuration(REFRESH))
    head = bytes(calendar.to_ical()).removesuffix(END).decode()
    return "".join((head, *(zone_text(zone) for zone in sorted(zones)), *events, END.decode()))


@cache
def zone_text(zone: str) -> str:
    """The VTIMEZONE of a zone: when its clocks change.

    The library finds these itself, but a changed hour late, and not the short ones of Ramadan.
    """
    described = Timezone()
    described.add("tzid", zone)
    for change in clock_changes(zone):
        observed = TimezoneDaylight() if change.summer else TimezoneStandard()
        observed.add("dtstart", change.starts[0])
        for start in change.starts[1:]:
            # Of several in one property ical.js, which Thunderbird has, reads only the first.
            observed.add("rdate", [start])
        observed.add("tzname", change.name)
        observed.add("tzoffsetfrom", change.before)
        observed.add("tzoffsetto", change.after)
        described.add_component(observed)
    return bytes(described.to_ical()).decode()


class ClockChange(NamedTuple):
    """One way in which clocks change, and when: on the clock before the change, without a zone (RFC 5545, 3.6.5)."""

    before: timedelta
    after: timedelta
    name: str
    summer: bool
    starts: list[datetime]


def clock_changes(zone: str) -> list[ClockChange]:
    """How the clocks of a zone change within the years that a file describes, beginning with how they stand at first."""
    there, found = ZoneInfo(zone), dict[tuple[object, ...], ClockChange]()

    def note(before: timedelta, at: datetime) -> None:
        local = at.astimezone(there)
        how = (before, _offset(local), local.tzname() or zone, bool(local.dst()))
        found.setdefault(how, ClockChange(*how, [])).starts.append((at + before).replace(tzinfo=None))

    note(_offset(ZONE_SINCE.astimezone(there)), ZONE_SINCE)
    day = ZONE_SINCE
    while day < ZONE_UNTIL:
        before, next_day = _offset(day.astimezone(there)), day + timedelta(days=1)
        if _offset(next_day.astimezone(there)) != before:
            note(before, _changed_at(there, day, next_day))
        day = next_day
    return list(found.values())


def _changed_at(there: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The minute of the change between these two."""
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) // 2
        if _offset(middle.astimezone(there)) == _offset(before.astimezone(there)):
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta()
