"""Visits of a technician who takes none any more: their time is freed, and a manager decides who goes instead."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from sav_calendar.cases import Case
from sav_calendar.copies import has_ended
from sav_calendar.hours import VISIT, starts
from sav_calendar.lifecycle import TAKES_TIME
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.planning import current_appointment, hours_of, release, settle_conflicts
from sav_calendar.proposals import (
    AT_ONCE,
    NOTHING_YET,
    PROPOSED_WITHIN,
    Others,
    find_ways_out,
    wanted_from,
    ways_out,
)
from sav_calendar.waiting import take_back_offers
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.appointment import NOT_TOLD_YET, AppointmentCancelled, AppointmentChanged
from sav_contracts.calendar.conflict import Alternative, ConflictDetected, ConflictKind
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_contracts.slot import Slot

LEFT: ConflictKind = "technician_left"
# They have not arrived: another technician can go instead.
NOT_THERE: frozenset[InterventionStatus] = frozenset({"planned", "accepted", "en_route"})
# Nor on the way, where they go on unless a manager decides otherwise.
NOT_SET_OUT: frozenset[InterventionStatus] = NOT_THERE - {"en_route"}


async def free_their_time(tx: Tx, technician_id: UUID, at_once: bool) -> None:
    """Asks a manager about each open visit of a technician who left, and cancels what is held or booked with them.

    Managers are told of all of them `at_once` where the technician has just left; of what is found later, of each.
    Their clients are told once it is settled. Who is on the way or on site stays in the calendar until that visit ends.
    """
    visits = await tx.copies(InterventionView).where(technician_id=technician_id, open=True).all()
    standing = await tx.session.scalars(
        select(Appointment).where(
            Appointment.technician_id == technician_id, Appointment.status.in_(TAKES_TIME)
        )
    )
    by_case = {Case.of(visit).id: visit for visit in visits}
    cases = {case.id: case for case in map(Case.of, [*visits, *standing])}
    others, found = await Others.known(tx) if cases else None, 0
    # In the order of their ids, as everybody who locks several.
    for id in sorted(cases):
        current = await current_appointment(tx, cases[id])
        theirs = current if current and current.technician_id == technician_id else None
        visit = by_case.get(id)
        if visit is None and theirs and theirs.intervention_id:
            visit = await tx.view(InterventionView, theirs.intervention_id)
        if visit and not visit.is_open():
            continue  # its end, which is still to arrive here, ends its appointment
        if visit and await has_ended(tx, visit.id):
            visit = None
        # What is booked may not have come back from its visit yet.
        wanted = Slot(start=theirs.start, end=theirs.end) if theirs else visit.slot if visit else None
        if theirs and (visit is None or visit.status in NOT_SET_OUT):
            await _free(tx, theirs, visit)
        if visit:
            # Of what is found later there is a message for each, which names who could go.
            later = at_once and found >= AT_ONCE
            found += await ask_for_another(tx, visit, wanted, others, at_once, later)
    await take_back_offers(tx, technician_id, None)


async def _free(tx: Tx, theirs: Appointment, visit: InterventionView | None) -> None:
    """Cancels it without a word to its client; of a time that they had only held they know that it expires."""
    if theirs.status == "held":
        return await release(tx, theirs, "technician_away", SYSTEM)
    theirs.intervention_id = visit.id if visit else theirs.intervention_id
    return await release(tx, theirs, NOT_TOLD_YET, SYSTEM, told=False)


async def ask_for_another(
    tx: Tx,
    visit: InterventionView,
    wanted: Slot | None,
    others: Others | None = None,
    one_of_many: bool = False,
    later: bool = False,
) -> bool:
    """Adds the conflict of a visit whose technician left, once; `others`, where there are many such visits.

    Managers get a message about this one, unless it is `one_of_many` of which they are told at once. Who else could go
    is found `later`, by a timer, where it is asked about many. Returns whether there was none yet.
    """
    waiting = (
        await tx.session.scalars(
            select(PlanningConflict)
            .where(PlanningConflict.status == "open", PlanningConflict.intervention_id == visit.id)
            .order_by(PlanningConflict.created_at)
        )
    ).all()
    if any(one.problem == LEFT for one in waiting):
        return False
    # A time that could not be booked is in no visit, and still what its manager wished.
    wished = [one.wanted for one in waiting if not one.no_time_yet]
    wanted = wanted or (wished[-1] if wished else None)
    # Other times of theirs were proposed.
    await settle_conflicts(tx, PlanningConflict.intervention_id == visit.id, SYSTEM)
    others = others or await Others.known(tx)
    ways = NOTHING_YET if later else await ways_out(tx, visit, wanted, others, theirs=False)
    conflict = tx.add(
        PlanningConflict(
            id=tx.new_id(),
            technician_id=visit.technician_id,
            reclamation_id=visit.reclamation_id,
            reclamation_reference=visit.reclamation_reference,
            intervention_id=visit.id,
            problem=LEFT,
            wanted=wanted or await _some_time(tx, visit, ways.alternatives, others.earliest),
            status="open",
            **ways._asdict(),
            no_time_yet=wanted is None,
        )
    )
    tx.emit(conflict, ConflictDetected(one_of_many=one_of_many))
    if later:
        tx.remind(find_ways_out, conflict.id, tx.now)
    return True


async def end_of_freed_time(tx: Tx, visit: InterventionView, told: bool = True) -> bool:
    """Announces that the time of this visit is off, which was freed when its technician left; whether there was one.

    Where `told` is false, its client gets no message: the visit took place, or they have the same time again.
    """
    freed = await tx.first(
        select(Appointment)
        .where(Case.of(visit).has(Appointment), Appointment.reason == NOT_TOLD_YET)
        .where(Appointment.technician_id == visit.technician_id, Appointment.status == "cancelled")
        .where(or_(Appointment.intervention_id == visit.id, Appointment.intervention_id.is_(None)))
        .order_by(Appointment.updated_at.desc())
    )
    if freed is None:
        return False
    freed.reason = "visit_off" if told else "settled"
    tx.emit(freed, AppointmentCancelled(cause="visit_off") if told else AppointmentChanged())
    return True


async def _some_time(
    tx: Tx, visit: InterventionView, alternatives: list[Alternative], earliest: datetime
) -> Slot:
    """A time for a visit that had none: the first that is proposed, or the next one in its technician's working hours."""
    if alternatives:
        return Slot(start=alternatives[0].start, end=alternatives[0].end)
    hours = await hours_of(tx, visit.technician_id)
    since = await wanted_from(tx, visit, None, earliest)
    start = next(starts(hours, since, since + PROPOSED_WITHIN), since)
    return Slot(start=start, end=start + VISIT)
