"""What is sent twice without an Idempotency-Key: the answer is what stands."""

from uuid import UUID

import pytest
import world
from given_calendar import APPOINTMENT, PARIS, RECLAMATION, appointment, at

from sav_chassis import written
from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.calendar.appointment import BookAppointment, HoldSlot


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=lambda who: who.role)
async def test_the_same_booking_repeated_is_no_error(stage: Stage, who: Actor) -> None:
    hold = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(1, 8))
    held = (await stage.when(hold, by=who)).reply
    book = BookAppointment(appointment_id=UUID(held["id"]))
    first = await stage.when(book, by=who)
    again = await stage.when(book, by=who)
    assert (again.problem, again.events) == (None, [])
    assert (again.reply["status"], again.reply["start"]) == ("booked", first.reply["start"])


async def test_a_booking_repeated_after_it_was_moved_says_what_stands(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), sequence=1))
    refused = await stage.when(BookAppointment(appointment_id=APPOINTMENT), by=world.lea)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code, refused.events) == (409, "already_booked", [])
    stands = written.moment(at(1, 8).astimezone(PARIS), "fr")
    assert refused.problem.in_french().detail == (
        f"Une intervention est déjà au planning pour REC-2026-000100, le {stands}"
    )
