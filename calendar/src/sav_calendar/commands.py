"""Holding and booking slots, and setting working hours."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.copies import note_known_ends, open_visit, visible_reclamation
from sav_calendar.hours import VISIT, overlapping, public_holidays, starts, too_close
from sav_calendar.lifecycle import check_plannable
from sav_calendar.model import Appointment, PlanningConflict, WorkingHours
from sav_calendar.planning import (
    TooFarAhead,
    book,
    check_their_technician,
    claim_time,
    current_appointment,
    hours_of,
    release,
    settle_conflicts,
    taken_times,
)
from sav_calendar.timers import expire_hold
from sav_chassis import errors
from sav_chassis.errors import WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import Buffers, CutOffs
from sav_contracts.calendar import AppointmentChanged, BookAppointment, HoldSlot, HoursChanged, SetHours
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.times import HORIZON

# How long a chosen slot is held.
HOLD = timedelta(minutes=5)
# The smallest step of time: PostgreSQL and Python count microseconds.
MOMENT = timedelta(microseconds=1)


class SlotTaken(errors.Conflict):
    """Somebody else took this time first."""

    code = "slot_taken"
    en = "This time was just taken; choose another one"
    fr = "Ce créneau vient d’être pris ; choisissez-en un autre"


class AlreadyBooked(errors.Conflict):
    """A réclamation has one visit at a time."""

    code = "already_booked"
    reference: str
    en = "A visit for {reference} stands in the calendar already"
    fr = "Une intervention est déjà au planning pour {reference}"


class HoldExpired(errors.Conflict):
    """The time was not booked while it was held."""

    code = "hold_expired"
    en = "This time was held for a few minutes and is free again; choose a time once more"
    fr = "Ce créneau vous était réservé pour quelques minutes et il est de nouveau libre ; choisissez-en un encore une fois"


class TechnicianUnavailable(errors.Conflict):
    """The technician takes no visits."""

    code = "technician_unavailable"
    en = "This technician does not take visits at present; choose another one"
    fr = "Ce technicien ne prend pas d’interventions actuellement ; choisissez-en un autre"


class StartInPast(WrongField):
    field: str = "start"
    en = "a visit is planned in the future"
    fr = "une intervention se planifie dans le futur"


class OutsideHours(WrongField):
    field: str = "start"
    en = "outside the technician’s working hours: say so with `outside_hours`"
    fr = "en dehors des horaires de travail du technicien : confirmez-le avec `outside_hours`"


class NotFree(WrongField):
    field: str = "start"
    en = "choose one of the free times"
    fr = "choisissez l’un des créneaux disponibles"


class ShiftsOverlap(WrongField):
    field: str = "shifts"
    day: Text
    en = "two shifts on {day} overlap"
    fr = "deux plages de travail se chevauchent le {day}"


class HolidaysUnknown(WrongField):
    field: str = "holidays"
    en = "a country or region whose public holidays are known"
    fr = "un pays ou une région dont les jours fériés sont connus"


@calendar.command(HoldSlot)
async def hold_slot(cmd: HoldSlot, tx: Tx, by: Actor) -> Appointment:
    """Hold a slot for a réclamation, replacing the one held for it before."""
    reclamation = await visible_reclamation(tx, cmd.reclamation_id, by)
    await _check_visit(tx, reclamation, cmd.technician_id)
    current = await current_appointment(tx, reclamation.id)
    if current and current.status == "booked":
        raise AlreadyBooked(reference=reclamation.reference)
    if current:
        await release(tx, current, "another time was chosen", by)
    await _check_start(tx, cmd, by)
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
        raise SlotTaken
    await note_known_ends(tx, reclamation.id)
    tx.remind(expire_hold, held.id, tx.now + HOLD)
    tx.emit(held, AppointmentChanged())
    return held


@calendar.command(BookAppointment)
async def book_appointment(cmd: BookAppointment, tx: Tx, by: Actor) -> Appointment:
    """Book a slot while it is held."""
    appointment = await tx.load(Appointment, cmd.appointment_id, by)
    lapsed = appointment.held_until is not None and appointment.held_until <= tx.now
    if lapsed or appointment.status == "expired":
        raise HoldExpired
    reclamation = await tx.view(ReclamationView, appointment.reclamation_id)
    await _check_visit(tx, reclamation, appointment.technician_id)
    await note_known_ends(tx, reclamation.id)
    book(tx, appointment, await open_visit(tx, reclamation.id, appointment.technician_id), by)
    await settle_conflicts(tx, PlanningConflict.reclamation_id == reclamation.id, by)
    return appointment


@calendar.command(SetHours)
async def set_hours(cmd: SetHours, tx: Tx, by: Actor) -> WorkingHours:
    """Replace all working hours of a technician; planned visits stay."""
    technician = await tx.view(TechnicianView, cmd.technician_id, by)
    _check_hours(cmd)
    hours = await tx.first(select(WorkingHours).where(WorkingHours.technician_id == technician.id))
    hours = hours or tx.add(WorkingHours.of(technician.id))
    hours.replace(cmd.zone, cmd.holidays, cmd.shifts)
    tx.emit(hours, HoursChanged())
    return hours


async def _check_visit(tx: Tx, reclamation: ReclamationView, technician_id: UUID) -> None:
    """Raises where this technician may not visit for this réclamation."""
    check_plannable(reclamation)
    check_their_technician(reclamation, technician_id)
    technician = await tx.view(TechnicianView, technician_id)
    if not technician.active:
        raise TechnicianUnavailable


async def _check_start(tx: Tx, cmd: HoldSlot, by: Actor) -> None:
    """Clients choose a free slot; managers any future time. The database refuses overlaps."""
    start, technician_id = cmd.start, cmd.technician_id
    if start <= tx.now:
        raise StartInPast
    if start > tx.now + HORIZON:
        raise TooFarAhead(field="start")
    if by.role is not Role.CLIENT:
        if not cmd.outside_hours and not (await hours_of(tx, technician_id)).cover(start, start + VISIT):
            raise OutsideHours
        return
    hours = await tx.session.get(WorkingHours, WorkingHours.id_of(technician_id))
    soonest = tx.now + (await tx.policy(CutOffs)).notice
    if hours is None or start not in starts(hours.view(), max(start, soonest), start + MOMENT):
        raise NotFree
    travel = (await tx.policy(Buffers)).travel
    taken = await taken_times(tx, [technician_id], start, start, travel)
    if any(too_close((start, start + VISIT), span, travel) for span in taken[technician_id]):
        raise SlotTaken


def _check_hours(cmd: SetHours) -> None:
    if day := overlapping(cmd.shifts):
        raise ShiftsOverlap(day=label(day))
    try:
        public_holidays(cmd.holidays)
    except NotImplementedError:
        raise HolidaysUnknown from None
