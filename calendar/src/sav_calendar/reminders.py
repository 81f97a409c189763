"""Reminders of booked visits: timers that follow the visit, so that one which is moved or cancelled reminds nobody.

Nor does one about which a conflict is open: people are reminded once it is settled that it stands.
"""

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
        elif await _is_owed(tx, appointment, due):
            tx.remind(timer, appointment.id, tx.now)
        else:
            tx.forget(timer, appointment.id)


@settles(PlanningConflict)
async def remind_of_what_stands(conflict: PlanningConflict, tx: Tx) -> None:
    """Where a conflict ends and its visit stands, people are reminded now of what was left unsaid meanwhile."""
    # Nearer than that the first reminder is due in every zone.
    if conflict.appointment_id is None or conflict.wanted.start > tx.now + timedelta(days=2):
        return
    appointment = await tx.session.get_one(Appointment, conflict.appointment_id)
    for which, timer in TIMERS.items():
        if await _is_owed(tx, appointment, due_at(which, appointment.start, appointment.zone)):
            tx.remind(timer, appointment.id, tx.now)


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
    conflicts = await _about_its_time(tx, appointment)
    unsettled = any(one.status == "open" for one in conflicts)
    if unsettled and which == "day_before":
        return "nobody knows yet that it takes place"
    asked = any(one.offered and one.updated_at >= due for one in conflicts)
    told = AppointmentReminderDue(which=which, unsettled=unsettled, client_knows=asked and not unsettled)
    tx.emit(appointment, told)
    return None


async def _is_owed(tx: Tx, appointment: Appointment, due: datetime) -> bool:
    """Whether people were to be reminded then, and a conflict was open from then until now."""
    if appointment.status != "booked" or due > tx.now:
        return False
    since = due
    for one in sorted(await _about_its_time(tx, appointment), key=lambda one: one.created_at):
        if one.created_at <= since:
            since = max(since, one.updated_at)
    return since >= tx.now


async def _about_its_time(tx: Tx, appointment: Appointment) -> list[PlanningConflict]:
    """The conflicts about a booked visit as it is now, open or ended."""
    found = await tx.session.scalars(
        select(PlanningConflict).where(PlanningConflict.appointment_id == appointment.id)
    )
    now = (appointment.technician_id, appointment.start)
    return [one for one in found if (one.technician_id, one.wanted.start) == now]
