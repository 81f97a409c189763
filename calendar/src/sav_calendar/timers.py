"""Timers of the calendar."""

from uuid import UUID

from sav_calendar.app import calendar
from sav_calendar.model import Appointment
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar import AppointmentChanged


@calendar.timer
async def expire_hold(id: UUID, tx: Tx) -> str | None:
    """Expires an appointment that is still held: its time is free again."""
    appointment = await tx.load(Appointment, id, SYSTEM)
    if appointment.status != "held":
        return f"it is {appointment.status}"
    appointment.move("expired", SYSTEM)
    tx.emit(appointment, AppointmentChanged())
    return None
