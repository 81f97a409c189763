"""Timers of the calendar."""

from uuid import UUID

from sav_calendar.app import calendar
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.waiting import EarlierVisit
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.appointment import AppointmentChanged
from sav_contracts.calendar.waiting import EarlierVisitChanged


@calendar.timer
async def expire_hold(id: UUID, tx: Tx) -> str | None:
    """Expires an appointment that is still held: its time is free again."""
    appointment = await tx.load(Appointment, id, SYSTEM)
    if appointment.status != "held":
        return f"it is {appointment.status}"
    appointment.move("expired", SYSTEM)
    tx.emit(appointment, AppointmentChanged())
    if appointment.offered_for:
        wish = await tx.load(EarlierVisit, appointment.offered_for, SYSTEM)
        wish.end(SYSTEM)
        tx.emit(wish, EarlierVisitChanged())
    return None
