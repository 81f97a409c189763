"""What the calendar does about news from technicians and visits."""

from datetime import timedelta
from itertools import islice
from uuid import UUID

from sav_calendar.app import calendar
from sav_calendar.copies import has_ended, is_over, note_end
from sav_calendar.hours import HOLIDAYS, USUAL_SHIFTS, ZONE
from sav_calendar.lifecycle import AFTER_VISIT, APPOINTMENT
from sav_calendar.model import Appointment, Conflict, WorkingHours
from sav_calendar.planning import (
    book,
    claim_time,
    openings,
    release,
    settle_conflicts,
    standing_appointment,
)
from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar import (
    AppointmentBooked,
    AppointmentChanged,
    AppointmentKept,
    ConflictDetected,
    HoursChanged,
)
from sav_contracts.claims import ReclamationView, Slot
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionView,
    TechnicianChanged,
)

PROPOSALS = 3
# How far ahead other times are looked for.
PROPOSED_WITHIN = timedelta(weeks=2)


@calendar.on(TechnicianChanged)
async def start_with_usual_hours(event: TechnicianChanged, tx: Tx) -> str | None:
    """A new technician works at the usual hours until they say otherwise."""
    technician = event.state
    if await tx.exists(WorkingHours, WorkingHours.id_of(technician.id)):
        return "they have hours already"
    hours = tx.add(WorkingHours.of(technician.id))
    hours.replace(ZONE, HOLIDAYS, USUAL_SHIFTS)
    tx.emit(HoursChanged, hours)
    return None


@calendar.on(InterventionPlanned)
async def put_into_calendar(event: InterventionPlanned, tx: Tx) -> str | None:
    """A planned visit is booked at its time, once: where its client booked that time first, that is the one."""
    visit, slot = event.state, event.slot
    if await is_over(tx, visit.id):
        return "obsolete: the visit is over"
    standing = await standing_appointment(tx, visit.reclamation_id)
    if standing and standing.intervention_id == visit.id:
        return "it is in the calendar already"
    if standing and (other := await _unfinished(tx, standing)):
        if slot is None:
            return "no slot yet"
        # A réclamation has one open visit: the other one has ended, and that news is on its way.
        raise NotYet("end of visit", other)
    if standing and _is_for(standing, visit, slot):
        _link(tx, standing, visit)
        return None
    if standing and await _is_overtaken(tx, visit, standing):
        return "obsolete: the réclamation went to another technician since"
    if standing and (slot or standing.technician_id != visit.technician_id):
        await release(tx, standing, _why_released(standing, visit), SYSTEM)
    elif slot is None:
        return "no slot yet"
    if slot:
        await _book_or_ask(tx, visit, slot)
    return None


@calendar.on(InterventionMoved)
async def follow_visit(event: InterventionMoved, tx: Tx) -> str | None:
    """When a visit ends, its appointment was kept, or its time is free again."""
    visit, to = event.state, AFTER_VISIT.get(event.after)
    if to is None:
        return "the visit goes on"
    standing = await standing_appointment(tx, visit.reclamation_id)
    theirs = standing if standing and await _was_for(tx, standing, visit) else None
    await note_end(tx, visit.id)
    settled = await settle_conflicts(tx, Conflict.intervention_id == visit.id, SYSTEM)
    if theirs is None:
        return None if settled else "it has no appointment"
    if to == "cancelled":
        await release(tx, theirs, "the visit does not take place", SYSTEM)
    elif not APPOINTMENT.allows(theirs.status, to, SYSTEM):
        return f"obsolete: the appointment is {theirs.status}"
    else:
        theirs.move(to, SYSTEM)
        theirs.intervention_id = visit.id
        tx.emit(AppointmentKept, theirs)
    return None


async def _unfinished(tx: Tx, standing: Appointment) -> UUID | None:
    """The visit it is for, where the end of that one is still to come here, and what becomes of the time with it."""
    visit_id = standing.intervention_id
    return visit_id if visit_id and not await has_ended(tx, visit_id) else None


def _is_for(standing: Appointment, visit: InterventionView, slot: Slot | None) -> bool:
    """Whether it is this visit that was chosen: its technician's, and booked, or at the very time that is planned."""
    if standing.technician_id != visit.technician_id:
        return False
    return standing.start == slot.start if slot else standing.status == "booked"


async def _is_overtaken(tx: Tx, visit: InterventionView, standing: Appointment) -> bool:
    """Whether the réclamation was given to the technician of what stands there after this visit was planned."""
    reclamation = await tx.view(ReclamationView, visit.reclamation_id)
    later = reclamation.assignment > visit.assignment
    return later and standing.technician_id == reclamation.technician_id != visit.technician_id


def _why_released(standing: Appointment, visit: InterventionView) -> str:
    if standing.technician_id != visit.technician_id:
        return "the visit was given to another technician"
    return "the visit was planned at another time"


async def _was_for(tx: Tx, standing: Appointment, visit: InterventionView) -> bool:
    """Whether it goes with a visit that ended: linked to it, or not yet.

    No clocks are compared: a time that was chosen when the end was known is for the next visit, and its hold noted
    that. One chosen in the moment before the end was known here goes with this visit, and its client is told.
    """
    if standing.intervention_id:
        return standing.intervention_id == visit.id
    return standing.technician_id == visit.technician_id and not await has_ended(tx, visit.id)


def _link(tx: Tx, standing: Appointment, visit: InterventionView) -> None:
    if standing.status == "held":
        book(tx, standing, visit.id, SYSTEM)
    else:
        standing.intervention_id = visit.id
        tx.emit(AppointmentChanged, standing)


async def _book_or_ask(tx: Tx, visit: InterventionView, slot: Slot) -> None:
    """Books the slot, also outside working hours, since a manager chose it; where it is taken, a manager decides."""
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
        tx.emit(AppointmentBooked, booked)
        return
    conflict = tx.add(
        Conflict(
            id=tx.new_id(),
            technician_id=visit.technician_id,
            reclamation_id=visit.reclamation_id,
            reclamation_reference=visit.reclamation_reference,
            intervention_id=visit.id,
            problem="slot_taken",
            wanted=slot,
            proposals=await _proposals(tx, visit),
            status="open",
        )
    )
    tx.emit(ConflictDetected, conflict)


async def _proposals(tx: Tx, visit: InterventionView) -> list[Slot]:
    free = await openings(tx, tx.now, tx.now + PROPOSED_WITHIN, visit.technician_id)
    return [Slot(start=one.start, end=one.end) for one in islice(free, PROPOSALS)]
