"""One plan for the visits of a day that do not fit: proposed, and accepted in whole or in part."""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.cases import lock_cases
from sav_calendar.commands.conflict import resolve_conflict
from sav_calendar.copies import lock_technician
from sav_calendar.hours import too_close
from sav_calendar.leaving import NOT_SET_OUT, NOT_THERE
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.plan import Clash, Cost, Option, best_plan
from sav_calendar.planning import hours_of
from sav_calendar.proposals import Others, options_for
from sav_chassis.errors import NotYet, SavError
from sav_chassis.refusals import refused, unknown
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.conflict import Alternative, ProposedTime, ResolveConflict
from sav_contracts.calendar.plan import (
    AcceptPlan,
    LeftOut,
    LeftOutWhy,
    Plan,
    PlanAnswer,
    PlanItem,
    PlanOutcome,
    ProposePlan,
)
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.interventions.visit import InterventionView

# For each visit of the plan: another one that has a time takes so many starts of its technician, with the way there.
OPTIONS = 6


@calendar.query(ProposePlan)
async def propose_plan(query: ProposePlan, tx: Tx, by: Actor) -> Plan:
    """Times for the visits of a day that do not fit, and which ones a manager decides alone."""
    found, left = await _to_plan(tx, await _of_day(tx, query))
    others = await Others.known(tx)
    most = OPTIONS * (len(found) + 1)
    options = [await _options(conflict, visit, others, most) for conflict, visit in found]
    travel = (await tx.policy(Buffers)).travel
    items = []
    for (conflict, visit), time in zip(found, best_plan(options, _clash(travel)), strict=True):
        if time:
            items.append(_item(conflict, others.reasoned(visit, conflict.wanted, _as_proposed(time))))
        else:
            left.append(_left(conflict, "no_free_time"))
    return Plan(items=items, left_out=left)


@calendar.command(AcceptPlan)
async def accept_plan(cmd: AcceptPlan, tx: Tx, by: Actor) -> PlanAnswer:
    """Decide about each, as by its single command; one that is refused changes nothing for the others."""
    await _lock_all(cmd, tx)
    outcomes = {}
    for place, item in sorted(enumerate(cmd.items), key=lambda one: (one[1].conflict_id, one[0])):
        outcomes[place] = await _outcome(item, tx, by)
    return PlanAnswer(items=[outcomes[place] for place in range(len(cmd.items))])


async def _of_day(tx: Tx, query: ProposePlan) -> list[PlanningConflict]:
    """The open conflicts of the day, the earliest wanted time first."""
    waiting = select(PlanningConflict).where(PlanningConflict.status == "open")
    if query.technician_id:
        waiting = waiting.where(PlanningConflict.technician_id == query.technician_id)
    zones: dict[UUID, ZoneInfo] = {}
    found = []
    for conflict in await tx.session.scalars(waiting.order_by(PlanningConflict.id)):
        who = conflict.technician_id
        if who not in zones:
            zones[who] = ZoneInfo((await hours_of(tx, who)).zone)
        # Recorded times of old events go to the last year that Python knows, which may be in no zone.
        near = abs(conflict.wanted.start.date() - query.on) <= timedelta(days=1)
        if near and conflict.wanted.start.astimezone(zones[who]).date() == query.on:
            found.append(conflict)
    return sorted(found, key=lambda one: (one.wanted.start, one.id))


async def _to_plan(
    tx: Tx, conflicts: list[PlanningConflict]
) -> tuple[list[tuple[PlanningConflict, InterventionView]], list[LeftOut]]:
    """Those with their visits that a plan is for, each visit once; and the others."""
    found: list[tuple[PlanningConflict, InterventionView]] = []
    left = []
    for conflict in conflicts:
        id = conflict.intervention_id
        visit = await tx.copies(InterventionView).one(id) if id else None
        if visit is None:
            left.append(_left(conflict, "being_planned"))
        elif conflict.offered_until and conflict.offered_until > tx.now:
            left.append(_left(conflict, "client_chooses"))
        elif visit.status not in NOT_THERE:
            left.append(_left(conflict, "under_way"))
        elif any(visit.id == other.id for _, other in found):
            left.append(_left(conflict, "same_visit"))
        else:
            found.append((conflict, visit))
    return found, left


async def _options(
    conflict: PlanningConflict, visit: InterventionView, others: Others, most: int
) -> list[Option]:
    """What the visit could have, the cheapest first."""
    # Whoever has set out for it goes to no other time of it.
    theirs = visit.status in NOT_SET_OUT and conflict.problem != "technician_left"
    times = await options_for(visit, conflict.wanted, others, theirs)
    found = (Option(time, _cost(conflict, visit, others, time)) for time in times)
    return sorted(found, key=lambda option: option.cost)[:most]


def _cost(conflict: PlanningConflict, visit: InterventionView, others: Others, time: FreeSlot) -> Cost:
    minutes = abs(time.start - conflict.wanted.start) // timedelta(minutes=1)
    return Cost(
        unplaced=0,
        moved=int(bool(minutes) and not conflict.no_time_yet),
        minutes=minutes,
        strangers=int(not others.works_there(time.technician_id, visit)),
        given_away=int(time.technician_id != conflict.technician_id),
    )


def _clash(travel: timedelta) -> Clash:
    def clash(one: FreeSlot, other: FreeSlot) -> bool:
        same = one.technician_id == other.technician_id
        return same and too_close((one.start, one.end), (other.start, other.end), travel)

    return clash


def _as_proposed(time: FreeSlot) -> Alternative:
    return Alternative(technician_id=time.technician_id, start=time.start, end=time.end)


def _item(conflict: PlanningConflict, time: ProposedTime) -> PlanItem:
    return PlanItem(
        conflict_id=conflict.id,
        intervention_id=conflict.intervention_id,
        reclamation_reference=conflict.reclamation_reference,
        problem=conflict.problem,
        technician_id=conflict.technician_id,
        wanted=conflict.wanted,
        proposed=time,
    )


def _left(conflict: PlanningConflict, why: LeftOutWhy) -> LeftOut:
    return LeftOut(conflict_id=conflict.id, reclamation_reference=conflict.reclamation_reference, why=why)


async def _lock_all(cmd: AcceptPlan, tx: Tx) -> None:
    """Takes all locks first: technicians, cases, conflicts, as the single commands do, and each kind in order."""
    ids = {item.conflict_id for item in cmd.items}
    rows = PlanningConflict.id, PlanningConflict.technician_id, PlanningConflict.reclamation_id
    found = (
        await tx.session.execute(
            select(*rows, PlanningConflict.intervention_id).where(PlanningConflict.id.in_(ids))
        )
    ).all()
    technicians = {row.technician_id for row in found}
    technicians |= {item.technician_id for item in cmd.items if item.technician_id}
    for technician in sorted(technicians):
        await lock_technician(tx, technician)
    cases = {row.reclamation_id or row.intervention_id for row in found}
    await lock_cases(tx, (id for id in cases if id))
    locked = select(PlanningConflict.id).where(PlanningConflict.id.in_(ids)).order_by(PlanningConflict.id)
    await tx.session.execute(locked.with_for_update())


async def _outcome(item: ResolveConflict, tx: Tx, by: Actor) -> PlanOutcome:
    id = item.conflict_id
    try:
        async with tx.savepoint():
            return PlanOutcome(conflict_id=id, status=(await resolve_conflict(item, tx, by)).status)
    except NotYet as missing:
        return PlanOutcome(conflict_id=id, problem=refused(unknown(missing, item, "conflict_id")))
    except SavError as refusal:
        return PlanOutcome(conflict_id=id, problem=refused(refusal))
