"""Calendar files, as ical.js and vobject read them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject  # type: ignore[import-untyped]
from foreign import Reader

from sav_chassis.calendar_files import Entry, calendar_text, event_text

START = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
NASTY = "Chaudière; « murale », \\n 24 kW\nBEGIN:VEVENT\r\n– très longue " + "é" * 200


def entry(start: datetime = START, zone: str = "Europe/Paris", **fields: Any) -> Entry:
    usual = Entry(
        uid="visit-1@sav",
        sequence=3,
        start=start,
        end=start + timedelta(hours=2),
        zone=zone,
        summary="Visite de Karim",
        description="REC-2026-000001",
        location="3 rue des Lilas, 69003 Lyon",
        cancelled=False,
        changed_at=START,
    )
    return usual._replace(**fields)


def file(one: Entry, **more: Any) -> str:
    return calendar_text([event_text(one, more.pop("organizer", ""))], {one.zone}, **more)


def read(ical: Reader, written: str) -> dict[str, Any]:
    """What both programs read, where they agree."""
    said: dict[str, Any] = ical.read(written)
    [event] = said["events"]
    other = vobject.readOne(written).vevent
    assert other.uid.value == event["uid"]
    assert other.summary.value == event["summary"]
    assert other.dtstart.value.astimezone(UTC) == datetime.fromisoformat(event["start"])
    assert other.dtend.value.astimezone(UTC) == datetime.fromisoformat(event["end"])
    assert int(other.sequence.value) == event["sequence"]
    return {**said, **event}


# Each is written in summer and in winter, and where it is night.
@pytest.mark.parametrize(
    "zone", ["Europe/Paris", "Indian/Reunion", "America/Miquelon", "Pacific/Noumea", "Africa/Casablanca"]
)
@pytest.mark.parametrize("month", range(1, 13))
def test_a_visit_is_read_at_its_moment(ical: Reader, zone: str, month: int) -> None:
    start = datetime(2027, month, 28, 13, 30, tzinfo=UTC)
    said = read(ical, file(entry(start, zone)))
    assert datetime.fromisoformat(said["start"]) == start
    assert datetime.fromisoformat(said["end"]) == start + timedelta(hours=2)
    assert (said["zone"], said["zones"]) == (zone, [zone])


@pytest.mark.parametrize("hour", [0, 1])
def test_an_hour_that_clocks_repeat_is_read_at_its_moment(ical: Reader, hour: int) -> None:
    """In Paris it is half past two twice on 25 October 2026."""
    start = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    assert datetime.fromisoformat(read(ical, file(entry(start)))["start"]) == start


def test_what_people_wrote_is_only_ever_text(ical: Reader) -> None:
    said = read(ical, file(entry(summary=NASTY, location=NASTY, description=NASTY)))
    for name in ("summary", "location", "description"):
        assert said[name].replace("\r\n", "\n") == NASTY.replace("\r\n", "\n")


def test_a_cancelled_visit_has_a_higher_sequence(ical: Reader) -> None:
    booked, off = (read(ical, file(entry(cancelled=cancelled))) for cancelled in (False, True))
    assert (booked["status"], off["status"]) == ("CONFIRMED", "CANCELLED")
    assert off["sequence"] > booked["sequence"]
    assert off["uid"] == booked["uid"]


def test_a_feed_says_what_it_is_and_when_to_look_again(ical: Reader) -> None:
    said = read(ical, file(entry(), name="Visites"))
    assert (said["name"], said["refresh"], said["method"]) == ("Visites", "PT1H", None)


def test_a_file_that_is_sent_has_a_method_and_who_sent_it(ical: Reader) -> None:
    said = read(ical, file(entry(), method="PUBLISH", organizer="sav@example.com"))
    assert (said["method"], said["organizer"]) == ("PUBLISH", "mailto:sav@example.com")


def test_lines_are_folded_and_end_as_the_standard_says() -> None:
    written = file(entry(summary=NASTY), name="Visites")
    assert written.endswith("END:VCALENDAR\r\n")
    assert "\n" not in written.replace("\r\n", "")
    assert max(len(line.encode()) for line in written.split("\r\n")) <= 75


def test_a_feed_without_visits_can_be_read(ical: Reader) -> None:
    assert ical.read(calendar_text([], set(), name="Visites"))["events"] == []
