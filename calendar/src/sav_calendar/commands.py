"""Holding and booking times, and setting working hours."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.copies import note_known_ends, open_visit, visible_reclamation
from sav_calendar.hours import HORIZON, VISIT, overlapping, public_holidays, starts, too_close
from sav_calendar.lifecycle import check_plannable
from sav_calendar.model import Appointment, Conflict, WorkingHours
from sav_calendar.planning import (
    book,
    check_their_technician,
    claim_time,
    release,
    settle_conflicts,
    standing_appointment,
    taken_times,
)
from sav_calendar.timers import expire_hold
from sav_chassis import errors
from sav_chassis.errors import Invalid, NotFound
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import Buffers, CutOffs
from sav_contracts.calendar import AppointmentChanged, BookAppointment, HoldSlot, HoursChanged, SetHours
from sav_contracts.claims import ReclamationView
from sav_contracts.interventions.visit import TechnicianView

# How long a time is held for whoever chose it.
HOLD = timedelta(minutes=5)
# A period that holds one moment: PostgreSQL and Python count microseconds.
MOMENT = timedelta(microseconds=1)


class SlotTaken(errors.Conflict):
    """Somebody else was first."""

    code = "slot_taken"


class AlreadyBooked(errors.Conflict):
    """A réclamation has one visit at a time."""

    code = "already_booked"


class HoldExpired(errors.Conflict):
    """The time was not booked while it was held."""

    code = "hold_expired"


class TechnicianUnavailable(errors.Conflict):
    """The technician takes no visits."""

    code = "technician_unavailable"


@calendar.command(HoldSlot)
async def hold_slot(cmd: HoldSlot, tx: Tx, by: Actor) -> Appointment:
    """Hold a time for a réclamation, in place of the one that was held for it before."""
    reclamation = await visible_reclamation(tx, cmd.reclamation_id, by)
    await _check_visit(tx, reclamation, cmd.technician_id)
    standing = await standing_appointment(tx, reclamation.id)
    if standing and standing.status == "booked":
        raise AlreadyBooked(f"a visit for {reclamation.reference} stands in the calendar already")
    if standing:
        await release(tx, standing, "another time was chosen", by)
    await _check_start(tx, cmd.technician_id, cmd.start, by)
    held = await claim_time(
        tx,
        client_id=reclamation.client_id,
        technician_id=cmd.technician_id,
        reclamation_id=reclamation.id,
        reclamation_reference=reclamation.reference,
        start=cmd.start,
        end=cmd.start + VISIT,
        status="held",
        held_until=tx.now + HOLD,
    )
    if held is None:
        raise _taken()
    await note_known_ends(tx, reclamation.id)
    tx.remind(expire_hold, held.id, tx.now + HOLD)
    tx.emit(AppointmentChanged, held)
    return held


@calendar.command(BookAppointment)
async def book_appointment(cmd: BookAppointment, tx: Tx, by: Actor) -> Appointment:
    """Book the time that is held, while it is."""
    appointment = await tx.load(Appointment, cmd.appointment_id, by)
    lapsed = appointment.held_until is not None and appointment.held_until <= tx.now
    if lapsed or appointment.status == "expired":
        raise HoldExpired("this time was held for a few minutes and is free again; choose a time once more")
    reclamation = await tx.view(ReclamationView, appointment.reclamation_id)
    await _check_visit(tx, reclamation, appointment.technician_id)
    await note_known_ends(tx, reclamation.id)
    book(tx, appointment, await open_visit(tx, reclamation.id, appointment.technician_id), by)
    await settle_conflicts(tx, Conflict.reclamation_id == reclamation.id, by)
    return appointment


@calendar.command(SetHours)
async def set_hours(cmd: SetHours, tx: Tx, by: Actor) -> WorkingHours:
    """Set a technician's working hours, all of them; visits that are planned stay."""
    if by.role is Role.TECHNICIAN and by.id != cmd.technician_id:
        raise NotFound(f"there is no technician {cmd.technician_id}")
    _check_hours(cmd)
    technician = await tx.view(TechnicianView, cmd.technician_id)
    hours = await tx.first(select(WorkingHours).where(WorkingHours.technician_id == technician.id))
    hours = hours or tx.add(WorkingHours.of(technician.id))
    hours.replace(cmd.zone, cmd.holidays, cmd.shifts)
    tx.emit(HoursChanged, hours)
    return hours


async def _check_visit(tx: Tx, reclamation: ReclamationView, technician_id: UUID) -> None:
    """Whether this technician may visit for this réclamation."""
    check_plannable(reclamation)
    check_their_technician(reclamation, technician_id)
    technician = await tx.view(TechnicianView, technician_id)
    if not technician.active:
        raise TechnicianUnavailable("this technician does not take visits at present; choose another one")


async def _check_start(tx: Tx, technician_id: UUID, start: datetime, by: Actor) -> None:
    """A client chooses among the free times; a manager any time to come, and overlaps are the database's to refuse."""
    if start <= tx.now:
        raise Invalid.field("start", "a visit is planned in the future")
    if start > tx.now + HORIZON:
        raise Invalid.field("start", "at most a year ahead")
    if by.role is not Role.CLIENT:
        return
    hours = await tx.session.get(WorkingHours, WorkingHours.id_of(technician_id))
    soonest = tx.now + (await tx.policy(CutOffs)).notice
    if hours is None or start not in starts(hours.view(), max(start, soonest), start + MOMENT):
        raise Invalid.field("start", "choose one of the free times")
    travel = (await tx.policy(Buffers)).travel
    taken = await taken_times(tx, [technician_id], start, start, travel)
    if any(too_close((start, start + VISIT), span, travel) for span in taken[technician_id]):
        raise _taken()


def _check_hours(cmd: SetHours) -> None:
    if day := overlapping(cmd.shifts):
        raise Invalid.field("shifts", f"two shifts on {day} overlap")
    try:
        public_holidays(cmd.holidays)
    except NotImplementedError:
        raise Invalid.field("holidays", "a country or region whose public holidays are known") from None


def _taken() -> SlotTaken:
    return SlotTaken("this time was just taken; choose another one")
