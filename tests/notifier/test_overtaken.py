"""What waits to be sent is looked at again: is it still true, and to whom does it go?"""

from datetime import timedelta
from pathlib import Path

import pytest
from given_notifier import (
    BORN,
    DRAFT,
    ISSUED,
    LATER,
    SLOT,
    account,
    appointment,
    booked,
    client_profile,
    conflict,
    feedback,
    invitation,
    invited,
    invoice,
    moved,
    on_the_way,
    product,
    reclamation,
    report,
    scheduled,
    visit,
    with_parts,
)
from given_stock import work
from given_views import a
from kept_mails import kept_in, mails, plain
from mail_server import Post
from notifier_cases import CASES
from world import karim, lea, sofia

from sav_chassis.testing import Outcome, Stage
from sav_contracts.catalog.servicing import air_quality
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import CarbonMonoxideFound
from sav_contracts.messages import Event, View
from sav_contracts.notifier import NotificationChanged

OVERTAKEN: list[tuple[str, View]] = [
    ("booked as planned", appointment(status="cancelled", version=2)),
    ("booked as planned", appointment(start=SLOT.start + timedelta(hours=1), version=2)),
    ("booked as planned", visit(status="cancelled", version=2)),
    ("planned without a time", visit(status="cancelled", version=2)),
    ("a plan that came too late", visit(status="on_site", version=4)),
    ("scheduled", visit(status="cancelled", slot=SLOT, version=3)),
    ("scheduled", visit(slot=LATER, version=3)),
    ("scheduled", visit(version=3)),
    ("on the way", visit(status="on_site", version=4)),
    ("invitation", invited.model_copy(update={"status": "active", "version": 2})),
    ("another address to confirm", account(lea, "Léa Bernard", email="lea.martin@example.com", version=2)),
    ("assigned", reclamation(technician_id=None, status="qualified", version=2)),
    ("resolved by repaired", reclamation(status="closed", version=6)),
    ("conflict", conflict(status="resolved", version=2)),
    ("no answer to other times", conflict(status="resolved", version=4)),
    ("no answer to other times", conflict(offered_until=SLOT.start, version=4)),
    ("proof submitted", product(proof_state="accepted", version=2)),
    ("report submitted", report(status="validated", version=2)),
    ("report sent back", report(status="submitted", version=3)),
    ("invoice drafted", invoice(id=DRAFT, **ISSUED)),
    ("an invoice that is overdue", invoice(**(ISSUED | {"status": "paid", "version": 4}))),
    ("a first reminder", invoice(**(ISSUED | {"status": "paid", "version": 5}))),
    ("invoice issued", invoice(**(ISSUED | {"status": "credited", "version": 4}))),
    ("feedback invited", feedback(status="given", version=2)),
    ("a réclamation", reclamation(status="cancelled", version=2)),
    ("parts listed", with_parts(parts_edition=2, version=2)),
    ("parts listed", with_parts(parts_validated=1, version=2)),
    ("parts listed", with_parts(status="closed", version=2)),
    ("parts arrived", with_parts(parts_validated=1, technician_id=sofia.id, version=2)),
    ("a technician who left", a(TechnicianView, karim.id, technician_id=karim.id, version=4)),
    ("parts arrived", with_parts(parts_validated=1, status="closed", version=2)),
]


@pytest.mark.parametrize(("name", "newer"), OVERTAKEN)
async def test_what_became_stale_is_not_sent(stage: Stage, mailbox: Path, name: str, newer: View) -> None:
    await _told(stage, name)
    await stage.knows(newer)
    outcome = await stage.runs_effects()
    dropped = [event.state for event in outcome.events if type(event) is NotificationChanged]
    assert dropped
    assert {state.status for state in dropped} == {"suppressed"}
    assert all(state.reason and "overtaken" in state.reason for state in dropped)
    assert len(kept_in(mailbox)) == len(outcome.events) - len(dropped)


@pytest.mark.parametrize(("clock", "sent"), [("respond", False), ("resolve", False), ("legal", True)])
async def test_the_legal_time_does_not_wait_for_the_client(
    stage: Stage, mailbox: Path, clock: str, sent: bool
) -> None:
    await _told(stage, f"nearly overdue: {clock}")
    await stage.knows(reclamation(status="awaiting_client", version=3))
    await stage.runs_effects()
    assert bool(kept_in(mailbox)) is sent


@pytest.mark.parametrize(
    ("later", "client_told"), [(4, False), (9, False), (18, True), (80, True), (None, True)]
)
async def test_managers_hear_of_a_danger_whatever_was_measured_afterwards(
    stage: Stage, mailbox: Path, later: int | None, client_told: bool
) -> None:
    """All events of what was done offline carry the state in the end."""
    await _told(stage, "much carbon monoxide")
    await stage.knows(visit(version=6, work=work().model_copy(update={"co_ppm": later})))
    states = [event.state for event in (await stage.runs_effects()).events]
    sent = [state.template for state in states if state.status == "kept_locally"]
    assert (sent.count("co_dangerous"), sent.count("co_found")) == (3, client_told)


@pytest.mark.parametrize("status", ["rejected", "cancelled", "closed"])
async def test_managers_hear_of_a_reported_danger_whatever_became_of_the_reclamation(
    stage: Stage, mailbox: Path, status: str
) -> None:
    await _told(stage, "a dangerous réclamation")
    await stage.knows(reclamation(status=status, version=2))
    states = [event.state for event in (await stage.runs_effects()).events]
    told = [state for state in states if state.template == "reclamation_new"]
    assert [(state.status, state.category) for state in told] == [("kept_locally", "alert")] * 3
    assert all(state.subject.startswith("[DANGER] ") for state in told)


def measured(*readings: int, last: int) -> list[CarbonMonoxideFound]:
    """The events of one batch: all carry the state and the version in the end."""
    state = visit(
        status="in_progress",
        version=50,
        work=work().model_copy(update={"co_ppm": last}),
        technician_id=karim.id,
    )
    return [CarbonMonoxideFound(state=state, ppm=ppm, air=air_quality(ppm, BORN.date())) for ppm in readings]


@pytest.mark.parametrize(
    ("batch", "managers_read", "client_reads"),
    [
        (measured(90, last=5), "90", None),
        (measured(90, 22, last=22), "90", "22"),
        (measured(60, 61, 60, 61, last=61), "61", "61"),
        (measured(12, 90, 60, last=60), "60", "60"),
    ],
    ids=["normal in the end", "abnormal in the end", "again and again", "worse and worse"],
)
async def test_a_batch_is_told_once_by_what_stands_in_the_end(
    stage: Stage,
    mailbox: Path,
    batch: list[CarbonMonoxideFound],
    managers_read: str,
    client_reads: str | None,
) -> None:
    for event in batch:
        await stage.hears(event)
    await stage.runs_effects()
    told = [
        (mail["To"].addresses[0].addr_spec, plain(mail).replace("\N{NO-BREAK SPACE}", " "))
        for mail in mails(mailbox)
    ]
    to_client = [text for to, text in told if to == "lea@example.org"]
    assert len(told) - len(to_client) == 3, "two managers and an admin"
    assert all(f"{managers_read} ppm" in text for to, text in told if to != "lea@example.org")
    assert len(to_client) == (client_reads is not None)
    assert all(f"{client_reads} ppm" in text for text in to_client)


async def test_who_is_there_already_when_it_is_told_is_not_announced(stage: Stage, mailbox: Path) -> None:
    """One batch: on the way, on site, completed."""
    told = moved("en_route")
    late = told.model_copy(update={"state": visit(status="completed", version=9)})
    suppressed = (await stage.hears(late)).only(NotificationChanged).state
    assert (suppressed.template, suppressed.status) == ("technician_on_the_way", "suppressed")
    assert suppressed.reason
    assert suppressed.reason.startswith("overtaken")
    await stage.runs_effects()
    assert mails(mailbox) == []


@pytest.mark.parametrize("name", dict.fromkeys(name for name, _ in OVERTAKEN))
async def test_an_older_copy_makes_nothing_stale(stage: Stage, mailbox: Path, name: str) -> None:
    """The copies of records come by another queue than the events that are told."""
    await _told(stage, name)
    outcome = await stage.runs_effects()
    assert {event.state.status for event in outcome.events} == {"kept_locally"}


@pytest.mark.parametrize(
    "event",
    [
        booked(start=BORN, end=BORN + timedelta(hours=2)),
        invitation(expires_at=BORN),
        scheduled(SLOT.model_copy(update={"start": BORN, "end": BORN + timedelta(hours=1)})),
    ],
    ids=["appointment", "invitation", "visit"],
)
async def test_what_is_over_is_not_sent(stage: Stage, mailbox: Path, event: Event) -> None:
    await stage.hears(event)
    outcome = await stage.runs_effects()
    assert [event.state.reason for event in outcome.events] == ["its time is over"]
    assert kept_in(mailbox) == []


async def test_who_left_meanwhile_is_not_written_to(stage: Stage, mailbox: Path) -> None:
    await on_the_way(stage)
    await stage.knows(account(lea, "Léa Bernard", status="closed", version=9))
    assert (await stage.runs_effects()).only(NotificationChanged).state.reason == "the account is closed"
    assert kept_in(mailbox) == []


async def test_a_mail_that_waited_is_sent_to_todays_address(stage: Stage, post: Post) -> None:
    post.rcpt = ["451 later"]
    await on_the_way(stage)
    await stage.runs_effects()
    await stage.knows(client_profile(lea, "Léa Bernard", email="new@example.org", version=2))
    await stage.runs_effects()
    assert post.taken[0]["To"].addresses[0].addr_spec == "new@example.org"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("another address to confirm", "lea.martin@example.com"),
        ("another address asked for", "lea.signs.in@example.com"),
        ("another address", "lea.before@example.com"),
    ],
)
async def test_what_is_about_an_address_goes_to_that_one(
    stage: Stage, post: Post, name: str, address: str
) -> None:
    await _told(stage, name)
    await stage.knows(account(lea, "Léa Bernard", email="lea.by.now@example.com"))
    await stage.runs_effects()
    assert [mail["To"].addresses[0].addr_spec for mail in post.taken] == [address]


async def _told(stage: Stage, name: str) -> Outcome:
    case = next(case for case in CASES if case.name == name)
    return await stage.hears(case.event)
