"""Moving and cancelling what is booked, by the rules of whoever does it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from sav_calendar.cases import Case
from sav_calendar.choosing import able_technician, check_start, taken
from sav_calendar.copies import able_technicians, has_ended, lock_technician
from sav_calendar.lifecycle import SetOut, check_plannable
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.planning import AnotherTechnician, current_appointment, hours_of, release, settle_conflicts
from sav_calendar.travel import place_of, way_from
from sav_calendar.waiting import end_wish, offer_earlier
from sav_chassis import errors
from sav_chassis.database import sqlstate
from sav_chassis.errors import NotYet, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import STAFF, Actor, Role
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar.appointment import AppointmentCancelled, AppointmentMoved
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.labels import label
from sav_contracts.slot import Slot

# PostgreSQL: a row breaks an exclusion constraint.
EXCLUSION_VIOLATION = "23P01"
HOUR = timedelta(hours=1)


class TooLateToChange(errors.Conflict):
    """A client moves or cancels a visit until the cut-off; later only staff do."""

    code = "too_late"
    reference: str
    hours: int
    en = "The visit for {reference} can be changed here until {hours} hours before it begins; please call us"
    fr = (
        "L’intervention pour {reference} se modifie ici jusqu’à {hours} heures avant son début ; "
        "appelez-nous, s’il vous plaît"
    )


class BeingPlanned(errors.Conflict):
    """The visit of an appointment is still being planned; that takes a moment."""

    code = "being_planned"
    reference: str
    en = "The visit for {reference} is still being planned; try again in a moment"
    fr = "L’intervention pour {reference} est en cours de planification ; réessayez dans un instant"


class NothingBooked(errors.Conflict):
    """Earlier than what is booked: without that every free time may be chosen."""

    code = "nothing_booked"
    reference: str
    en = "No visit is booked for {reference}: choose a time"
    fr = "Aucune intervention n’est réservée pour {reference} : choisissez un créneau"


class WhyChanged(WrongField):
    field: str = "reason"
    en = "say why you change the visit"
    fr = "indiquez pourquoi vous modifiez l’intervention"


async def reschedule(
    tx: Tx,
    appointment: Appointment,
    start: datetime,
    by: Actor,
    reason: str | None,
    technician_id: UUID | None = None,
    closer: str | None = None,
    outside_hours: bool = False,
) -> Appointment:
    """Moves a booked visit in place: the same id and uid, the next sequence. Refused as `MoveAppointment` says.

    Its visit gets the new time by event; a réclamation is given to another technician by event.
    """
    appointment = await lock_booked(tx, appointment, by, technician_id)
    visit = await _changeable(tx, appointment, by, reason)
    previous, before = appointment.technician_id, Slot(start=appointment.start, end=appointment.end)
    who = technician_id or previous
    if (who, start) == (previous, before.start):
        return appointment
    if who != previous and visit.reclamation_id is None:
        # Somebody else makes another visit (ADR 49).
        raise AnotherTechnician(reference=visit.called)
    await able_technician(tx, who, visit.skills_needed)
    await check_start(tx, who, start, before.end - before.start, by, outside_hours)
    await _take(tx, appointment, who, start, closer)
    appointment.reason = reason
    appointment.sequence += 1
    other = who != previous
    if other:
        # Theirs is another visit.
        appointment.intervention_id = None
    told = AppointmentMoved(
        before=before,
        reason=reason,
        previous_technician_id=previous if other else None,
        outside_hours=outside_hours,
    )
    tx.emit(appointment, told)
    tx.remind(offer_earlier, previous, tx.now)
    await settle_conflicts(tx, Case.of(visit).has(PlanningConflict), by)
    return appointment


async def _take(
    tx: Tx, appointment: Appointment, technician_id: UUID, start: datetime, closer: str | None
) -> None:
    """Gives it this time, where the exclusion constraint allows it; else raises `SlotTaken`."""
    length = appointment.end - appointment.start
    try:
        async with tx.savepoint():
            # Its old time is free before the visits beside the new one are looked at.
            appointment.status = "cancelled"
            await tx.flush()
            place = await place_of(tx, appointment.reclamation_id, appointment.intervention_id)
            way = await way_from(tx, technician_id, start, start + length, place, closer is not None)
            appointment.technician_id, appointment.closer = technician_id, closer
            appointment.start, appointment.end = start, start + length
            appointment.travel, appointment.busy_until, appointment.place = way
            appointment.zone = (await hours_of(tx, technician_id)).zone
            appointment.status = "booked"
            await tx.flush()
    except DBAPIError as error:
        if sqlstate(error) != EXCLUSION_VIOLATION:
            raise
        raise await taken(tx, await able_technicians(tx, technician_id), start, length) from None


async def accept_offer(tx: Tx, offer: Appointment, by: Actor) -> Appointment:
    """Moves the client's visit to the earlier time that is held for it."""
    offer.lifecycle.check(offer.status, "booked", by)
    assert offer.reclamation_id is not None, "earlier visits are for réclamations"
    booked = await current_appointment(tx, Case.of(offer))
    if booked is None or booked.status != "booked":
        raise NothingBooked(reference=offer.reclamation_reference or "")
    await end_wish(tx, offer.reclamation_id, by)
    return await reschedule(tx, booked, offer.start, by, None)


async def cancel(tx: Tx, appointment: Appointment, by: Actor, reason: str | None) -> Appointment:
    """Cancels what is held or booked. A visit that was booked waits for another time."""
    appointment = await lock_booked(tx, appointment, by)
    if appointment.status == "held" and appointment.offered_for:
        await end_wish(tx, appointment.reclamation_id, by)
        return appointment
    if appointment.status == "held":
        await release(tx, appointment, reason or "nobody booked it", by)
        return appointment
    visit = await _changeable(tx, appointment, by, reason)
    appointment.move("cancelled", by, reason)
    tx.emit(appointment, AppointmentCancelled(called_off=True))
    await end_wish(tx, appointment.reclamation_id, by)
    tx.remind(offer_earlier, appointment.technician_id, tx.now)
    await settle_conflicts(tx, Case.of(visit).has(PlanningConflict), by)
    return appointment


async def lock_booked(tx: Tx, seen: Appointment, by: Actor, technician_id: UUID | None = None) -> Appointment:
    """The appointment as it is now, after the locks of its technician, of another one and of its case."""
    locked = {seen.technician_id, technician_id or seen.technician_id}
    for id in sorted(locked):
        await lock_technician(tx, id)
    await tx.lock(f"appointment of {Case.of(seen).id}")
    appointment = await tx.load(Appointment, seen.id, by)
    if appointment.technician_id not in locked:
        # It was moved meanwhile. Where two wait for each other here, the database ends one, which is tried again.
        await lock_technician(tx, appointment.technician_id)
    return appointment


async def its_visit(tx: Tx, appointment: Appointment) -> InterventionView:
    """The visit of an appointment, which nobody has set out for. Waits for one that is still being planned."""
    if appointment.intervention_id is None:
        planned = BeingPlanned(reference=appointment.reclamation_reference or "")
        raise NotYet(InterventionView.kind(), appointment.id, planned)
    visit = await tx.view(InterventionView, appointment.intervention_id)
    if await has_ended(tx, visit.id):
        raise SetOut(reference=visit.called, state=label(visit.status))
    check_plannable(visit)
    return visit


async def _changeable(tx: Tx, appointment: Appointment, by: Actor, reason: str | None) -> InterventionView:
    """The visit, where its state and time allow this person to change it."""
    appointment.lifecycle.check(appointment.status, "cancelled", by)
    if by.role is Role.TECHNICIAN and reason is None:
        raise WhyChanged
    visit = await its_visit(tx, appointment)
    if by.role not in STAFF:
        until = (await tx.policy(CutOffs)).changes_until
        if appointment.start - tx.now < until:
            raise TooLateToChange(reference=visit.called, hours=-(-until // HOUR))
    return visit
