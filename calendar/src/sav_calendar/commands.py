"""Holding and booking slots, and setting working hours."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.copies import lock_technician, note_known_ends, open_visit, what_for
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
    may_choose,
    release,
    settle_conflicts,
    taken_times,
)
from sav_calendar.timers import expire_hold
from sav_chassis import errors
from sav_chassis.errors import WrongField
from sav_chassis.shared_refusals import check_able
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.policy import Buffers, CutOffs
from sav_contracts.calendar import AppointmentChanged, BookAppointment, HoldSlot, HoursChanged, SetHours
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import Skill, TechnicianView
from sav_contracts.interventions.visit import InterventionView
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
    """A réclamation has one visit at a time, and a visit one time."""

    code = "already_booked"
    reference: str
    en = "A visit for {reference} stands in the calendar already"
    fr = "Une intervention est déjà au planning pour {reference}"


class HoldExpired(errors.Conflict):
    """The time was not booked while it was held."""

    code = "hold_expired"
    en = "This time was held for a few minutes and is free again; choose a time once more"
    fr = "Ce créneau vous était réservé pour quelques minutes et il est de nouveau libre ; choisissez-en un encore une fois"


class OutOfZone(errors.Conflict):
    """A client chooses among the technicians who work where the appliance is; managers choose anybody."""

    code = "out_of_zone"
    name: str
    en = "{name} does not work there; choose another technician"
    fr = "{name} n’intervient pas à cet endroit ; choisissez un autre technicien"


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
    """Hold a slot for a réclamation or a visit, replacing the one held for it before."""
    what = await what_for(tx, cmd.reclamation_id, cmd.intervention_id, by)
    await lock_technician(tx, cmd.technician_id)
    await _check_visit(tx, what, cmd.technician_id, by)
    case = Case.of(what)
    current = await current_appointment(tx, case)
    if current and current.status == "booked":
        raise AlreadyBooked(reference=what.called if isinstance(what, InterventionView) else what.reference)
    if current:
        await release(tx, current, "another time was chosen", by)
    await _check_start(tx, cmd, by)
    held = await claim_time(
        tx,
        **case._asdict(),
        technician_id=cmd.technician_id,
        start=cmd.start,
        end=cmd.start + VISIT,
        status="held",
        held_until=tx.now + HOLD,
    )
    if held is None:
        raise SlotTaken
    if case.reclamation_id:
        await note_known_ends(tx, case.reclamation_id)
    tx.remind(expire_hold, held.id, tx.now + HOLD)
    tx.emit(held, AppointmentChanged())
    return held


@calendar.command(BookAppointment)
async def book_appointment(cmd: BookAppointment, tx: Tx, by: Actor) -> Appointment:
    """Book a slot while it is held."""
    await lock_technician(tx, (await tx.read(Appointment, cmd.appointment_id, by)).technician_id)
    appointment = await tx.load(Appointment, cmd.appointment_id, by)
    lapsed = appointment.held_until is not None and appointment.held_until <= tx.now
    if lapsed or appointment.status == "expired":
        raise HoldExpired
    what = await what_for(tx, appointment.reclamation_id, appointment.intervention_id, SYSTEM)
    await _check_visit(tx, what, appointment.technician_id, by)
    visit_id: UUID | None = what.id
    if isinstance(what, ReclamationView):
        await note_known_ends(tx, what.id)
        visit_id = await open_visit(tx, what.id, appointment.technician_id)
    book(tx, appointment, visit_id, by)
    await settle_conflicts(tx, Case.of(what).has(PlanningConflict), by)
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


async def _check_visit(
    tx: Tx, what: ReclamationView | InterventionView, technician_id: UUID, by: Actor
) -> None:
    """Raises where this technician may not visit for this réclamation, or make this visit."""
    check_plannable(what)
    check_their_technician(what, technician_id)
    technician = await able_technician(tx, technician_id, what.skills_needed)
    if by.role is Role.CLIENT and not may_choose(what, technician):
        raise OutOfZone(name=technician.name)


async def able_technician(tx: Tx, technician_id: UUID, needed: Collection[Skill]) -> TechnicianView:
    """The technician, who takes visits and can do this work; raises the refusal that says why not."""
    technician = await tx.view(TechnicianView, technician_id)
    check_able(technician, needed)
    return technician


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
