"""What mails about appointments give to the calendar of their reader, and the link to the appointment's page."""

import re
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from foreign import Reader
from given_notifier import (
    APPOINTMENT,
    LATER,
    SLOT,
    account,
    appointment,
    booked,
    client_profile,
    planned,
    reclamation,
)
from kept_mails import html, kept_in, mails, plain
from notifier_cases import CASES
from notifier_cases_moving import offered, taken_back
from world import karim, lea, sofia

from sav_chassis.identity import Links
from sav_chassis.testing import Stage
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentCancelled, AppointmentReminderDue
from sav_contracts.claims.reclamation import TechnicianAssigned

STANDS = next(case for case in CASES if "appointment_stands" in case.told)


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


async def test_a_visit_that_stands_after_all_is_confirmed_as_one_that_is_booked(
    stage: Stage, mailbox: Path, ical: Reader
) -> None:
    await stage.hears(STANDS.event)
    await stage.runs_effects()
    [file] = attached(mailbox, ical)
    [event] = file["events"]
    assert (file["method"], event["status"], event["uid"]) == ("PUBLISH", "CONFIRMED", booked().state.uid)
    assert datetime.fromisoformat(event["end"]) == SLOT.start + timedelta(hours=1), "when they may arrive"


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


@pytest.mark.parametrize("hours", [0, 24], ids=["by somebody else then", "at another time"])
async def test_an_appointment_that_takes_the_place_of_another_takes_it_out_of_the_calendar(
    stage: Stage, mailbox: Path, ical: Reader, hours: int
) -> None:
    later = timedelta(hours=hours)
    times = {"start": SLOT.start + later, "end": SLOT.end + later, "arrival_from": SLOT.start + later}
    arrives = {"arrival_until": SLOT.start + later + timedelta(hours=1), "technician_id": sofia.id}
    await stage.hears(booked())
    await stage.runs_effects()
    await stage.hears(AppointmentCancelled(state=appointment(status="cancelled", version=2)))
    another = appointment(id=UUID(int=401), uid="another", **times, **arrives)
    await stage.hears(AppointmentBooked(state=another))
    await stage.runs_effects()
    every = attached(mailbox, ical)
    assert [read["method"] for read in every] == ["PUBLISH"] * 2, "no mail says alone that the first is off"
    [told] = [read for read in every if len(read["events"]) > 1]
    said = {event["uid"]: (event["status"], event["sequence"]) for event in told["events"]}
    assert said == {"another": ("CONFIRMED", 0), booked().state.uid: ("CANCELLED", 1)}


async def test_an_entry_is_called_by_its_case(stage: Stage, mailbox: Path, ical: Reader) -> None:
    await stage.hears(booked())
    await stage.runs_effects()
    [told] = attached(mailbox, ical)
    assert [event["summary"] for event in told["events"]] == ["Intervention pour REC-2026-000100"]


async def test_another_technician_at_the_same_time_is_told_with_the_time_the_link_and_the_entry(
    stage: Stage, mailbox: Path, ical: Reader
) -> None:
    await stage.knows(
        account(lea, "Léa Bernard", version=2, email_verified=True),
        client_profile(lea, "Léa Bernard", version=2, email="lea@example.com"),
    )
    await stage.hears(booked())
    await stage.runs_effects()
    for kept in kept_in(mailbox):
        kept.unlink()
    who = {"technician_id": sofia.id, "previous_technician_id": karim.id, "slot": SLOT}
    state = reclamation(technician_id=sofia.id, status="assigned", version=3)
    await stage.hears(TechnicianAssigned.model_validate({"state": state} | who))
    await stage.hears(AppointmentCancelled(state=appointment(status="cancelled", version=2)))
    hers = appointment(id=UUID(int=401), uid="hers", technician_id=sofia.id)
    await stage.hears(AppointmentBooked(state=hers))
    await stage.runs_effects()
    [mail] = mails(mailbox)
    text = re.sub(r"\s", " ", plain(mail))
    assert "mardi 26 novembre 2126, entre 9 h et 10 h, à la place de Karim Haddad." in text
    assert f"/visit?token={Links(stage.settings.link_secret).token('visit', hers.id)}&lang=fr" in text
    [read] = attached(mailbox, ical)
    said = {event["uid"]: event["status"] for event in read["events"]}
    assert said == {"hers": "CONFIRMED", booked().state.uid: "CANCELLED"}


async def test_a_cancellation_takes_out_the_entry_that_its_reader_has(
    stage: Stage, mailbox: Path, ical: Reader
) -> None:
    """Booked again with the same technician at the same time, which was no news."""
    again: dict[str, Any] = {"id": UUID(int=401), "uid": "again"}
    await stage.hears(booked())
    await stage.runs_effects()
    await stage.hears(AppointmentCancelled(state=appointment(status="cancelled", version=2)))
    await stage.knows(appointment(status="cancelled", version=2))
    await stage.hears(AppointmentBooked(state=appointment(**again)))
    await stage.runs_effects()
    assert len(kept_in(mailbox)) == 1
    await stage.hears(AppointmentCancelled(state=appointment(status="cancelled", version=2, **again)))
    await stage.runs_effects()
    every = {read["method"]: read["events"] for read in attached(mailbox, ical)}
    [[first], [last]] = [every["PUBLISH"], every["CANCEL"]]
    assert (last["uid"], last["status"]) == (first["uid"], "CANCELLED")
    assert last["sequence"] > first["sequence"]


async def test_what_took_place_stays_in_the_calendar(stage: Stage, mailbox: Path, ical: Reader) -> None:
    await stage.hears(booked())
    await stage.runs_effects()
    await stage.knows(appointment(status="done", version=2))
    times = {"start": LATER.start, "end": LATER.end, "arrival_from": LATER.start, "arrival_until": LATER.end}
    await stage.hears(AppointmentBooked(state=appointment(id=UUID(int=401), uid="another", **times)))
    await stage.runs_effects()
    read = [[event["status"] for event in told["events"]] for told in attached(mailbox, ical)]
    assert read == [["CONFIRMED"]] * 2


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
@pytest.mark.parametrize("which", ["booked", "stands", "day_before", "two_hours"])
async def test_an_appointment_is_linked_but_never_to_an_address_that_nobody_confirmed(
    stage: Stage, mailbox: Path, which: Any, confirmed: bool
) -> None:
    await stage.knows(
        account(lea, "Léa Bernard", version=2, email_verified=confirmed),
        client_profile(lea, "Léa Bernard", version=2, email="lea@example.com"),
    )
    told = {"booked": booked(), "stands": STANDS.event}
    await stage.hears(told.get(which) or AppointmentReminderDue(state=appointment(version=2), which=which))
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "lea@" in mail["To"]]
    link = f"/visit?token={Links(stage.settings.link_secret).token('visit', APPOINTMENT)}&lang=fr"
    assert (f"{link}\n" in plain(mail).replace("\r", "")) is confirmed
    assert ("/visit?" in html(mail)) is confirmed


@pytest.mark.parametrize(
    "meanwhile",
    [{"start": SLOT.start + timedelta(days=1)}, {"status": "cancelled"}, {"technician_id": sofia.id}],
    ids=["moved", "cancelled", "given to somebody else"],
)
async def test_a_reminder_of_what_changed_meanwhile_is_not_sent(
    stage: Stage, mailbox: Path, meanwhile: dict[str, Any]
) -> None:
    await stage.hears(AppointmentReminderDue(state=appointment(version=2), which="two_hours"))
    await stage.knows(appointment(version=3, **meanwhile))
    await stage.runs_effects()
    assert [mail for mail in mails(mailbox) if "lea@" in mail["To"] or "karim@" in mail["To"]] == []
    rows = await stage.database.pool.fetch(
        "SELECT status FROM notification WHERE template IN ('appointment_reminder', 'visit_reminder')"
    )
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


async def test_an_earlier_time_is_chosen_by_the_link_of_the_visit(stage: Stage, mailbox: Path) -> None:
    await stage.knows(
        appointment(status="booked"),
        account(lea, "Léa Bernard", version=2, email_verified=True),
        client_profile(lea, "Léa Bernard", version=2, email="lea@example.com"),
    )
    await stage.hears(offered())
    await stage.runs_effects()
    [mail] = mails(mailbox)
    token = Links(stage.settings.link_secret).token("visit", APPOINTMENT)
    assert f"/visit?token={token}&lang=fr" in plain(mail)


async def test_until_when_a_time_is_held_is_read_where_the_visit_is(stage: Stage, mailbox: Path) -> None:
    told = offered()
    there = told.model_copy(update={"state": told.state.model_copy(update={"zone": "Indian/Reunion"})})
    await stage.hears(there)
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert "jusqu’au mardi 26 novembre 2126 à 12 h (heure locale, La Réunion)" in re.sub(
        r"\s", " ", plain(mail)
    )


async def test_where_no_visit_is_known_an_earlier_time_is_booked_in_the_account(
    stage: Stage, mailbox: Path
) -> None:
    await stage.database.pool.execute("DELETE FROM view WHERE kind = 'appointment'")
    await stage.hears(offered())
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert "/visit?" not in plain(mail)
    assert "réservez-le dans votre espace" in plain(mail)


@pytest.mark.parametrize("sent", [True, False])
async def test_whoever_read_of_an_earlier_time_reads_that_it_is_gone(
    stage: Stage, mailbox: Path, sent: bool
) -> None:
    await stage.hears(offered())
    if sent:
        await stage.runs_effects()
    await stage.hears(taken_back())
    await stage.runs_effects()
    gone = sorted("n’est plus possible" in mail["Subject"] for mail in mails(mailbox))
    # The mail about an offer that is over already is not sent any more, nor that it is over.
    assert gone == ([False, True] if sent else [])
