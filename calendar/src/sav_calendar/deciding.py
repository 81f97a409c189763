"""Deciding about a visit that does not fit: a manager does, alone or as a plan proposes, or its client by a link."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_

from sav_calendar.cases import Case
from sav_calendar.choosing import SlotTaken, able_technician, check_slot, taken
from sav_calendar.copies import able_technicians, lock_technician, open_visit
from sav_calendar.hours import too_close
from sav_calendar.leaving import NOT_SET_OUT, NOT_THERE, end_of_freed_time
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.moving import BeingPlanned, move_in_place
from sav_calendar.planning import (
    claim_time,
    current_appointment,
    release,
    settle_conflicts,
    taken_times,
)
from sav_chassis.errors import Conflict, NotYet, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.appointment import AppointmentBooked
from sav_contracts.calendar.conflict import ConflictResolved
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.slot import Slot


class TooLateToDecide(Conflict):
    """The technician is on site, or for another time on the way: the visit has to end first."""

    code = "visit_under_way"
    reference: str
    state: Text
    en = "The visit for {reference} is {state}: it has to end first"
    fr = "L’intervention pour {reference} est à l’état « {state} » : elle doit d’abord se terminer"


class WhenPlease(WrongField):
    field: str = "slot"
    en = "say when its technician goes"
    fr = "indiquez quand son technicien intervient"


async def to_decide(
    tx: Tx, seen: PlanningConflict, technicians: Collection[UUID], by: Actor
) -> tuple[PlanningConflict, InterventionView]:
    """A conflict and its visit, locked as everybody does who takes the time of these technicians for its case."""
    for id in sorted(technicians):
        await lock_technician(tx, id)
    visit = await visit_of(tx, seen)
    await tx.lock(f"appointment of {Case.of(visit).id}")
    conflict = await tx.load(PlanningConflict, seen.id, by)
    # It may have been planned since: whoever is told reads of that visit.
    conflict.intervention_id = visit.id
    return conflict, visit


async def visit_of(tx: Tx, conflict: PlanningConflict) -> InterventionView:
    """The visit that a conflict is about; `NotYet` while it is being planned."""
    id = conflict.intervention_id
    if id is None and conflict.reclamation_id:
        id = await open_visit(tx, conflict.reclamation_id, conflict.technician_id)
    if id is None:
        refusal = BeingPlanned(reference=conflict.reclamation_reference or str(conflict.id))
        raise NotYet(InterventionView.kind(), conflict.id, otherwise=refusal)
    return await tx.view(InterventionView, id)


async def decide(
    tx: Tx,
    conflict: PlanningConflict,
    visit: InterventionView,
    how: ConflictResolved,
    by: Actor,
) -> None:
    """Books its technician at another time, or gives the visit to somebody else, which follows by event."""
    conflict.move("resolved", by)
    who, slot = how.technician_id or conflict.technician_id, how.slot
    same = who == conflict.technician_id
    check_may_go(visit, same)
    await able_technician(tx, who, visit.skills_needed)
    if slot:
        await check_slot(tx, who, slot, how.outside_hours, field="slot")
    if same:
        await _book(tx, visit, how, by)
    elif slot and await is_taken(tx, who, slot):
        raise await taken_with(tx, who, slot)
    tx.emit(conflict, how.model_copy(update={"technician_id": who}))
    # Whatever else did not fit about this visit is decided by that.
    others = and_(Case.of(visit).has(PlanningConflict), PlanningConflict.id != conflict.id)
    await settle_conflicts(tx, others, by)


def check_may_go(visit: InterventionView, same: bool) -> None:
    """Raises `TooLateToDecide` where its technician has set out, or for somebody else where they are on site."""
    if visit.status not in (NOT_SET_OUT if same else NOT_THERE):
        raise TooLateToDecide(reference=visit.called, state=label(visit.status))


async def _book(tx: Tx, visit: InterventionView, how: ConflictResolved, by: Actor) -> None:
    """Books the visit's own technician, in place of what is held or booked for it."""
    if how.slot is None:
        raise WhenPlease
    slot = how.slot
    case = Case.of(visit)
    current = await current_appointment(tx, case)
    if current and (current.status, current.technician_id) == ("booked", visit.technician_id):
        # What is booked keeps its uid and its link: it is moved, or stays where a manager lets it stand.
        if (current.start, current.end) != (slot.start, slot.end):
            current.intervention_id = visit.id
            moved = (how.outside_hours, how.by_client)
            await move_in_place(tx, current, visit.technician_id, slot, None, None, *moved)
        return
    if current:
        await release(tx, current, "another_time", by)
    # They read the new time in place of one that was freed when the technician left.
    await end_of_freed_time(tx, visit, told=False)
    booked = await claim_time(
        tx,
        **(case._asdict() | {"intervention_id": visit.id}),
        technician_id=visit.technician_id,
        start=slot.start,
        end=slot.end,
        status="booked",
    )
    if booked is None:
        raise await taken_with(tx, visit.technician_id, slot)
    tx.emit(booked, AppointmentBooked())


async def is_taken(tx: Tx, technician_id: UUID, slot: Slot, own: Appointment | None = None) -> bool:
    """Whether something but `own` is booked with them then, or too close; the calendar decides again when it books."""
    travel = (await tx.policy(Buffers)).travel
    spans = (await taken_times(tx, [technician_id], slot.start, slot.end, travel))[technician_id]
    # Two of one technician never begin at once.
    its_start = own.start if own and own.technician_id == technician_id else None
    return any(span[0] != its_start and too_close((slot.start, slot.end), span, travel) for span in spans)


async def taken_with(tx: Tx, technician_id: UUID, slot: Slot) -> SlotTaken:
    """The refusal of this time of a technician, with what is free with them."""
    return await taken(tx, await able_technicians(tx, technician_id), slot.start, slot.end - slot.start)
