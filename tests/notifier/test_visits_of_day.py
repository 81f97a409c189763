"""Managers and admins read the visits of a day in one message, as they are when it is sent."""

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from given_notifier import START, account, appointment, nadia, reclamation
from kept_mails import mails, plain
from notifier_cases_by_hand import booked
from world import alex, marie, sofia

from sav_chassis.testing import Stage
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentReminderDue,
    AppointmentView,
    Reminder,
)
from sav_contracts.catalog.product import Place

READERS = {"marie@example.com", "nadia@example.com", "alex@example.com"}
FIRST = appointment(version=2)


@pytest.fixture(autouse=True)
async def without_others(stage: Stage) -> None:
    """No other visit is known on that day."""
    await stage.knows(booked().model_copy(update={"status": "cancelled", "version": 9}))


def another(hours: float, **fields: Any) -> AppointmentView:
    """Sofia's visit, so many hours after the first, for another réclamation."""
    start = START + timedelta(hours=hours)
    usual: dict[str, Any] = {
        "id": UUID(int=421),
        "technician_id": sofia.id,
        "reclamation_id": UUID(int=101),
        "reclamation_reference": "REC-2026-000101",
        "intervention_id": None,
        "start": start,
        "end": start + timedelta(hours=2),
    }
    return appointment(**(usual | fields))


async def is_near(stage: Stage, visit: AppointmentView, which: Reminder = "two_hours") -> None:
    await stage.hears(AppointmentReminderDue(state=visit, which=which))
    assert await stage.parked() == []


async def listed(stage: Stage) -> dict[str, tuple[str, datetime]]:
    """The lists that wait, by their readers: their status, and when they are to be sent."""
    due = {one.id: one.due for one in await stage.waiting()}
    rows = await stage.database.pool.fetch(
        "SELECT id, user_id, status FROM notification WHERE template = 'visits_of_day'"
    )
    names = {marie.id: "marie", nadia.id: "nadia", alex.id: "alex"}
    return {names[row["user_id"]]: (row["status"], due[row["id"]]) for row in rows if row["id"] in due}


def lists(mailbox: Path) -> dict[str, list[list[str]]]:
    """The lines of each list that somebody was sent, by address."""
    read: dict[str, list[list[str]]] = {}
    for mail in mails(mailbox):
        to = mail["To"].addresses[0].addr_spec
        if re.match("Visits of|Visites du", mail["Subject"]):
            text = plain(mail).replace("\N{NO-BREAK SPACE}", " ").replace("\r", "")
            read.setdefault(to, []).append(re.findall("^- (.*)$", text, re.MULTILINE))
    return read


async def test_each_reads_all_visits_of_the_day_once(stage: Stage, mailbox: Path) -> None:
    afternoon = another(5)
    await stage.knows(afternoon, another(24, id=UUID(int=422)), another(-24, id=UUID(int=423)))
    await is_near(stage, FIRST, "day_before")
    await is_near(stage, afternoon, "day_before")
    await stage.runs_effects()
    for visit in (FIRST, afternoon):
        await is_near(stage, visit)
        await stage.runs_effects()
    read = lists(mailbox)
    assert read.keys() == READERS
    assert {len(each) for each in read.values()} == {1}
    assert read["marie@example.com"] == [
        [
            "de 9 h à 11 h, Lyon : Karim Haddad, REC-2026-000100",
            "de 14 h à 16 h : Sofia Martin, REC-2026-000101",
        ]
    ]
    assert read["nadia@example.com"][0][0] == "9:00 to 11:00, Lyon: Karim Haddad, REC-2026-000100"


async def test_the_next_day_has_a_list_of_its_own(stage: Stage, mailbox: Path) -> None:
    tomorrow = another(24)
    await stage.knows(tomorrow)
    for visit in (FIRST, tomorrow):
        await is_near(stage, visit)
    await stage.runs_effects()
    assert [[len(each) for each in read] for read in lists(mailbox).values()] == [[1, 1]] * 3


ZONES = ["Europe/Paris", "Indian/Reunion", "America/Martinique", "Pacific/Noumea"]


@pytest.mark.parametrize("which", ["day_before", "two_hours", "booked"])
@pytest.mark.parametrize("place", ZONES)
@pytest.mark.parametrize("reader", ZONES)
async def test_it_is_sent_in_the_morning_of_each_reader(
    stage: Stage, reader: str, place: str, which: Any
) -> None:
    """Wherever the visit is, and however long before that it becomes near."""
    await stage.knows(account(marie, "Marie Leroy", time_zone=reader, version=2))
    day = (stage.now() + timedelta(days=1)).astimezone(ZoneInfo(place)).date()
    start = datetime.combine(day, time(8), ZoneInfo(place)).astimezone(UTC)
    visit = another(0, start=start, end=start + timedelta(hours=2), zone=place)
    await stage.knows(visit)
    if which == "booked":
        await stage.hears(AppointmentBooked(state=visit))
    else:
        await is_near(stage, visit, which)
    for name, zone in (("marie", reader), ("nadia", "Europe/Paris"), ("alex", "Europe/Paris")):
        morning = datetime.combine(day, time(7), ZoneInfo(zone))
        if morning > stage.now():
            status, due = (await listed(stage))[name]
            assert status == "planned"
            assert abs(due - morning) < timedelta(minutes=1)


async def test_what_is_booked_for_a_far_day_lists_nothing_yet(stage: Stage) -> None:
    await stage.hears(AppointmentBooked(state=another(5)))
    assert await listed(stage) == {}


async def test_the_first_visit_of_a_day_that_has_begun_is_listed_before_it_begins(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever booked it knows, and others may follow until then."""
    monkeypatch.setattr("sav_notifier.messages.visits_of_day.MORNING", time(0))
    start = stage.now() + timedelta(minutes=1)
    visit = another(0, start=start, end=start + timedelta(hours=2))
    await stage.knows(visit)
    await stage.hears(AppointmentBooked(state=visit))
    assert await listed(stage) == {}
    await is_near(stage, visit)
    assert {status for status, _ in (await listed(stage)).values()} == {"queued"}


async def test_a_list_is_of_no_use_once_its_day_is_over(stage: Stage, mailbox: Path) -> None:
    start = stage.now() - timedelta(days=3)
    await stage.knows(another(0, start=start, end=start + timedelta(hours=2)))
    await is_near(stage, another(0, start=start, end=start + timedelta(hours=2)))
    await stage.runs_effects()
    assert lists(mailbox) == {}


async def test_what_is_read_on_another_clock_than_ones_own_says_so(stage: Stage, mailbox: Path) -> None:
    """At La Réunion it is eight when it is five in Paris; that visit is under way when the list is read."""
    await stage.knows(account(marie, "Marie Leroy", time_zone="Indian/Reunion", version=2))
    there = another(-4, zone="Indian/Reunion")
    await stage.knows(there)
    await is_near(stage, there)
    await stage.runs_effects()
    read = lists(mailbox)
    assert read["marie@example.com"] == [
        [
            "de 8 h à 10 h : Sofia Martin, REC-2026-000101",
            "de 9 h à 11 h (heure locale, France), Lyon : Karim Haddad, REC-2026-000100",
        ]
    ]
    assert read["nadia@example.com"] == [
        [
            "8:00 to 10:00 (local time, Réunion): Sofia Martin, REC-2026-000101",
            "9:00 to 11:00, Lyon: Karim Haddad, REC-2026-000100",
        ]
    ]


async def test_the_day_is_that_of_each_place(stage: Stage, mailbox: Path) -> None:
    """Early at La Réunion: in Paris it is the day before."""
    zone = {"zone": "Indian/Reunion"}
    early, late = another(-10, **zone), another(14, id=UUID(int=422), zone="Europe/Paris")
    place = Place(address="1 rue de Paris", postcode="97400", city="Saint-Denis")
    await stage.knows(
        early, late, reclamation(id=UUID(int=101), reference="REC-2026-000101", place=place, version=2)
    )
    await is_near(stage, early)
    await stage.runs_effects()
    assert lists(mailbox)["marie@example.com"] == [
        [
            "de 2 h à 4 h (heure locale, La Réunion), Saint-Denis : Sofia Martin, REC-2026-000101",
            "de 9 h à 11 h, Lyon : Karim Haddad, REC-2026-000100",
            "de 23 h à 1 h, Saint-Denis : Sofia Martin, REC-2026-000101",
        ]
    ]


GONE: list[dict[str, Any]] = [
    {"status": "cancelled"},
    {"start": START + timedelta(days=1), "end": START + timedelta(days=1, hours=2)},
    {"start": datetime(2026, 3, 2, 8, tzinfo=UTC), "end": datetime(2026, 3, 2, 10, tzinfo=UTC)},
    {"status": "done"},
]


@pytest.mark.parametrize("meanwhile", GONE, ids=["cancelled", "moved", "in the past", "done"])
async def test_what_changed_meanwhile_is_left_out(
    stage: Stage, mailbox: Path, meanwhile: dict[str, Any]
) -> None:
    await stage.knows(another(5))
    await is_near(stage, FIRST)
    await stage.knows(appointment(version=3, **meanwhile))
    await stage.runs_effects()
    assert lists(mailbox)["marie@example.com"] == [["de 14 h à 16 h : Sofia Martin, REC-2026-000101"]]


async def test_a_visit_that_moved_is_listed_at_its_new_time(stage: Stage, mailbox: Path) -> None:
    await is_near(stage, FIRST)
    later = START + timedelta(hours=7)
    await stage.knows(appointment(version=3, start=later, end=later + timedelta(hours=2)))
    await stage.runs_effects()
    assert lists(mailbox)["marie@example.com"] == [["de 16 h à 18 h, Lyon : Karim Haddad, REC-2026-000100"]]


async def test_a_day_without_visits_has_no_list_until_there_is_one(stage: Stage, mailbox: Path) -> None:
    await is_near(stage, FIRST)
    await stage.knows(appointment(version=3, status="cancelled"))
    await stage.runs_effects()
    assert lists(mailbox) == {}
    rows = await stage.database.pool.fetch(
        "SELECT reason FROM notification WHERE template = 'visits_of_day' AND status = 'suppressed'"
    )
    assert [row["reason"] for row in rows] == ["nothing is booked for that day any more"] * 3
    afternoon = another(5)
    await stage.knows(afternoon)
    await is_near(stage, afternoon)
    await stage.runs_effects()
    assert lists(mailbox).keys() == READERS


async def test_two_that_are_near_at_once_make_one_list(stage: Stage, mailbox: Path) -> None:
    """Both events were heard before either list was recorded."""
    second = another(0.5)
    await stage.knows(second)
    status = "UPDATE notification SET status = $1 WHERE template = 'visits_of_day' AND about_id = $2"
    await is_near(stage, FIRST)
    await stage.database.pool.execute(status, "dead", FIRST.id)
    await is_near(stage, second)
    await stage.database.pool.execute(status, "queued", FIRST.id)
    await stage.runs_effects()
    assert [len(read) for read in lists(mailbox).values()] == [1] * 3


async def test_a_time_in_no_zone_hides_no_day(stage: Stage, mailbox: Path) -> None:
    never = datetime(9999, 12, 31, 23, tzinfo=UTC)
    await stage.knows(another(0, start=never, end=never + timedelta(minutes=59), zone="Indian/Reunion"))
    await is_near(stage, FIRST)
    await stage.runs_effects()
    assert lists(mailbox)["marie@example.com"] == [["de 9 h à 11 h, Lyon : Karim Haddad, REC-2026-000100"]]
