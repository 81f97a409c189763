"""Booked visits that do not fit any more: somebody is away then, their hours changed, or the visit before goes on.

They stay booked until a manager, or the client, decides. Their clients are told of what is decided alone.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.copies import has_ended, lock_technician
from sav_calendar.hours import Work
from sav_calendar.leaving import NOT_SET_OUT, NOT_THERE
from sav_calendar.lifecycle import TAKES_TIME
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.planning import current_appointment, hours_of, release, settle_conflicts
from sav_calendar.proposals import Others, WaysOut, ways_out
from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.conflict import AlsoInConflict, ConflictChanged, ConflictDetected, ConflictKind
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_contracts.slot import Slot

# Their technician is there, and goes nowhere else.
BUSY: list[InterventionStatus] = ["on_site", "in_progress"]


async def find_conflicts(
    tx: Tx,
    technician_id: UUID,
    since: datetime,
    until: datetime,
    problem: ConflictKind,
    fitted: Callable[[datetime, datetime], bool] | None = None,
) -> list[PlanningConflict]:
    """Adds a conflict for each booked visit of a technician between these times that does not fit any more.

    `absence`: they are away then. `outside_hours`: their hours are others now; `fitted` says whether a visit was within
    the hours before, since some are outside on purpose. What is only held is released: nobody is promised anything.
    Each visit has one conflict of a kind. Managers are told of all of them at once.
    """
    await lock_technician(tx, technician_id)
    found: list[PlanningConflict] = []
    others: Others | None = None
    # In the order of their cases, as everybody who locks several.
    broken = await broken_visits(tx, technician_id, since, until, problem)
    if fitted:
        broken = [one for one in broken if fitted(one.start, one.end)]
    for case in sorted(map(Case.of, broken), key=lambda case: case.id):
        current = await current_appointment(tx, case)
        if current is None or current not in broken:
            continue
        if current.status == "held":
            await release(tx, current, "the technician is not there then", SYSTEM)
            continue
        if await _is_asked(tx, current, problem):
            continue
        visit = await _visit_of(tx, current)
        if visit and (visit.status not in NOT_THERE or await has_ended(tx, visit.id)):
            continue
        others = others or await Others.known(tx)
        found.append(await _ask(tx, current, visit, problem, others))
    _tell(tx, found)
    return found


async def broken_visits(
    tx: Tx, technician_id: UUID, since: datetime, until: datetime, problem: ConflictKind
) -> list[Appointment]:
    """What stands in the calendar between these times; of `outside_hours`, what is outside."""
    standing = await standing_visits(tx, technician_id, since, until)
    if problem != "outside_hours":
        return standing
    hours = await hours_of(tx, technician_id)
    return [one for one in standing if not hours.cover(one.start, one.end)]


async def standing_visits(tx: Tx, technician_id: UUID, since: datetime, until: datetime) -> list[Appointment]:
    """What is held or booked with them between these times, and is still to come; not what is offered beside it."""
    standing = await tx.session.scalars(
        select(Appointment)
        .where(Appointment.technician_id == technician_id, Appointment.status.in_(TAKES_TIME))
        .where(Appointment.start < until, Appointment.end > max(since, tx.now))
        .where(Appointment.offered_for.is_(None))
        .order_by(Appointment.start, Appointment.id)
    )
    return list(standing)


async def end_what_fits(tx: Tx, technician_id: UUID) -> int:
    """Ends the conflicts of booked visits that fit again: an absence was removed, or hours changed. How many it ended.

    A visit that was never booked at its time still needs a decision. The caller has the technician's lock.
    """
    work = await hours_of(tx, technician_id)
    waiting = await tx.session.scalars(
        select(PlanningConflict).where(
            PlanningConflict.technician_id == technician_id,
            PlanningConflict.status == "open",
            PlanningConflict.problem.in_(["absence", "outside_hours"]),
            PlanningConflict.appointment_id.is_not(None),
        )
    )
    over = [one.id for one in waiting if _fits(one, work)]
    return await settle_conflicts(tx, PlanningConflict.id.in_(over), SYSTEM)


def _fits(conflict: PlanningConflict, work: Work) -> bool:
    wanted = conflict.wanted
    if conflict.problem == "absence":
        return not work.is_away(wanted.start, wanted.end)
    return work.cover(wanted.start, wanted.end)


@settles(Appointment)
async def await_overrun(appointment: Appointment, tx: Tx) -> None:
    """Sets the timer to the start of a booked visit, whoever books or moves it. Where it is over, the timer finds that."""
    if appointment.status == "booked" and appointment.start > tx.now:
        tx.remind(look_for_overrun, appointment.id, appointment.start)


@calendar.timer
async def look_for_overrun(id: UUID, tx: Tx) -> str | None:
    """Asks a manager about a visit that begins now while its technician is still at another one."""
    seen = await tx.read(Appointment, id, SYSTEM)
    if seen.status != "booked":
        return f"obsolete: it is {seen.status}"
    await lock_technician(tx, seen.technician_id)
    current = await current_appointment(tx, Case.of(seen))
    if current is None or current.id != id or current.status != "booked":
        return "obsolete: it is not booked any more"
    if current.start > tx.now:
        tx.remind(look_for_overrun, id, current.start)
        return "it begins later"
    visit = await _visit_of(tx, current)
    if visit is None or visit.status not in NOT_SET_OUT:
        return "its technician is on the way, or its visit is not known"
    if not await _is_busy(tx, current):
        return "its technician is free"
    if await _is_asked(tx, current, "overrun"):
        return "a manager decides already"
    _tell(tx, [await _ask(tx, current, visit, "overrun", await Others.known(tx))])
    return None


async def link_conflicts(tx: Tx, appointment: Appointment, visit: InterventionView) -> None:
    """The visit of a booked time is known now: the conflicts about that time are about it."""
    waiting = await tx.session.scalars(
        select(PlanningConflict)
        .where(PlanningConflict.status == "open", PlanningConflict.appointment_id == appointment.id)
        .where(PlanningConflict.intervention_id.is_(None))
        .order_by(PlanningConflict.id)
        .with_for_update()
    )
    for conflict in waiting:
        conflict.intervention_id = visit.id
        tx.emit(conflict, ConflictChanged())


async def _is_busy(tx: Tx, due: Appointment) -> bool:
    """Whether its technician is at another visit, as far as is known here."""
    visits = tx.copies(InterventionView).where(technician_id=due.technician_id, status=BUSY)
    for visit in await visits.all():
        if visit.id != due.intervention_id and not await has_ended(tx, visit.id):
            return True
    return False


async def _is_asked(tx: Tx, about: Appointment, problem: ConflictKind) -> bool:
    found = await tx.session.scalar(
        select(PlanningConflict.id).where(
            PlanningConflict.status == "open",
            PlanningConflict.appointment_id == about.id,
            PlanningConflict.problem == problem,
        )
    )
    return found is not None


async def _visit_of(tx: Tx, appointment: Appointment) -> InterventionView | None:
    """The visit of a booked time; None while it is still being planned, or not known here yet."""
    id = appointment.intervention_id
    return await tx.copies(InterventionView).one(id) if id else None


async def _ask(
    tx: Tx,
    about: Appointment,
    visit: InterventionView | None,
    problem: ConflictKind,
    others: Others,
) -> PlanningConflict:
    wanted = Slot(start=about.start, end=about.end)
    ways = await ways_out(tx, visit, wanted, others) if visit else WaysOut([], [], [])
    return tx.add(
        PlanningConflict(
            id=tx.new_id(),
            technician_id=about.technician_id,
            reclamation_id=about.reclamation_id,
            reclamation_reference=about.reclamation_reference,
            intervention_id=about.intervention_id,
            appointment_id=about.id,
            problem=problem,
            wanted=wanted,
            status="open",
            **ways._asdict(),
        )
    )


def _tell(tx: Tx, found: list[PlanningConflict]) -> None:
    """Announces them: the first with the others, of which managers read in the message about it."""
    for place, conflict in enumerate(found):
        others = [] if place else [_also(one) for one in found[1:]]
        tx.emit(conflict, ConflictDetected(one_of_many=bool(place), others=others))


def _also(conflict: PlanningConflict) -> AlsoInConflict:
    return AlsoInConflict.model_validate(conflict, from_attributes=True)
