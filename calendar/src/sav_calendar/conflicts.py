"""Booked visits that do not fit any more: somebody is away then, their hours changed, or the visit before goes on.

They stay booked until a manager, or the client, decides. Their clients are told of what is decided alone.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.cases import Case, lock_cases
from sav_calendar.copies import ended_visits, has_ended, lock_technician
from sav_calendar.hours import Work
from sav_calendar.leaving import NOT_SET_OUT, NOT_THERE
from sav_calendar.lifecycle import TAKES_TIME
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.planning import current_appointment, hours_of, release, settle_conflicts
from sav_calendar.proposals import AT_ONCE, NOTHING_YET, Others, WaysOut, find_ways_out, ways_out
from sav_calendar.waiting import take_back_offers
from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.conflict import AlsoInConflict, ConflictChanged, ConflictDetected, ConflictKind
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_contracts.slot import Slot

# How many others the event of the first one names: an event holds no list that grows.
MOST_OTHERS = 50
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
    the hours before, since some are outside on purpose. What is only held or offered is released: nobody is promised
    anything.
    Each visit has one conflict of a kind. Managers are told of all of them at once. Many booked visits take no more
    statements than few: other times are found for the first ones, and for the rest by timers.
    """
    await lock_technician(tx, technician_id)
    broken = await broken_visits(tx, technician_id, since, until, problem)
    if fitted:
        broken = [one for one in broken if fitted(one.start, one.end)]
    await lock_cases(tx, (Case.of(one).id for one in broken))
    standing = await _still_standing(tx, broken)
    for one in standing:
        if one.status == "held":
            await release(tx, one, "technician_away", SYSTEM)
    booked = [one for one in standing if one.status == "booked"]
    found = await _ask_about(tx, await _to_ask(tx, booked, problem), problem)
    # Before the next look: a record is written once then, and not again for its event.
    _tell(tx, found)
    # Nobody is asked to come earlier to a technician who is not there.
    await take_back_offers(tx, technician_id, await hours_of(tx, technician_id))
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


async def _still_standing(tx: Tx, seen: list[Appointment]) -> list[Appointment]:
    """Those that had not ended when their cases were locked. Nobody moves them: that takes their technician's lock."""
    standing = await tx.session.scalars(
        select(Appointment)
        .where(Appointment.id.in_([one.id for one in seen]), Appointment.status.in_(TAKES_TIME))
        .order_by(Appointment.start, Appointment.id)
        .with_for_update()
    )
    return list(standing)


async def _to_ask(
    tx: Tx, booked: list[Appointment], problem: ConflictKind
) -> list[tuple[Appointment, InterventionView | None]]:
    """Those with their visits that nobody decides about yet, and whose technician is not there already."""
    asked = await _asked(tx, booked, problem)
    ids = [one.intervention_id for one in booked if one.intervention_id]
    ended, known = await ended_visits(tx, ids), await tx.copies(InterventionView).where(id=ids).all()
    visits: dict[UUID | None, InterventionView] = {visit.id: visit for visit in known}
    there = {visit.id for visit in known if visit.status not in NOT_THERE or visit.id in ended}
    return [
        (one, visits.get(one.intervention_id))
        for one in booked
        if one.id not in asked and one.intervention_id not in there
    ]


async def _ask_about(
    tx: Tx, unfit: list[tuple[Appointment, InterventionView | None]], problem: ConflictKind
) -> list[PlanningConflict]:
    """Adds their conflicts; beyond the first ones, timers find what else could be done about them."""
    if not unfit:
        return []
    others = await Others.known(tx)
    at_once = [await _ask(tx, *one, problem, others) for one in unfit[:AT_ONCE]]
    later = [_conflict(tx, about, problem, NOTHING_YET) for about, _ in unfit[AT_ONCE:]]
    for conflict in later:
        tx.remind(find_ways_out, conflict.id, tx.now)
    return at_once + later


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
    if await _asked(tx, [current], "overrun"):
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
        tx.remind(find_ways_out, conflict.id, tx.now)


async def _is_busy(tx: Tx, due: Appointment) -> bool:
    """Whether its technician is at another visit, as far as is known here."""
    visits = tx.copies(InterventionView).where(technician_id=due.technician_id, status=BUSY)
    for visit in await visits.all():
        if visit.id != due.intervention_id and not await has_ended(tx, visit.id):
            return True
    return False


async def _asked(tx: Tx, about: list[Appointment], problem: ConflictKind) -> set[UUID | None]:
    """The ids of those that somebody has to decide about already, for this problem."""
    found = await tx.session.scalars(
        select(PlanningConflict.appointment_id).where(
            PlanningConflict.status == "open",
            PlanningConflict.appointment_id.in_([one.id for one in about]),
            PlanningConflict.problem == problem,
        )
    )
    return set(found)


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
    ways = await ways_out(tx, visit, wanted, others) if visit else NOTHING_YET
    return _conflict(tx, about, problem, ways)


def _conflict(tx: Tx, about: Appointment, problem: ConflictKind, ways: WaysOut) -> PlanningConflict:
    return tx.add(
        PlanningConflict(
            id=tx.new_id(),
            technician_id=about.technician_id,
            reclamation_id=about.reclamation_id,
            reclamation_reference=about.reclamation_reference,
            intervention_id=about.intervention_id,
            appointment_id=about.id,
            problem=problem,
            wanted=Slot(start=about.start, end=about.end),
            status="open",
            **ways._asdict(),
        )
    )


def _tell(tx: Tx, found: list[PlanningConflict]) -> None:
    """Announces them: the first with the next ones, of which managers read in the message about it."""
    for place, conflict in enumerate(found):
        if place:
            tx.emit(conflict, ConflictDetected(one_of_many=True))
            continue
        others = [_also(one) for one in found[1 : 1 + MOST_OTHERS]]
        tx.emit(conflict, ConflictDetected(others=others, more=len(found) - 1 - len(others)))


def _also(conflict: PlanningConflict) -> AlsoInConflict:
    return AlsoInConflict.model_validate(conflict, from_attributes=True)
