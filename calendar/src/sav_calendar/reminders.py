"""Reminders of booked visits: timers that follow the visit, so that one which is moved or cancelled reminds nobody."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_chassis.model import settles
from sav_chassis.tx import Timer, Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.appointment import AppointmentReminderDue, Reminder

# On the clock where the visit is, and early: a day before its start its client may still move or cancel it.
DAY_BEFORE = time(7)
SHORTLY_BEFORE = timedelta(hours=2)


def due_at(which: Reminder, start: datetime, zone: str) -> datetime:
    """When people are reminded of a visit that begins at `start`, in UTC."""
    if which == "two_hours":
        return start - SHORTLY_BEFORE
    there = ZoneInfo(zone)
    day = start.astimezone(there).date() - timedelta(days=1)
    return datetime.combine(day, DAY_BEFORE, there).astimezone(UTC)


@settles(Appointment)
async def follow_start(appointment: Appointment, tx: Tx) -> None:
    """Sets both timers to the start of a booked visit; one whose time is over, or of another visit, is removed."""
    for which, timer in TIMERS.items():
        due = due_at(which, appointment.start, appointment.zone)
        if appointment.status == "booked" and due > tx.now:
            tx.remind(timer, appointment.id, due)
        else:
            tx.forget(timer, appointment.id)


@calendar.timer
async def remind_the_day_before(id: UUID, tx: Tx) -> str | None:
    """Announces on the morning of the day before that a visit is near."""
    return await _remind("day_before", id, tx)


@calendar.timer
async def remind_two_hours_before(id: UUID, tx: Tx) -> str | None:
    """Announces two hours before its start that a visit is near."""
    return await _remind("two_hours", id, tx)


TIMERS: dict[Reminder, Timer] = {"day_before": remind_the_day_before, "two_hours": remind_two_hours_before}


async def _remind(which: Reminder, id: UUID, tx: Tx) -> str | None:
    appointment = await tx.load(Appointment, id, SYSTEM)
    if appointment.status != "booked":
        return f"obsolete: it is {appointment.status}"
    due = due_at(which, appointment.start, appointment.zone)
    if due > tx.now:
        tx.remind(TIMERS[which], id, due)
        return "it begins later"
    # After an outage: once the nearer reminder is due, that one says it.
    nearer = SHORTLY_BEFORE if which == "day_before" else timedelta()
    if tx.now >= appointment.start - nearer:
        return "too late"
    if await _is_in_doubt(tx, id):
        return "its client was told that this time cannot be kept"
    tx.emit(appointment, AppointmentReminderDue(which=which))
    return None


async def _is_in_doubt(tx: Tx, id: UUID) -> bool:
    """Whether its client was asked to choose another time, and nothing is decided yet."""
    asked = select(PlanningConflict.id).where(
        PlanningConflict.status == "open",
        PlanningConflict.appointment_id == id,
        PlanningConflict.offer_grant.is_not(None),
    )
    return await tx.session.scalar(asked.limit(1)) is not None
