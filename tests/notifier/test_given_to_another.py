"""A visit for no réclamation that is given to another technician: its client reads who comes, and instead of whom."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import world
from given_notifier import LATER, SLOT, appointment
from kept_mails import mails, plain
from notifier_cases_by_hand import UPKEEP, booked, upkeep

from sav_chassis.testing import Stage
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentCancelled
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot

THEIRS, SOFIAS = UUID(int=601), UUID(int=602)


def given_on(**fields: Any) -> InterventionView:
    before = upkeep().created_at
    usual: dict[str, Any] = {
        "id": THEIRS,
        "technician_id": world.sofia.id,
        "created_at": before.replace(year=2027),
    }
    return upkeep(**(usual | fields))


def sofia_comes(slot: Slot) -> AppointmentBooked:
    times = {"start": slot.start, "end": slot.end, "arrival_from": slot.start, "arrival_until": slot.end}
    of_it = {"reclamation_id": None, "reclamation_reference": None, "intervention_id": THEIRS}
    return AppointmentBooked(state=appointment(id=SOFIAS, technician_id=world.sofia.id, **times, **of_it))


@pytest.fixture
async def given(stage: Stage) -> Stage:
    """Karim's visit is Sofia's now; its client had been told that Karim comes."""
    await stage.hears(AppointmentBooked(state=booked()))
    await stage.runs_effects()
    await stage.knows(upkeep(status="cancelled", reason="reassigned", version=4), given_on())
    return stage


async def off(stage: Stage, mailbox: Path) -> str:
    await stage.hears(AppointmentCancelled(state=booked(status="cancelled", version=2)))
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "annulé" in mail["Subject"]]
    return plain(mail)


async def test_without_a_time_the_client_reads_who_comes_and_that_the_time_follows(
    given: Stage, mailbox: Path
) -> None:
    said = await off(given, mailbox)
    assert "Sofia Martin" in said
    assert "Dès qu’un nouvel horaire est fixé" in said
    assert "Aucune autre visite" not in said


async def test_nobody_is_promised_where_that_visit_was_cancelled_too(given: Stage, mailbox: Path) -> None:
    await given.knows(given_on(status="cancelled", reason="other", version=2))
    assert "Aucune autre visite n’est prévue" in await off(given, mailbox)


async def test_it_waits_for_the_visit_that_took_its_place(stage: Stage, mailbox: Path) -> None:
    await stage.hears(AppointmentBooked(state=booked()))
    await stage.runs_effects()
    await stage.knows(upkeep(status="cancelled", reason="reassigned", version=4))
    await stage.hears(AppointmentCancelled(state=booked(status="cancelled", version=2)))
    await stage.knows(given_on())
    await stage.runs_effects()
    assert "Aucune autre visite" not in " ".join(plain(mail) for mail in mails(mailbox))


@pytest.mark.parametrize("slot", [SLOT, LATER])
async def test_a_confirmation_names_whom_its_technician_replaces(
    given: Stage, mailbox: Path, slot: Slot
) -> None:
    await given.hears(AppointmentCancelled(state=booked(status="cancelled", version=2)))
    await given.hears(sofia_comes(slot))
    await given.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "Sofia Martin" in plain(mail)]
    assert "à la place de Karim Haddad" in plain(mail)


async def test_the_first_appointment_replaces_nobody(stage: Stage, mailbox: Path) -> None:
    assert upkeep().id == UPKEEP
    await stage.hears(AppointmentBooked(state=booked()))
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert "à la place de" not in plain(mail)
