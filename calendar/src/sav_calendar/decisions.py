"""What managers decide about visits that do not fit into the calendar."""

from datetime import timedelta
from uuid import UUID

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.commands import SlotTaken, StartInPast, able_technician
from sav_calendar.copies import lock_technician
from sav_calendar.leaving import NOT_SET_OUT, NOT_THERE, end_of_freed_time
from sav_calendar.model import PlanningConflict
from sav_calendar.planning import (
    TooFarAhead,
    claim_time,
    current_appointment,
    hours_of,
    release,
    taken_times,
)
from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.calendar import AppointmentBooked, ConflictResolved, ResolveConflict
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.slot import Slot
from sav_contracts.times import HORIZON


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


class SlotOutsideHours(WrongField):
    field: str = "slot"
    en = "outside the technician’s working hours: say so with `outside_hours`"
    fr = "en dehors des horaires de travail du technicien : confirmez-le avec `outside_hours`"


@calendar.command(ResolveConflict)
async def resolve_conflict(cmd: ResolveConflict, tx: Tx, by: Actor) -> PlanningConflict:
    """Book its technician at another time, or give the visit to somebody else, which follows by event."""
    seen = await tx.read(PlanningConflict, cmd.conflict_id, by)
    who = cmd.technician_id or seen.technician_id
    await lock_technician(tx, who)
    assert seen.intervention_id is not None, "each is about a visit"
    visit = await tx.view(InterventionView, seen.intervention_id)
    await tx.lock(f"appointment of {Case.of(visit).id}")
    conflict = await tx.load(PlanningConflict, seen.id, by)
    conflict.move("resolved", by)
    same = who == conflict.technician_id
    if visit.status not in (NOT_SET_OUT if same else NOT_THERE):
        raise TooLateToDecide(reference=visit.called, state=label(visit.status))
    await able_technician(tx, who, visit.skills_needed)
    if cmd.slot:
        await _check_slot(tx, who, cmd.slot, cmd.outside_hours)
    if same:
        await _book(tx, visit, cmd.slot, by)
    elif cmd.slot and await _is_taken(tx, who, cmd.slot):
        raise SlotTaken
    tx.emit(conflict, ConflictResolved(technician_id=who, slot=cmd.slot, outside_hours=cmd.outside_hours))
    return conflict


async def _check_slot(tx: Tx, technician_id: UUID, slot: Slot, outside_hours: bool) -> None:
    if slot.start <= tx.now:
        raise StartInPast(field="slot")
    if slot.start > tx.now + HORIZON:
        raise TooFarAhead(field="slot")
    if not outside_hours and not (await hours_of(tx, technician_id)).cover(slot.start, slot.end):
        raise SlotOutsideHours


async def _book(tx: Tx, visit: InterventionView, slot: Slot | None, by: Actor) -> None:
    """Books the visit's own technician, in place of what is held or booked for it."""
    if slot is None:
        raise WhenPlease
    case = Case.of(visit)
    if current := await current_appointment(tx, case):
        await release(tx, current, "the visit was planned at another time", by)
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
        raise SlotTaken
    tx.emit(booked, AppointmentBooked())


async def _is_taken(tx: Tx, technician_id: UUID, slot: Slot) -> bool:
    """Whether something is held or booked with them at that time; the calendar decides again when it books."""
    spans = (await taken_times(tx, [technician_id], slot.start, slot.end, timedelta()))[technician_id]
    return any(start < slot.end and slot.start < end for start, end in spans)
