"""What the calendar does about news from technicians and visits."""

from datetime import timedelta
from itertools import islice

from sqlalchemy import ColumnElement, and_, or_, select

from sav_calendar.app import calendar
from sav_calendar.copies import is_over
from sav_calendar.hours import HOLIDAYS, USUAL_SHIFTS, ZONE
from sav_calendar.lifecycle import AFTER_VISIT, APPOINTMENT, TAKES_TIME
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
from sav_contracts.claims import Slot
from sav_contracts.interventions import (
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
    if standing and _is_for(standing, visit, slot):
        _link(tx, standing, visit)
        return None
    if slot is None:
        return "no slot yet"
    if standing and standing.intervention_id:
        # A réclamation has one open visit: the other one has ended, and that news is on its way.
        raise NotYet("end of visit", standing.intervention_id)
    if standing:
        await release(tx, standing, "the visit was planned at another time", SYSTEM)
    await _book_or_ask(tx, visit, slot)
    return None


@calendar.on(InterventionMoved)
async def follow_visit(event: InterventionMoved, tx: Tx) -> str | None:
    """When a visit ends, its appointment was kept, or its time is free again."""
    to = AFTER_VISIT.get(event.after)
    if to is None:
        return "the visit goes on"
    settled = await settle_conflicts(tx, Conflict.intervention_id == event.state.id, SYSTEM)
    appointment = await tx.first(select(Appointment).where(_of(event.state)))
    if appointment is None:
        return None if settled else "it has no appointment"
    if to == "cancelled":
        await release(tx, appointment, "the visit does not take place", SYSTEM)
    elif not APPOINTMENT.allows(appointment.status, to):
        return f"obsolete: the appointment is {appointment.status}"
    else:
        appointment.move(to, SYSTEM)
        appointment.intervention_id = event.state.id
        tx.emit(AppointmentKept, appointment)
    return None


def _is_for(standing: Appointment, visit: InterventionView, slot: Slot | None) -> bool:
    """Whether it is this visit that was chosen: nobody else's, and booked, or at the very time that is planned."""
    if standing.intervention_id or standing.technician_id != visit.technician_id:
        return False
    return standing.start == slot.start if slot else standing.status == "booked"


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


def _of(visit: InterventionView) -> ColumnElement[bool]:
    """The held or booked appointment of a visit: linked to it, or not yet, but made before the visit ended."""
    unlinked = and_(
        Appointment.intervention_id.is_(None),
        Appointment.reclamation_id == visit.reclamation_id,
        Appointment.technician_id == visit.technician_id,
        Appointment.created_at < visit.updated_at,
    )
    return and_(Appointment.status.in_(TAKES_TIME), or_(Appointment.intervention_id == visit.id, unlinked))
