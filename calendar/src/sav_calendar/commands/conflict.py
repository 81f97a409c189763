"""What managers decide about visits that do not fit into the calendar."""

from sav_calendar.app import calendar
from sav_calendar.deciding import decide, to_decide
from sav_calendar.model.conflict import PlanningConflict
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.calendar.conflict import ConflictResolved, ResolveConflict


@calendar.command(ResolveConflict)
async def resolve_conflict(cmd: ResolveConflict, tx: Tx, by: Actor) -> PlanningConflict:
    """Book its technician at another time, or give the visit to somebody else, which follows by event."""
    seen = await tx.read(PlanningConflict, cmd.conflict_id, by)
    who = {seen.technician_id, cmd.technician_id or seen.technician_id}
    conflict, visit = await to_decide(tx, seen, who, by)
    how = ConflictResolved(technician_id=cmd.technician_id, slot=cmd.slot, outside_hours=cmd.outside_hours)
    await decide(tx, conflict, visit, how, by)
    return conflict
