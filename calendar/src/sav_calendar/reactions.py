"""Reactions of the calendar to events about technicians and visits."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.copies import has_ended, has_left, is_over, lock_technician, note_end
from sav_calendar.leaving import (
    LEFT,
    NOT_SET_OUT,
    NOT_THERE,
    ask_for_another,
    end_of_freed_time,
    free_their_time,
)
from sav_calendar.lifecycle import AFTER_VISIT, APPOINTMENT
from sav_calendar.model import Appointment, PlanningConflict, WorkingHours
from sav_calendar.planning import (
    book,
    claim_time,
    current_appointment,
    hours_of,
    release,
    settle_conflicts,
)
from sav_calendar.proposals import proposals_for
from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar import (
    AppointmentAttended,
    AppointmentBooked,
    AppointmentChanged,
    AppointmentMissedByClient,
    ConflictDetected,
    ConflictKind,
    HoursChanged,
)
from sav_contracts.claims.reclamation import ReclamationClosed, ReclamationMoved, ReclamationView
from sav_contracts.claims.visits import NOT_PLANNABLE
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import InterventionMoved, InterventionPlanned, InterventionView
from sav_contracts.slot import Slot
from sav_contracts.times import HORIZON, LONGEST_VISIT, SHORTEST_VISIT

# One day more than `HORIZON`: claims accepted the slot earlier, by another clock.
FARTHEST = HORIZON + timedelta(days=1)


@calendar.on(TechnicianChanged)
async def start_with_usual_hours(event: TechnicianChanged, tx: Tx) -> str | None:
    """A new technician gets the usual working hours."""
    technician = event.state
    if await tx.exists(WorkingHours, WorkingHours.id_of(technician.id)):
        return "they have hours already"
    tx.emit(tx.add(WorkingHours.usual(technician.id)), HoursChanged())
    return None


@calendar.on(TechnicianChanged, since="2026-11-29")
@calendar.on(TechnicianLeft)
async def follow_technician(event: TechnicianChanged | TechnicianLeft, tx: Tx) -> str | None:
    """Nothing stays booked with a technician who takes no visits any more; whoever comes back goes on."""
    technician = await tx.copies(TechnicianView).as_new_as(event.state)
    # Whoever takes their time has this lock too: it is found here, or they know that the technician left.
    await lock_technician(tx, technician.id)
    if technician.active:
        await _take_up_again(tx, technician.id)
    else:
        await free_their_time(tx, technician.id, at_once=isinstance(event, TechnicianLeft))
    return None if tx.has_emitted else "none of their visits is concerned"


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
        _link(tx, current, visit)
        return None
    if current and await _is_overtaken(tx, visit, current):
        return "obsolete: the réclamation went to another technician since"
    if current and (slot or current.technician_id != visit.technician_id):
        await release(tx, current, _why_released(current, visit), SYSTEM)
    if await has_left(tx, visit.technician_id):
        await ask_for_another(tx, visit, slot)
    elif slot:
        await _book_or_ask(tx, visit, slot, event.outside_hours)
    return None if slot or tx.has_emitted else "no slot yet"


@calendar.on(InterventionMoved)
async def follow_visit(event: InterventionMoved, tx: Tx) -> str | None:
    """Marks the appointment of an ended visit as attended or missed, or releases its time."""
    visit, to = event.state, AFTER_VISIT.get(event.after)
    if to is None:
        return "the visit goes on"
    current = await current_appointment(tx, Case.of(visit))
    theirs = current if current and await _was_for(tx, current, visit) else None
    await note_end(tx, visit.id)
    settled = await settle_conflicts(tx, PlanningConflict.intervention_id == visit.id, SYSTEM)
    freed = await end_of_freed_time(tx, visit, told=to == "cancelled" and theirs is None)
    if theirs is None:
        return None if settled or freed else "it has no appointment"
    if to == "cancelled":
        await release(tx, theirs, "the visit does not take place", SYSTEM)
    elif not APPOINTMENT.allows(theirs.status, to, SYSTEM):
        return f"obsolete: the appointment is {theirs.status}"
    else:
        theirs.move(to, SYSTEM)
        theirs.intervention_id = visit.id
        tx.emit(theirs, AppointmentMissedByClient() if to == "no_show" else AppointmentAttended())
    return None


@calendar.on(ReclamationMoved, since="2026-11-29")
@calendar.on(ReclamationClosed, since="2026-11-29")
async def free_chosen_time(event: ReclamationMoved | ReclamationClosed, tx: Tx) -> str | None:
    """Cancels the time that was chosen for a réclamation which gets no visit now: no visit's end would free it.

    Where it was planned already, or is planned after all, the visit has the last word.
    """
    reclamation = event.state
    status = "closed" if isinstance(event, ReclamationClosed) else event.after
    if status not in NOT_PLANNABLE:
        return "it may get a visit"
    # From here on nobody books for it by an older copy; whoever holds a time is waited for.
    await tx.copies(ReclamationView).as_new_as(reclamation)
    current = await current_appointment(tx, Case.of(reclamation))
    if current is None or current.intervention_id:
        return "no time was chosen for it"
    await release(tx, current, f"reclamation_{status}", SYSTEM)
    return None


async def _take_up_again(tx: Tx, technician_id: UUID) -> None:
    """Ends the conflicts of a technician who has come back: their visits are booked again where the time is free.

    A visit whose time is over, or taken, stays a manager's to decide; its client learns that the time is off.
    """
    waiting = await tx.session.scalars(
        select(PlanningConflict)
        .where(PlanningConflict.technician_id == technician_id, PlanningConflict.status == "open")
        .where(PlanningConflict.problem == LEFT)
    )
    # In the order of their cases, as everybody who locks several.
    for conflict in sorted(waiting, key=lambda one: str(one.reclamation_id or one.intervention_id)):
        assert conflict.intervention_id is not None
        visit = await tx.view(InterventionView, conflict.intervention_id)
        current = await current_appointment(tx, Case.of(visit))
        has_none = current is None and visit.status in NOT_THERE
        past = conflict.wanted.start <= tx.now
        waits = has_none and visit.status in NOT_SET_OUT
        if waits and past and not conflict.no_time_yet:
            # A manager still decides when they go.
            await end_of_freed_time(tx, visit)
        elif await settle_conflicts(tx, PlanningConflict.id == conflict.id, SYSTEM) and visit.is_open():
            to_book = has_none and not past and not conflict.no_time_yet
            booked = to_book and await _book_or_ask(tx, visit, conflict.wanted, outside_hours=True)
            await end_of_freed_time(tx, visit, told=waits and not booked)


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


def _why_released(current: Appointment, visit: InterventionView) -> str:
    if current.technician_id != visit.technician_id:
        return "the visit was given to another technician"
    return "the visit was planned at another time"


async def _was_for(tx: Tx, current: Appointment, visit: InterventionView) -> bool:
    """Whether the appointment belongs to this ended visit, linked to it or not yet.

    No clocks are compared. A slot chosen after the end was known here is for the next visit: holding it recorded that
    end. One chosen just before belongs to this visit and ends with it; its client is notified.
    """
    if current.intervention_id:
        return current.intervention_id == visit.id
    return current.technician_id == visit.technician_id and not await has_ended(tx, visit.id)


def _link(tx: Tx, current: Appointment, visit: InterventionView) -> None:
    if current.status == "held":
        book(tx, current, visit.id, SYSTEM)
    else:
        current.intervention_id = visit.id
        tx.emit(current, AppointmentChanged())


async def _book_or_ask(tx: Tx, visit: InterventionView, slot: Slot, outside_hours: bool) -> bool:
    """Books the slot, outside working hours only with `outside_hours`; else adds a conflict. Whether it is booked."""
    problem = await _problem(tx, visit, slot, outside_hours)
    if problem is None:
        booked = await claim_time(
            tx,
            client_id=visit.client_id,
            technician_id=visit.technician_id,
            reclamation_id=visit.reclamation_id,
            reclamation_reference=visit.reclamation_reference,
            intervention_id=visit.id,
            start=slot.start,
            end=slot.end,
            status="booked",
        )
        if booked:
            tx.emit(booked, AppointmentBooked())
            return True
    conflict = tx.add(
        PlanningConflict(
            id=tx.new_id(),
            technician_id=visit.technician_id,
            reclamation_id=visit.reclamation_id,
            reclamation_reference=visit.reclamation_reference,
            intervention_id=visit.id,
            problem=problem or "slot_taken",
            wanted=slot,
            proposals=await proposals_for(tx, visit, slot),
            status="open",
        )
    )
    tx.emit(conflict, ConflictDetected())
    return False


async def _problem(tx: Tx, visit: InterventionView, slot: Slot, outside_hours: bool) -> ConflictKind | None:
    """Why the slot cannot be booked, apart from taken times. Events from before slots were bounded may hold any."""
    possible = SHORTEST_VISIT <= slot.end - slot.start <= LONGEST_VISIT
    if not possible or not -FARTHEST <= slot.start - tx.now <= FARTHEST:
        return "impossible_time"
    if not outside_hours and not (await hours_of(tx, visit.technician_id)).cover(slot.start, slot.end):
        return "outside_hours"
    return None
