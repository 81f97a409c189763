"""What mails about appointments give to the calendar of their reader, and the link to the appointment's page."""

import re
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from foreign import Reader
from given_notifier import APPOINTMENT, SLOT, account, appointment, booked, client_profile, planned
from kept_mails import html, kept_in, mails, plain
from world import lea

from sav_chassis.identity import Links
from sav_chassis.testing import Stage
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentCancelled, AppointmentReminderDue


def attached(mailbox: Path, ical: Reader) -> list[dict[str, Any]]:
    """What a calendar program reads in the files of the mails, in their order."""
    read = []
    for mail in mails(mailbox):
        for part in mail.iter_attachments():
            assert part.get_content_type() == "text/calendar"
            file = part.get_payload(decode=True)
            assert isinstance(file, bytes)
            said = ical.read(file.decode())
            assert part.get_param("method") == said["method"]
            read.append(said)
    return read


async def test_a_confirmation_brings_its_visit_and_a_cancellation_takes_it_away(
    stage: Stage, mailbox: Path, ical: Reader
) -> None:
    await stage.hears(planned(SLOT))
    await stage.hears(booked())
    await stage.runs_effects()
    [came] = attached(mailbox, ical)
    for kept in kept_in(mailbox):
        kept.unlink()
    await stage.hears(AppointmentCancelled(state=appointment(status="cancelled", version=2)))
    await stage.runs_effects()
    [went] = attached(mailbox, ical)
    assert (came["method"], went["method"]) == ("PUBLISH", "CANCEL")
    [first], [last] = came["events"], went["events"]
    assert datetime.fromisoformat(first["start"]) == SLOT.start
    assert datetime.fromisoformat(first["end"]) == SLOT.start + timedelta(hours=1), "when they may arrive"
    assert (first["status"], last["status"]) == ("CONFIRMED", "CANCELLED")
    assert first["uid"] == last["uid"] == booked().state.uid
    assert last["sequence"] > first["sequence"]
    assert first["organizer"] == last["organizer"] == "mailto:sav@example.com"


async def test_another_time_takes_the_place_of_the_first_in_the_calendar(
    stage: Stage, mailbox: Path, ical: Reader
) -> None:
    later = {"start": SLOT.start + timedelta(days=1), "end": SLOT.end + timedelta(days=1)}
    arrival = {"arrival_from": later["start"], "arrival_until": later["end"]}
    await stage.hears(booked())
    await stage.runs_effects()
    await stage.hears(AppointmentBooked(state=appointment(version=2, sequence=1, **later, **arrival)))
    await stage.runs_effects()
    sequences = sorted(
        (one["events"][0]["uid"], one["events"][0]["sequence"]) for one in attached(mailbox, ical)
    )
    assert sequences == [(booked().state.uid, 0), (booked().state.uid, 1)]


async def test_the_mail_stays_whole_beside_its_file(stage: Stage, mailbox: Path, mailparser: Reader) -> None:
    await stage.hears(booked())
    await stage.runs_effects()
    [path] = kept_in(mailbox)
    read = mailparser.read(b64encode(path.read_bytes()).decode())
    assert read["attachments"] == 1
    assert "9 h et 10 h" in read["text"].replace("\N{NO-BREAK SPACE}", " ")
    assert "9 h et 10 h" in read["html"].replace("\N{NO-BREAK SPACE}", " ")
    [mail] = mails(mailbox)
    assert mail["Content-Language"] == "fr"


@pytest.mark.parametrize("confirmed", [True, False], ids=["confirmed", "a stranger's"])
@pytest.mark.parametrize("which", ["booked", "day_before", "two_hours"])
async def test_an_appointment_is_linked_but_never_to_an_address_that_nobody_confirmed(
    stage: Stage, mailbox: Path, which: Any, confirmed: bool
) -> None:
    await stage.knows(
        account(lea, "Léa Bernard", version=2, email_verified=confirmed),
        client_profile(lea, "Léa Bernard", version=2, email="lea@example.com"),
    )
    await stage.hears(
        booked() if which == "booked" else AppointmentReminderDue(state=appointment(version=2), which=which)
    )
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "lea@" in mail["To"]]
    link = f"/visit?token={Links(stage.settings.link_secret).token('visit', APPOINTMENT)}&lang=fr"
    assert (f"{link}\n" in plain(mail).replace("\r", "")) is confirmed
    assert ("/visit?" in html(mail)) is confirmed


@pytest.mark.parametrize(
    "meanwhile",
    [{"start": SLOT.start + timedelta(days=1)}, {"status": "cancelled"}],
    ids=["moved", "cancelled"],
)
async def test_a_reminder_of_what_changed_meanwhile_is_not_sent(
    stage: Stage, mailbox: Path, meanwhile: dict[str, Any]
) -> None:
    await stage.hears(AppointmentReminderDue(state=appointment(version=2), which="two_hours"))
    await stage.knows(appointment(version=3, **meanwhile))
    await stage.runs_effects()
    assert kept_in(mailbox) == []
    rows = await stage.database.pool.fetch("SELECT status FROM notification")
    assert {row["status"] for row in rows} == {"suppressed"}


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Paris", "entre 9 h et 10 h."),
        ("Europe/Berlin", "entre 9 h et 10 h."),
        ("Indian/Reunion", "entre 12 h et 13 h (heure locale, La Réunion)."),
        ("America/Miquelon", "entre 5 h et 6 h (heure locale, Saint-Pierre-et-Miquelon)."),
    ],
)
async def test_a_time_is_read_where_the_visit_is(stage: Stage, mailbox: Path, zone: str, said: str) -> None:
    await stage.hears(booked(zone=zone))
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert said in re.sub(r"\s", " ", plain(mail))
