"""A visit that is given on, moved and called off at once: its client reads one message, of what stands in the end."""

from pathlib import Path

import pytest
import world
from given_news import FIRST, SECOND, THIRD, assigned, at, booked, cancelled, hear, sent
from given_notifier import LATER, SLOT, appointment
from kept_mails import kept_in, mails, plain

from sav_chassis.testing import Stage, enveloped
from sav_contracts.calendar.appointment import AppointmentMoved
from sav_contracts.messages import Event
from sav_contracts.slot import Slot

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
async def told(stage: Stage) -> Stage:
    """Léa was told that Karim comes, and when."""
    await hear(stage, assigned(world.karim), booked(FIRST, world.karim))
    assert await sent(stage) == ["technician_assigned", "appointment_booked"]
    return stage


@pytest.mark.parametrize("confirmed", [True, False], ids=["who comes instead was read", "and was not"])
@pytest.mark.parametrize("slot", [SLOT, LATER], ids=["same time", "another time"])
async def test_a_visit_that_is_given_on_and_then_called_off_is_one_cancellation(
    told: Stage, mailbox: Path, confirmed: bool, slot: Slot
) -> None:
    await hear(told, assigned(world.sofia, world.karim, version=4), cancelled(FIRST, world.karim))
    await told.hears(booked(SECOND, world.sofia, slot))
    if confirmed:
        await told.effects.worker.once()
    await told.hears(cancelled(SECOND, world.sofia, slot))
    got = await sent(told)
    assert got.count("appointment_booked") == 1 + confirmed
    assert got.count("appointment_cancelled") == 1
    [off] = [mail for mail in mails(mailbox) if "annulé" in str(mail["Subject"])]
    expected = "mercredi 27" if confirmed and slot is LATER else "mardi 26"
    assert expected in plain(off).replace(NBSP, " ")


async def test_a_visit_that_is_given_on_twice_and_then_called_off_is_one_cancellation(told: Stage) -> None:
    for number, (before, after) in enumerate([(FIRST, SECOND), (SECOND, THIRD)]):
        who = (world.karim, world.sofia) if number == 0 else (world.sofia, world.karim)
        await hear(told, cancelled(before, who[0]), booked(after, who[1]))
        await told.effects.worker.once()
    await told.hears(cancelled(THIRD, world.karim))
    assert (await sent(told)).count("appointment_cancelled") == 1


def chosen(slot: Slot, before: Slot, by_client: bool = True, version: int = 2) -> Event:
    """Karim's visit is moved; by its client, unless the test says otherwise."""
    state = appointment(id=FIRST, version=version, **at(world.karim, slot))
    return AppointmentMoved(state=state, before=before, by_client=by_client)


async def next_mail(stage: Stage, mailbox: Path) -> str:
    """The only mail that is sent now."""
    for kept in kept_in(mailbox):
        kept.unlink()
    await stage.runs_effects()
    [mail] = mails(mailbox)
    return plain(mail).replace(NBSP, " ")


@pytest.mark.parametrize("read", [False, True], ids=["before the mail", "after it"])
@pytest.mark.parametrize("slot", [SLOT, LATER, None], ids=["the old time", "their time", "no time"])
async def test_a_time_that_its_client_chose_is_named_where_another_technician_takes_its_place(
    told: Stage, mailbox: Path, slot: Slot | None, read: bool
) -> None:
    """They chose Wednesday as a manager gave their visit to Sofia, without a time or for Tuesday as it was."""
    await told.hears(chosen(LATER, SLOT))
    if read:
        await told.runs_effects()
    off = cancelled(FIRST, world.karim, LATER)
    await told.knows(off.state.model_copy(update={"version": 3}))
    await told.hears(off)
    if slot:
        await told.hears(booked(SECOND, world.sofia, slot))
    text = await next_mail(told, mailbox)
    assert "mercredi 27 novembre 2126" in text
    assert ("Sofia Martin arrive" in text, "est annulé" in text) == (slot is not None, slot is None)
    if slot is SLOT:
        assert "Il remplace celui qui était prévu le mercredi 27 novembre 2126" in text
    assert "mardi 26" in text or slot is not SLOT


async def test_a_time_that_its_client_chose_and_that_a_manager_moves_back_is_named(
    told: Stage, mailbox: Path
) -> None:
    await told.hears(chosen(LATER, SLOT))
    back = chosen(SLOT, LATER, by_client=False, version=3)
    await told.knows(back.state)
    await told.hears(back)
    text = await next_mail(told, mailbox)
    assert "le mardi 26 novembre 2126, entre 9 h et 10 h." in text
    assert "Il remplace celui qui était prévu le mercredi 27 novembre 2126" in text


async def test_a_time_that_its_client_booked_is_cancelled_with_a_word(stage: Stage, mailbox: Path) -> None:
    await stage.hears(enveloped(booked(FIRST, world.karim), world.lea))
    off = cancelled(FIRST, world.karim)
    await stage.knows(off.state)
    await stage.hears(off)
    assert "est annulé" in await next_mail(stage, mailbox)
