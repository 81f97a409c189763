"""Visits that are planned, and that end."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from sav_calendar.app import calendar
from sav_calendar.booking import book_or_ask
from sav_calendar.cases import Case
from sav_calendar.conflicts import link_conflicts
from sav_calendar.copies import has_ended, has_left, is_over, lock_technician, note_end
from sav_calendar.leaving import ask_for_another, end_of_freed_time
from sav_calendar.lifecycle import AFTER_VISIT, APPOINTMENT
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.planning import book, current_appointment, release, settle_conflicts
from sav_calendar.waiting import end_wish, take_back_offer
from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.appointment import (
    AppointmentAttended,
    AppointmentChanged,
    AppointmentMissedByClient,
    Freed,
)
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    InterventionMoved,
    InterventionPlanned,
    InterventionView,
)
from sav_contracts.slot import Slot


@calendar.on(InterventionPlanned)
async def put_into_calendar(event: InterventionPlanned, tx: Tx) -> str | None:
    """Books a planned visit at its slot, once. Where its client booked that time already, links that appointment."""
    visit, slot = event.state, event.slot
    if await is_over(tx, visit.id):
        return "obsolete: the visit is over"
    await lock_technician(tx, visit.technician_id)
    if slot is None:
        # Nothing but its copy says that it is there, when its technician leaves.
        await tx.copies(InterventionView).as_new_as(visit)
    current = await current_appointment(tx, Case.of(visit))
    own = current is not None and current.intervention_id == visit.id
    if current and own and not (slot and current.status == "held"):
        return "it is in the calendar already"
    if current and not own and (other := await _unfinished(tx, current)):
        if slot is None:
            return "no slot yet"
        # A réclamation has one open visit: the other one has ended, and the event of that has not arrived yet.
        raise NotYet("end of visit", other)
    if current and _is_for(current, visit, slot):
        await _link(tx, current, visit)
        return None
    if current and await _is_overtaken(tx, visit, current):
        return "obsolete: the réclamation went to another technician since"
    if current and (slot or current.technician_id != visit.technician_id):
        await release(tx, current, _why_released(current, visit), SYSTEM)
    if await has_left(tx, visit.technician_id):
        await ask_for_another(tx, visit, slot)
    elif slot:
        await book_or_ask(tx, visit, slot, event.outside_hours)
    return None if slot or tx.has_emitted else "no slot yet"


@calendar.on(InterventionMoved)
async def follow_visit(event: InterventionMoved, tx: Tx) -> str | None:
    """Marks the appointment of an ended visit as attended or missed, or releases its time."""
    visit, to = event.state, AFTER_VISIT.get(event.after)
    if to is None:
        return await _goes_on(tx, event)
    current = await current_appointment(tx, Case.of(visit))
    theirs = current if current and await _was_for(tx, current, visit) else None
    await note_end(tx, visit.id)
    if event.reason == "reassigned":
        # Whoever waits for an earlier visit does so with the next technician too.
        await take_back_offer(tx, visit.reclamation_id)
    else:
        await end_wish(tx, visit.reclamation_id, SYSTEM)
    settled = await settle_conflicts(tx, _about(visit.id, theirs), SYSTEM)
    freed = await end_of_freed_time(tx, visit, told=to == "cancelled" and theirs is None)
    if theirs is None:
        return None if settled or freed else "it has no appointment"
    # Nobody has to be there before the time that they were promised: then it is only off.
    too_early = to == "no_show" and event.happened_at is not None and event.happened_at < theirs.arrival_from
    if to == "cancelled" or too_early:
        await release(tx, theirs, "visit_off", SYSTEM)
    elif not APPOINTMENT.allows(theirs.status, to, SYSTEM):
        return f"obsolete: the appointment is {theirs.status}"
    else:
        theirs.move(to, SYSTEM)
        theirs.intervention_id = visit.id
        theirs.missed_by = "client" if to == "no_show" else None
        if to == "done":
            theirs.done_at = visit.done_at or event.happened_at or tx.happened_at
            came = (act.at for act in visit.acts if act.to in ("on_site", "in_progress"))
            theirs.came_at = min(next(came, theirs.done_at), theirs.done_at)
        tx.emit(theirs, AppointmentMissedByClient() if to == "no_show" else AppointmentAttended())
    return None


@calendar.on(AssignmentRefused, since="2026-11-30")
async def free_refused_technician(event: AssignmentRefused, tx: Tx) -> str | None:
    """Cancels the time of the technician to whom a visit was moved just as the one before arrived: that one goes on."""
    current = await current_appointment(tx, Case.of(event.state))
    if current is None or current.intervention_id or current.technician_id != event.refused_technician_id:
        return "nothing is booked with them for it"
    await release(tx, current, "technician_there", SYSTEM)
    return None


async def _goes_on(tx: Tx, event: InterventionMoved) -> str | None:
    """Whoever sets out to a visit, or is there, is late for it no more than they are: nobody has to decide about that."""
    comes = event.after in ("en_route", "on_site")
    late = and_(PlanningConflict.intervention_id == event.state.id, PlanningConflict.problem == "overrun")
    settled = comes and await settle_conflicts(tx, late, SYSTEM)
    return None if settled else "the visit goes on"


def _about(visit_id: UUID, theirs: Appointment | None) -> ColumnElement[bool]:
    """The condition that a conflict is about this visit, or about its time while the visit was still being planned."""
    of_visit = PlanningConflict.intervention_id == visit_id
    return or_(of_visit, PlanningConflict.appointment_id == theirs.id) if theirs else of_visit


async def _unfinished(tx: Tx, current: Appointment) -> UUID | None:
    """The id of this appointment's visit, unless its end was recorded."""
    visit_id = current.intervention_id
    return visit_id if visit_id and not await has_ended(tx, visit_id) else None


def _is_for(current: Appointment, visit: InterventionView, slot: Slot | None) -> bool:
    """Whether the appointment is this visit's: same technician, and the same start or, without a slot, booked."""
    if current.technician_id != visit.technician_id:
        return False
    return current.start == slot.start if slot else current.status == "booked"


async def _is_overtaken(tx: Tx, visit: InterventionView, current: Appointment) -> bool:
    """Whether the réclamation was assigned to the appointment's technician after this visit was planned."""
    if visit.reclamation_id is None:
        return False
    reclamation = await tx.view(ReclamationView, visit.reclamation_id)
    later = reclamation.assignment > visit.assignment
    return later and current.technician_id == reclamation.technician_id != visit.technician_id


def _why_released(current: Appointment, visit: InterventionView) -> Freed:
    return "another_time" if current.technician_id == visit.technician_id else "another_technician"


async def _was_for(tx: Tx, current: Appointment, visit: InterventionView) -> bool:
    """Whether the appointment belongs to this ended visit, linked to it or not yet.

    No clocks are compared. A slot chosen after the end was known here is for the next visit: holding it recorded that
    end. One chosen just before belongs to this visit and ends with it; its client is notified.
    """
    if current.intervention_id:
        return current.intervention_id == visit.id
    return current.technician_id == visit.technician_id and not await has_ended(tx, visit.id)


async def _link(tx: Tx, current: Appointment, visit: InterventionView) -> None:
    if current.status == "held":
        book(tx, current, visit.id, SYSTEM)
    else:
        current.intervention_id = visit.id
        tx.emit(current, AppointmentChanged())
    await link_conflicts(tx, current, visit)
