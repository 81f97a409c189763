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
from sav_calendar.planning import AnotherTechnician, current_appointment, release, settle_conflicts, zone_at
from sav_calendar.travel import address_of, place_of, way_from
from sav_calendar.waiting import end_wish, offer_earlier, take_back_offer
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


class NotOffered(errors.Conflict):
    """An earlier time is held for whoever waits until they answer, for two hours, or until it is taken back."""

    code = "not_offered"
    en = "This earlier time is not held for you any more; your visit stays as it is in the calendar"
    fr = "Ce créneau plus tôt ne vous est plus réservé ; votre rendez-vous reste tel qu’il est au planning"


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
    """Moves a booked visit in place, as `MoveAppointment` says."""
    appointment = await lock_booked(tx, appointment, by, technician_id)
    if appointment.status == "held":
        # Booking is what ends a hold, and what accepts an offer.
        called = appointment.reclamation_reference or (await its_visit(tx, appointment)).called
        raise NothingBooked(reference=called)
    visit = await _changeable(tx, appointment, by, reason)
    length = appointment.end - appointment.start
    who = technician_id or appointment.technician_id
    if (who, start) == (appointment.technician_id, appointment.start):
        return appointment
    if who != appointment.technician_id and visit.reclamation_id is None:
        # Somebody else makes another visit (ADR 49).
        raise AnotherTechnician(reference=visit.called)
    await able_technician(tx, who, visit.skills_needed)
    await check_start(tx, who, start, length, by, outside_hours)
    slot, by_client = Slot(start=start, end=start + length), by.role is Role.CLIENT
    await move_in_place(tx, appointment, who, slot, reason, closer, outside_hours, by_client)
    await settle_conflicts(tx, Case.of(visit).has(PlanningConflict), by)
    return appointment


async def move_in_place(
    tx: Tx,
    appointment: Appointment,
    technician_id: UUID,
    slot: Slot,
    reason: str | None,
    closer: str | None = None,
    outside_hours: bool = False,
    by_client: bool = False,
) -> None:
    """Gives what is booked this time: the same id and uid, the next sequence. Raises `SlotTaken`.

    Its visit gets the new time by event; a réclamation is given to another technician by event. The caller has the locks
    of both technicians and of the case.
    """
    previous, before = appointment.technician_id, Slot(start=appointment.start, end=appointment.end)
    # It may be the very time that is held for them; and with another technician it is no offer any more.
    new_start = slot.start if technician_id == previous else None
    await take_back_offer(tx, appointment.reclamation_id, new_start, told=not by_client)
    await _take(tx, appointment, technician_id, slot, closer)
    appointment.reason = reason
    appointment.sequence += 1
    other = technician_id != previous
    if other:
        # Theirs is another visit.
        appointment.intervention_id = None
    told = AppointmentMoved(
        before=before,
        reason=reason,
        previous_technician_id=previous if other else None,
        outside_hours=outside_hours,
        by_client=by_client,
    )
    tx.emit(appointment, told)
    tx.remind(offer_earlier, previous, tx.now)


async def _take(
    tx: Tx, appointment: Appointment, technician_id: UUID, slot: Slot, closer: str | None
) -> None:
    """Gives it this time, where the exclusion constraint allows it; else raises `SlotTaken`."""
    start, end = slot.start, slot.end
    try:
        async with tx.savepoint():
            # Its old time is free before the visits beside the new one are looked at.
            appointment.status = "cancelled"
            await tx.flush()
            address = await address_of(tx, appointment.reclamation_id, appointment.intervention_id)
            way = await way_from(tx, technician_id, start, end, place_of(address), closer is not None)
            appointment.technician_id, appointment.closer = technician_id, closer
            appointment.start, appointment.end = start, end
            appointment.travel, appointment.busy_until, appointment.place = way
            appointment.zone = await zone_at(tx, address, technician_id)
            appointment.status = "booked"
            await tx.flush()
    except DBAPIError as error:
        if sqlstate(error) != EXCLUSION_VIOLATION:
            raise
        raise await taken(tx, await able_technicians(tx, technician_id), start, end - start) from None


async def accept_offer(tx: Tx, offer: Appointment, by: Actor) -> Appointment:
    """Moves the client's visit to the earlier time that is held for it. The same answer repeated is no error."""
    assert offer.reclamation_id is not None, "earlier visits are for réclamations"
    booked = await current_appointment(tx, Case.of(offer))
    if booked and (booked.technician_id, booked.start) == (offer.technician_id, offer.start):
        return booked
    if offer.status != "held" or offer.held_until is None or offer.held_until <= tx.now:
        raise NotOffered
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
        await release(tx, appointment, "not_booked", by, reason=reason)
        return appointment
    visit = await _changeable(tx, appointment, by, reason)
    appointment.move("cancelled", by, reason)
    tx.emit(appointment, AppointmentCancelled(called_off=True, by_client=by.role is Role.CLIENT))
    await end_wish(tx, appointment.reclamation_id, by)
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
