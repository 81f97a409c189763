"""Timers of the calendar."""

from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.model.waiting import EarlierVisit
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.appointment import AppointmentChanged
from sav_contracts.calendar.offer import OfferUnanswered
from sav_contracts.calendar.waiting import EarlierVisitChanged


@calendar.timer
async def expire_hold(id: UUID, tx: Tx) -> str | None:
    """Expires an appointment that is still held: its time is free again."""
    seen = await tx.read(Appointment, id, SYSTEM)
    # Whoever ends a wish locks it before what is held for it.
    wish = await tx.load(EarlierVisit, seen.offered_for, SYSTEM) if seen.offered_for else None
    appointment = await tx.load(Appointment, id, SYSTEM)
    if appointment.status != "held":
        return f"it is {appointment.status}"
    appointment.move("expired", SYSTEM)
    tx.emit(appointment, AppointmentChanged())
    if wish:
        wish.end(SYSTEM)
        tx.emit(wish, EarlierVisitChanged())
    return None


@calendar.timer
async def await_answer(grant: UUID, tx: Tx) -> str | None:
    """Announces that a client has not chosen one of the times that were offered with this grant."""
    conflict = await tx.first(select(PlanningConflict).where(PlanningConflict.offer_grant == grant))
    if conflict is None:
        return "obsolete: other times were offered since"
    if conflict.status != "open":
        return f"obsolete: it is {conflict.status}"
    tx.emit(conflict, OfferUnanswered())
    return None
