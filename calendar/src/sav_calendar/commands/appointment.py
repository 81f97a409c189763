"""Holding, booking, moving and cancelling slots."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.choosing import able_technician, check_decides, check_start, next_free, taken, who_could
from sav_calendar.copies import able_technicians, lock_technician, note_known_ends, open_visit, what_for
from sav_calendar.lengths import visit_length
from sav_calendar.lifecycle import check_plannable
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.moving import accept_offer, cancel, its_visit, lock_booked, reschedule
from sav_calendar.planning import (
    book,
    check_their_technician,
    claim_time,
    current_appointment,
    may_choose,
    release,
    settle_conflicts,
)
from sav_calendar.timers import expire_hold
from sav_calendar.waiting import end_wish
from sav_chassis import errors, written
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.calendar.appointment import (
    AppointmentChanged,
    AppointmentMissedByTechnician,
    BookAppointment,
    CancelAppointment,
    HoldSlot,
    MoveAppointment,
    ReportNoShow,
)
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.sentences import Text
from sav_contracts.slot import Slot

# How long a chosen slot is held.
HOLD = timedelta(minutes=5)


class AlreadyBooked(errors.Conflict):
    """A réclamation has one visit at a time, and a visit one time."""

    code = "already_booked"
    reference: str
    when: Text
    en = "A visit for {reference} stands in the calendar already, on {when}"
    fr = "Une intervention est déjà au planning pour {reference}, le {when}"

    @classmethod
    def at(cls, booked: Appointment, what: ReclamationView | InterventionView) -> "AlreadyBooked":
        called = what.called if isinstance(what, InterventionView) else what.reference
        return cls(reference=called, when=_on_its_clock(booked.start, booked.zone))


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


class NotBegun(errors.Conflict):
    """Whether its technician comes is known once they may not arrive any more."""

    code = "not_begun"
    reference: str
    until: Text
    en = "The technician for {reference} may still arrive until {until}; that nobody came can be said from then on"
    fr = (
        "Le technicien peut encore arriver pour {reference} jusqu’au {until} ; "
        "à partir de ce moment, vous pourrez indiquer que personne n’est venu"
    )


@calendar.command(HoldSlot)
async def hold_slot(cmd: HoldSlot, tx: Tx, by: Actor) -> Appointment:
    """Hold a slot for a réclamation or a visit, replacing the one held for it before."""
    check_decides(by, closer=cmd.closer)
    what = await what_for(tx, cmd.reclamation_id, cmd.intervention_id, by)
    await lock_technician(tx, cmd.technician_id)
    await _check_visit(tx, what, cmd.technician_id, by)
    case = Case.of(what)
    current = await current_appointment(tx, case)
    if current and current.status == "booked":
        raise AlreadyBooked.at(current, what)
    if current:
        await release(tx, current, "another_time", by)
    length = await visit_length(tx, what)
    await check_start(tx, cmd.technician_id, cmd.start, length, by, cmd.outside_hours)
    held = await claim_time(
        tx,
        closer=cmd.closer,
        **case._asdict(),
        technician_id=cmd.technician_id,
        start=cmd.start,
        end=cmd.start + length,
        status="held",
        held_until=tx.now + HOLD,
    )
    if held is None:
        raise await taken(tx, await who_could(tx, what, by), cmd.start, length)
    if case.reclamation_id:
        await note_known_ends(tx, case.reclamation_id)
    tx.remind(expire_hold, held.id, tx.now + HOLD)
    tx.emit(held, AppointmentChanged())
    return held


@calendar.command(BookAppointment)
async def book_appointment(cmd: BookAppointment, tx: Tx, by: Actor) -> Appointment:
    """Book a slot while it is held. The same booking repeated is no error."""
    seen = await tx.read(Appointment, cmd.appointment_id, by)
    await lock_technician(tx, seen.technician_id)
    await tx.lock(f"appointment of {Case.of(seen).id}")
    appointment = await tx.load(Appointment, cmd.appointment_id, by)
    if appointment.offered_for:
        return await accept_offer(tx, appointment, by)
    lapsed = appointment.held_until is not None and appointment.held_until <= tx.now
    if lapsed or appointment.status == "expired":
        raise HoldExpired
    what = await what_for(tx, appointment.reclamation_id, appointment.intervention_id, SYSTEM)
    if appointment.status == "booked":
        if appointment.sequence:
            raise AlreadyBooked.at(appointment, what)  # it was moved since
        return appointment
    await _check_visit(tx, what, appointment.technician_id, by)
    visit_id: UUID | None = what.id
    if isinstance(what, ReclamationView):
        await note_known_ends(tx, what.id)
        visit_id = await open_visit(tx, what.id, appointment.technician_id)
    book(tx, appointment, visit_id, by)
    await settle_conflicts(tx, Case.of(what).has(PlanningConflict), by)
    return appointment


async def _check_visit(
    tx: Tx, what: ReclamationView | InterventionView, technician_id: UUID, by: Actor
) -> None:
    """Raises where this technician may not visit for this réclamation, or make this visit."""
    check_plannable(what)
    check_their_technician(what, technician_id)
    technician = await able_technician(tx, technician_id, what.skills_needed)
    if by.role is Role.CLIENT and not may_choose(what, technician):
        raise OutOfZone(name=technician.name)


@calendar.command(MoveAppointment)
async def move_appointment(cmd: MoveAppointment, tx: Tx, by: Actor) -> Appointment:
    """Give a booked visit another time, or another technician."""
    check_decides(by, technician_id=cmd.technician_id, outside_hours=cmd.outside_hours, closer=cmd.closer)
    seen = await tx.read(Appointment, cmd.appointment_id, by)
    return await reschedule(
        tx, seen, cmd.start, by, cmd.reason, cmd.technician_id, cmd.closer, cmd.outside_hours
    )


@calendar.command(CancelAppointment)
async def cancel_appointment(cmd: CancelAppointment, tx: Tx, by: Actor) -> Appointment:
    """Cancel what is held or booked; the visit waits for another time."""
    return await cancel(tx, await tx.read(Appointment, cmd.appointment_id, by), by, cmd.reason)


@calendar.command(ReportNoShow)
async def report_no_show(cmd: ReportNoShow, tx: Tx, by: Actor) -> Appointment:
    """Record that the technician did not come; other times are proposed to the client."""
    appointment = await lock_booked(tx, await tx.read(Appointment, cmd.appointment_id, by), by)
    appointment.move("no_show", by, cmd.reason)
    visit = await its_visit(tx, appointment)
    if tx.now < appointment.arrival_until:
        raise NotBegun(
            reference=visit.called, until=_on_its_clock(appointment.arrival_until, appointment.zone)
        )
    appointment.missed_by = "technician"
    theirs = await able_technicians(tx, appointment.technician_id)
    free = await next_free(tx, theirs, tx.now, appointment.end - appointment.start)
    proposals = [Slot(start=one.start, end=one.end) for one in free]
    tx.emit(appointment, AppointmentMissedByTechnician(proposals=proposals))
    await end_wish(tx, appointment.reclamation_id, by)
    # Nobody decides any more about a time that is over.
    await settle_conflicts(tx, Case.of(visit).has(PlanningConflict), by)
    return appointment


def _on_its_clock(at: datetime, zone: str) -> Text:
    """A time as people at that place read it."""
    there = at.astimezone(ZoneInfo(zone))
    return Text(written.moment(there, "en"), written.moment(there, "fr"))
