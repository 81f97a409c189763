"""Booking what was planned, or asking a manager where it does not fit."""

from datetime import timedelta

from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.planning import claim_time, hours_of
from sav_calendar.proposals import Others, ways_out
from sav_chassis.tx import Tx
from sav_contracts.calendar.appointment import AppointmentBooked
from sav_contracts.calendar.conflict import ConflictDetected, ConflictKind
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot
from sav_contracts.times import HORIZON, LONGEST_VISIT, SHORTEST_VISIT

# One day more than `HORIZON`: claims accepted the slot earlier, by another clock.
FARTHEST = HORIZON + timedelta(days=1)


async def book_or_ask(tx: Tx, visit: InterventionView, slot: Slot, outside_hours: bool) -> bool:
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
            status="open",
            **(await ways_out(tx, visit, slot, await Others.known(tx)))._asdict(),
        )
    )
    tx.emit(conflict, ConflictDetected())
    return False


async def _problem(tx: Tx, visit: InterventionView, slot: Slot, outside_hours: bool) -> ConflictKind | None:
    """Why the slot cannot be booked, apart from taken times. Events from before slots were bounded may hold any."""
    possible = SHORTEST_VISIT <= slot.end - slot.start <= LONGEST_VISIT
    if not possible or not -FARTHEST <= slot.start - tx.now <= FARTHEST:
        return "impossible_time"
    work = await hours_of(tx, visit.technician_id)
    if outside_hours or work.cover(slot.start, slot.end):
        return None
    return "absence" if work.is_away(slot.start, slot.end) else "outside_hours"
