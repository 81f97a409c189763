"""Who calls off the time of a visit, and what its client and the managers read of that."""

import re
from pathlib import Path
from typing import Any

import pytest
from given_notifier import BORN, LATER, SLOT, appointment, booked, moved, planned, relocated, scheduled, visit
from kept_mails import kept_in, mails, plain
from notifier_cases import CASES
from world import karim, lea, marie

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import ANYONE, Actor
from sav_contracts.calendar.appointment import AppointmentCancelled
from sav_contracts.interventions.visit import InterventionStatus, InterventionView, MadeMove
from sav_contracts.messages import Event

CLIENT = pytest.mark.parametrize("who", [lea, ANYONE], ids=["signed in", "by a link"])
WHY = "Je ne serai pas là."


def act(to: InterventionStatus) -> MadeMove:
    return MadeMove(to=to, at=BORN, recorded_at=BORN)


def off(by_client: bool) -> AppointmentCancelled:
    state = appointment(status="cancelled", version=2, reason=WHY)
    return AppointmentCancelled(state=state, called_off=True, by_client=by_client)


async def reads(
    stage: Stage, mailbox: Path, event: Event, who: Actor, visits: InterventionView | None = None
) -> dict[str, str]:
    """The texts of the mails about it, by the first word of their subjects; `visits` is what its visit became."""
    await stage.hears(planned(SLOT))
    await stage.hears(booked())
    await stage.runs_effects()
    for kept in kept_in(mailbox):
        kept.unlink()
    if visits:
        await stage.knows(visits)
    await stage.hears(enveloped(event, who))
    await stage.runs_effects()
    return {
        str(mail["Subject"]).partition(" ")[0]: re.sub(r"\s", " ", plain(mail))
        for mail in mails(mailbox)
        if "marie@" in mail["To"] or "lea@" in mail["To"]
    }


@CLIENT
async def test_a_client_who_calls_it_off_reads_no_apology_and_not_their_own_words(
    stage: Stage, mailbox: Path, who: Actor
) -> None:
    read = await reads(stage, mailbox, off(by_client=True), who)
    client, manager = read["Rendez-vous"], read["Visite"]
    assert "est annulé" in client
    assert "excuser" not in client
    assert WHY not in client
    assert "Le client a annulé" in manager
    assert f"« {WHY} »" in manager


async def test_a_technician_who_calls_it_off_says_why_to_both(stage: Stage, mailbox: Path) -> None:
    read = await reads(stage, mailbox, off(by_client=False), karim)
    assert "excuser" in read["Rendez-vous"]
    assert "Karim Haddad a annulé" in read["Visite"]
    assert all(f"« {WHY} »" in text for text in read.values())


UNDER_WAY = [
    {"status": "en_route"},
    {"status": "cancelled", "acts": [act("en_route"), act("cancelled")]},
    {"status": "declined", "acts": [act("accepted"), act("en_route"), act("declined")]},
]


@pytest.mark.parametrize("fields", UNDER_WAY, ids=lambda fields: fields["status"])
async def test_where_the_technician_was_on_the_way_the_client_reads_that_they_turn_back(
    stage: Stage, mailbox: Path, fields: dict[str, Any]
) -> None:
    [client] = (await reads(stage, mailbox, off(by_client=False), marie, visit(version=6, **fields))).values()
    assert "Karim Haddad était en route et fait demi-tour : personne ne viendra." in client
    assert "à ce moment-là" not in client


async def test_before_anybody_set_out_nobody_turns_back(stage: Stage, mailbox: Path) -> None:
    cancelled = visit(version=6, status="cancelled", acts=[act("accepted"), act("cancelled")])
    [client] = (await reads(stage, mailbox, off(by_client=False), marie, cancelled)).values()
    assert "demi-tour" not in client
    assert "Personne ne viendra à ce moment-là." in client


@pytest.mark.parametrize(("before", "said"), [("en_route", True), ("accepted", False)])
async def test_a_technician_on_the_way_to_a_cancelled_visit_reads_to_turn_back(
    stage: Stage, mailbox: Path, before: InterventionStatus, said: bool
) -> None:
    await stage.hears(scheduled())
    await stage.runs_effects()
    event = moved("cancelled", before=before, slot=SLOT)
    await stage.hears(enveloped(event, marie))
    await stage.runs_effects()
    [text] = [plain(mail) for mail in mails(mailbox) if "annulée" in str(mail["Subject"])]
    assert ("faites demi-tour" in text, "pas à vous y rendre" in text) == (said, not said)


@CLIENT
async def test_a_client_who_moves_it_does_not_read_their_own_words(
    stage: Stage, mailbox: Path, who: Actor
) -> None:
    moved = relocated(WHY).model_copy(update={"by_client": True})
    read = await reads(stage, mailbox, moved, who)
    assert "Il remplace celui" in read["Rendez-vous"]
    assert WHY not in read["Rendez-vous"]


@pytest.mark.parametrize(
    "meanwhile", [{}, {"start": LATER.start, "arrival_from": LATER.start}, {"status": "done"}]
)
async def test_a_client_who_was_asked_for_another_time_learns_that_theirs_stands_if_it_does(
    stage: Stage, mailbox: Path, meanwhile: dict[str, Any]
) -> None:
    case = next(case for case in CASES if "appointment_stands" in case.told)
    await stage.hears(case.event)
    await stage.knows(appointment(version=5, **meanwhile))
    await stage.runs_effects()
    read = [re.sub(r"\s", " ", plain(mail)) for mail in mails(mailbox)]
    assert ["arrive comme prévu le" in text for text in read] == ([] if meanwhile else [True])


async def test_a_time_that_was_moved_is_not_said_to_stand(stage: Stage) -> None:
    case = next(case for case in CASES if "appointment_stands" in case.told)
    await stage.knows(relocated().state)
    assert (await stage.hears(case.event)).events == []


async def test_managers_read_nothing_of_a_visit_that_has_another_time(stage: Stage) -> None:
    await stage.hears(planned(SLOT))
    await stage.hears(booked())
    await stage.hears(enveloped(off(by_client=True), ANYONE))
    await stage.knows(visit(slot=LATER, version=9))
    await stage.runs_effects()
    rows = await stage.database.pool.fetch(
        "SELECT status FROM notification WHERE template = 'appointment_called_off'"
    )
    assert {row["status"] for row in rows} == {"suppressed"}
