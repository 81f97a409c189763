"""When somebody could come."""

from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from sav_calendar.app import calendar
from sav_calendar.copies import visible_reclamation
from sav_calendar.hours import HORIZON
from sav_calendar.lifecycle import check_plannable
from sav_calendar.planning import check_their_technician, openings
from sav_chassis.errors import Invalid, NotAllowed, NotFound
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar import FindFreeSlots, FreeSlots
from sav_contracts.interventions.visit import TechnicianView

USUAL_PERIOD = timedelta(weeks=2)
LONGEST_PERIOD = timedelta(weeks=6)
MOST_SLOTS = 200


@calendar.query(FindFreeSlots)
async def find_free_slots(query: FindFreeSlots, tx: Tx, by: Actor) -> FreeSlots:
    """The times at which somebody could come, at most 200."""
    since, until = _period(query, tx.now)
    if by.role is Role.CLIENT:
        since = max(since, tx.now + (await tx.policy(CutOffs)).notice)
    free = await openings(tx, since, until, await _whose_times(query, tx, by))
    return FreeSlots(items=list(islice(free, MOST_SLOTS)))


async def _whose_times(query: FindFreeSlots, tx: Tx, by: Actor) -> UUID | None:
    """The technician in question, or None where everybody is."""
    if query.reclamation_id is None:
        return await _visible_technician(query.technician_id, tx, by) if query.technician_id else None
    reclamation = await visible_reclamation(tx, query.reclamation_id, by)
    check_plannable(reclamation)
    if query.technician_id:
        check_their_technician(reclamation, query.technician_id)
    return reclamation.technician_id or query.technician_id


async def _visible_technician(id: UUID, tx: Tx, by: Actor) -> UUID:
    if by.role is Role.CLIENT:
        raise NotAllowed("give reclamation_id: a client sees the free times for a réclamation")
    if by.role is Role.TECHNICIAN and by.id != id:
        raise NotFound(f"there is no technician {id}")
    return (await tx.view(TechnicianView, id)).id


def _period(query: FindFreeSlots, now: datetime) -> tuple[datetime, datetime]:
    """From when until when; what is past is left out."""
    since = max(query.start or now, now)
    if since > now + HORIZON:
        raise Invalid.field("from", "at most a year ahead")
    if query.start and query.end and query.end <= query.start:
        raise Invalid.field("to", "a period ends after it starts")
    until = max(query.end or since + USUAL_PERIOD, since)
    if until > since + LONGEST_PERIOD:
        raise Invalid.field("to", "at most six weeks after `from`")
    return since, until
