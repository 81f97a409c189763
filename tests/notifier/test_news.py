"""What follows from one cause is told once: each message is judged by what its person was told last."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import world
from given_news import FIRST, SECOND, THIRD, assigned, at, booked, cancelled, hear, sent
from given_notifier import (
    LATER,
    SLOT,
    account,
    appointment,
    moved,
    payment,
    planned,
    qualified,
    reclamation,
    resolved,
    scheduled,
    visit,
)
from kept_mails import mails, plain
from notifier_cases import CASES
from pydantic_core import from_json

from sav_chassis.testing import Stage, enveloped
from sav_contracts.auth.policy import CutOffs, PolicyView
from sav_contracts.calendar.appointment import AppointmentBooked
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationStatus
from sav_contracts.interventions.visit import EndingRefused, InterventionMoved, InterventionScheduled
from sav_contracts.slot import Slot

REUNION = "Indian/Reunion"
FACTS = "SELECT facts::text FROM notification"
NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
async def told(stage: Stage) -> Stage:
    """Léa was told that Karim comes, and when."""
    await hear(stage, assigned(world.karim), booked(FIRST, world.karim))
    assert await sent(stage) == ["technician_assigned", "appointment_booked"]
    return stage


NEW_TECHNICIAN = ["technician_assigned", "appointment_booked", "technician_changed"]


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
async def test_another_technician_at_the_same_time_is_one_message(
    told: Stage, mailbox: Path, backwards: bool
) -> None:
    await told.hears(assigned(world.sofia, world.karim, version=4))
    # What happened first has the older id, in whichever order it is heard.
    events = [enveloped(cancelled(FIRST, world.karim)), enveloped(booked(SECOND, world.sofia))]
    for event in reversed(events) if backwards else events:
        await told.hears(event)
        await told.runs_effects() if backwards else None
    assert await sent(told) == [*NEW_TECHNICIAN[:2], "appointment_booked"]
    texts = [plain(mail).replace(NBSP, " ") for mail in mails(mailbox)]
    [text] = [text for text in texts if "Sofia Martin" in text]
    assert "le mardi 26 novembre 2126, entre 9 h et 10 h, à la place de Karim Haddad." in text


async def test_another_technician_and_later_the_time_are_both_told(told: Stage) -> None:
    await told.hears(assigned(world.sofia, world.karim, version=4))
    assert await sent(told) == NEW_TECHNICIAN
    await hear(told, cancelled(FIRST, world.karim), booked(SECOND, world.sofia))
    assert await sent(told) == [*NEW_TECHNICIAN, "appointment_booked"], "they read when she comes"


async def test_another_technician_and_what_is_cancelled_are_told_after_a_little(told: Stage) -> None:
    """The former technician may be on site already: then neither is true."""
    await told.hears(assigned(world.sofia, world.karim, version=4))
    await told.hears(cancelled(FIRST, world.karim))
    changed, off = await told.waiting()
    for waiting in (changed, off):
        assert timedelta(seconds=5) < waiting.due - told.now() < timedelta(seconds=15)
    await told.effects.worker.once()
    assert len(await told.waiting()) == 2


async def test_an_assignment_that_is_undone_is_told_to_no_client(told: Stage) -> None:
    await told.hears(assigned(world.sofia, world.karim, version=4))
    undone = assigned(world.karim, world.sofia, version=5)
    await told.knows(undone.state)
    await told.hears(undone)
    assert await sent(told) == NEW_TECHNICIAN[:2]


async def test_back_to_the_first_technician_before_anybody_was_told_is_nothing(told: Stage) -> None:
    await hear(
        told,
        assigned(world.sofia, world.karim, version=4),
        assigned(world.karim, world.sofia, version=5),
        cancelled(FIRST, world.karim),
        booked(SECOND, world.sofia),
        cancelled(SECOND, world.sofia),
        booked(THIRD, world.karim),
    )
    assert await sent(told) == NEW_TECHNICIAN[:2]
    # And what is cancelled then is what they were told of.
    await hear(told, cancelled(THIRD, world.karim))
    assert await sent(told) == [*NEW_TECHNICIAN[:2], "appointment_cancelled"]


async def test_back_to_the_first_technician_is_told_to_whoever_knows_of_the_second(told: Stage) -> None:
    await told.hears(assigned(world.sofia, world.karim, version=4))
    assert await sent(told) == NEW_TECHNICIAN
    await told.hears(assigned(world.karim, world.sofia, version=5))
    assert await sent(told) == [*NEW_TECHNICIAN, "technician_changed"]


async def test_what_may_have_been_read_is_not_taken_for_unsaid(told: Stage) -> None:
    """A server was given the one message, and nobody knows yet what it did with it."""
    await told.hears(assigned(world.sofia, world.karim, version=4))
    await told.database.pool.execute("UPDATE notification SET tried_at = now() WHERE status = 'queued'")
    await told.hears(assigned(world.karim, world.sofia, version=5))
    assert await sent(told) == NEW_TECHNICIAN
    last = "SELECT facts ->> 'technician' FROM notification WHERE status = 'kept_locally' ORDER BY event_id DESC LIMIT 1"
    assert await told.database.pool.fetchval(last) == "Karim Haddad"


async def test_another_time_is_one_message_that_names_both(told: Stage, mailbox: Path) -> None:
    await hear(told, cancelled(FIRST, world.karim), booked(SECOND, world.karim, LATER))
    assert await sent(told) == ["technician_assigned", "appointment_booked", "appointment_booked"]
    texts = [plain(mail).replace(NBSP, " ") for mail in mails(mailbox)]
    [text] = [text for text in texts if "mercredi 27 novembre 2126" in text]
    assert "Il remplace celui qui était prévu le mardi 26 novembre 2126, entre 9 h et 10 h." in text


async def test_a_cancellation_with_nothing_in_its_place_is_told(told: Stage) -> None:
    await told.hears(cancelled(FIRST, world.karim))
    assert await sent(told) == ["technician_assigned", "appointment_booked", "appointment_cancelled"]
    await told.hears(booked(SECOND, world.karim))
    assert (await sent(told))[-1] == "appointment_booked", "they were told that nobody comes"


async def test_what_was_never_announced_is_not_cancelled(stage: Stage) -> None:
    await hear(stage, booked(FIRST, world.karim), cancelled(FIRST, world.karim))
    assert await sent(stage) == []


def ended(refused: ReclamationStatus) -> EndingRefused:
    """Its technician was on site already."""
    return EndingRefused(state=visit(status="on_site", version=4), refused=refused)


async def test_a_rejection_that_is_undone_at_once_is_told_to_no_client(stage: Stage) -> None:
    state = reclamation(status="rejected", version=4)
    await stage.hears(
        ReclamationMoved(state=state, before="qualified", after="rejected", reason="Non vendu.")
    )
    [waiting] = await stage.waiting()
    assert timedelta(seconds=5) < waiting.due - stage.now() < timedelta(seconds=15)
    await stage.knows(reclamation(status="in_progress", version=5))
    await stage.hears(ended("rejected"))
    assert await sent(stage) == []


async def test_a_rejection_that_was_told_is_taken_back(stage: Stage) -> None:
    state = reclamation(status="rejected", version=4)
    await stage.hears(
        ReclamationMoved(state=state, before="qualified", after="rejected", reason="Non vendu.")
    )
    assert await sent(stage) == ["reclamation_rejected"]
    await stage.hears(ended("rejected"))
    assert await sent(stage) == ["reclamation_rejected", "reclamation_goes_on"]


VISITS = [UUID(int=number) for number in (201, 202)]


def seen(number: int, slot: Slot) -> InterventionScheduled:
    return scheduled(slot, id=VISITS[number])


def gone(number: int) -> InterventionMoved:
    return moved("cancelled", id=VISITS[number], slot=SLOT)


async def test_a_technician_is_not_told_that_a_visit_is_off_of_which_they_never_heard(stage: Stage) -> None:
    await hear(stage, seen(0, SLOT), gone(0))
    assert await sent(stage, world.karim) == []


async def test_a_technician_who_gets_the_case_again_reads_of_the_new_visit_alone(
    stage: Stage, mailbox: Path
) -> None:
    await stage.hears(seen(0, SLOT))
    assert await sent(stage, world.karim) == ["visit_planned"]
    await hear(stage, gone(0), seen(1, LATER))
    assert await sent(stage, world.karim) == ["visit_planned", "visit_planned"]
    assert any(
        "- Au lieu de : mardi 26 novembre 2126, de 9 h à 11 h" in plain(mail).replace(NBSP, " ")
        for mail in mails(mailbox)
    )


async def test_a_visit_without_a_time_and_then_its_time_are_both_told(stage: Stage) -> None:
    """The first asks to accept it."""
    await hear(stage, planned(), scheduled())
    assert await sent(stage, world.karim) == ["visit_planned", "visit_booked"]


async def test_the_same_answer_about_the_warranty_is_told_once(stage: Stage) -> None:
    await hear(stage, qualified("unknown"), qualified("unknown", version=3), qualified("covered", version=4))
    assert await sent(stage) == ["reclamation_qualified"], "one answer overtook the other"
    again = "SELECT facts ->> 'coverage' FROM notification WHERE status = 'kept_locally'"
    assert await stage.database.pool.fetchval(again) == "covered"


async def test_hours_are_read_on_the_clock_of_the_place(stage: Stage, mailbox: Path) -> None:
    early = Slot.model_validate({"start": "2126-11-26T04:00:00Z", "end": "2126-11-26T06:00:00Z"})
    there = appointment(**(at(world.karim, early) | {"zone": REUNION, "version": 2}))
    await stage.knows(there)
    await hear(stage, AppointmentBooked(state=there), scheduled(early))
    await hear(stage, moved("cancelled", slot=early, id=UUID(int=299)))
    assert await sent(stage, world.karim) == ["visit_planned"]
    texts = {str(mail["To"]): plain(mail).replace(NBSP, " ") for mail in mails(mailbox)}
    assert "de 8 h à 10 h" in texts["Karim Haddad <karim@example.com>"]
    assert "entre 8 h et 9 h" in texts["Léa Bernard <lea@example.org>"]


async def test_a_time_waits_until_the_zone_of_its_place_is_known(stage: Stage) -> None:
    await stage.database.pool.execute("DELETE FROM view WHERE kind = 'appointment'")
    assert (await stage.hears(scheduled())).events == []
    [(_, why)] = await stage.parked()
    assert "NotYet" in why


async def test_without_an_appointment_it_is_the_clock_of_the_technicians_last_one(stage: Stage) -> None:
    await stage.database.pool.execute("DELETE FROM view WHERE kind = 'appointment'")
    elsewhere = {"reclamation_id": UUID(int=998), "created_at": stage.now() - timedelta(days=2)}
    later = {"reclamation_id": UUID(int=999), "created_at": stage.now() - timedelta(days=1)}
    await stage.knows(appointment(id=SECOND, **elsewhere), appointment(id=FIRST, zone=REUNION, **later))
    assert await written(stage, "conflict", "zone") == REUNION


async def test_what_is_left_to_pay_counts_each_payment_once(stage: Stage) -> None:
    earlier = {"amount": Decimal("34.80"), "created_at": stage.now() - timedelta(days=900)}
    await stage.knows(payment(), payment(id=FIRST, **earlier), payment(id=SECOND, status="failed", **earlier))
    assert await written(stage, "paid in part", "balance") == "200.00"


async def written(stage: Stage, name: str, fact: str) -> str:
    """A fact of what is told about this case."""
    await stage.hears(next(case.event for case in CASES if case.name == name))
    [told] = {from_json(row["facts"])[fact] for row in await stage.database.pool.fetch(FACTS)}
    return str(told)


async def test_a_link_ends_on_the_clock_of_its_person(stage: Stage, mailbox: Path) -> None:
    case = next(case.event for case in CASES if case.name == "password reset")
    state = account(world.lea, "Léa Bernard", time_zone=REUNION)
    await stage.hears(case.model_copy(update={"state": state}))
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert "jusqu’au dimanche 1er décembre 2126 à 16 h." in plain(mail).replace(NBSP, " ")


@pytest.mark.parametrize(("days", "said"), [(1, "d’ici demain"), (30, "dans les 30 jours")])
async def test_how_long_a_client_may_answer_is_what_the_admins_decided(
    stage: Stage, mailbox: Path, days: int, said: str
) -> None:
    now = {"version": 1, "created_at": stage.now(), "updated_at": stage.now(), "changed_by": None}
    value = {"closes_after_days": days}
    await stage.knows(
        PolicyView.model_validate({"id": CutOffs.id(), "name": "cut_offs", "value": value} | now)
    )
    await stage.hears(resolved())
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert said in plain(mail)
    assert "sept jours" not in plain(mail)


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("resolved by repaired", ("days",)),
        ("assigned", ("another",)),
        ("booked as planned", ("technician_id", "replaced")),
        ("planned without a time", ("zone", "replaced")),
        ("scheduled", ("zone", "replaced")),
        ("conflict", ("zone",)),
        ("feedback invited", ("zone",)),
        ("invitation", ("zone",)),
        ("password reset", ("zone",)),
    ],
)
async def test_what_an_earlier_release_queued_is_sent(
    stage: Stage, mailbox: Path, name: str, added: tuple[str, ...]
) -> None:
    await stage.hears(next(case.event for case in CASES if case.name == name))
    changed = await stage.database.pool.execute(
        """UPDATE notification SET case_reference = NULL,
            facts = ((facts::jsonb - $1::text[]) || '{"what_is_no_fact_any_more": 1}')::json""",
        list(added),
    )
    assert changed != "UPDATE 0"
    outcome = await stage.runs_effects()
    assert {event.state.status for event in outcome.events} == {"kept_locally"}
    assert await stage.waiting() == []


async def test_what_an_earlier_release_told_counts(stage: Stage) -> None:
    await hear(stage, assigned(world.karim), booked(FIRST, world.karim))
    await stage.runs_effects()
    await stage.database.pool.execute(
        """UPDATE notification SET tried_at = NULL,
            facts = (facts::jsonb - ARRAY['technician_id', 'replaced'])::json
        WHERE template = 'appointment_booked'"""
    )
    await hear(stage, cancelled(FIRST, world.karim))
    assert (await sent(stage))[-1] == "appointment_cancelled"
