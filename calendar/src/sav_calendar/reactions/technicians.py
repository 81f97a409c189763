"""Technicians who begin, leave and come back."""

from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.booking import book_or_ask
from sav_calendar.cases import Case
from sav_calendar.copies import lock_technician
from sav_calendar.leaving import LEFT, NOT_SET_OUT, NOT_THERE, end_of_freed_time, free_their_time
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.model.hours import WorkingHours
from sav_calendar.planning import current_appointment, settle_conflicts
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.hours import HoursChanged
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import InterventionView


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
            booked = to_book and await book_or_ask(tx, visit, conflict.wanted, outside_hours=True)
            await end_of_freed_time(tx, visit, told=waits and not booked)
            # What stands again is what it was about: people are reminded of that, and its client is told if they were asked.
            stands = current or (await current_appointment(tx, Case.of(visit)) if booked else None)
            conflict.appointment_id = stands.id if stands else None
