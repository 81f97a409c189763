"""Queries for free slots."""

from datetime import datetime, timedelta
from uuid import UUID

from sav_calendar.app import calendar
from sav_calendar.copies import able_technicians, what_for
from sav_calendar.hours import VISIT
from sav_calendar.lengths import visit_length
from sav_calendar.lifecycle import check_plannable
from sav_calendar.planning import (
    TooFarAhead,
    check_their_technician,
    first_free_times,
    free_times,
    may_choose,
)
from sav_calendar.rounds import ranked
from sav_chassis.errors import NotAllowed, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar.slots import FindFreeSlots, FreeSlots
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.times import HORIZON

USUAL_PERIOD = timedelta(weeks=2)
LONGEST_PERIOD = timedelta(weeks=6)
MOST_SLOTS = 200


class ReclamationNeeded(NotAllowed):
    en = "Give reclamation_id or intervention_id: a client sees the free times for a claim or a visit"
    fr = "Indiquez reclamation_id ou intervention_id : un client voit les disponibilités pour une réclamation ou une intervention"


class EndsBeforeStart(WrongField):
    field: str = "to"
    en = "a period ends after it starts"
    fr = "une période se termine après son début"


class PeriodTooLong(WrongField):
    field: str = "to"
    en = "at most six weeks after `from`"
    fr = "au plus six semaines après `from`"


@calendar.query(FindFreeSlots)
async def find_free_slots(query: FindFreeSlots, tx: Tx, by: Actor) -> FreeSlots:
    """The free slots of a period, at most 200: the earliest or the best."""
    since, until = _period(query, tx.now)
    if by.role is Role.CLIENT:
        since = max(since, tx.now + (await tx.policy(CutOffs)).notice)
    what = await _what(query, tx, by)
    able = await _whose_times(query, what, tx, by)
    length = await visit_length(tx, what) if what else VISIT
    if query.order == "best":
        every = [*await free_times(tx, since, until, able, length)]
        return FreeSlots(items=await ranked(tx, every, what, MOST_SLOTS))
    first = await first_free_times(tx, since, until, able, MOST_SLOTS, length)
    slots = await ranked(tx, first, what, MOST_SLOTS)
    return FreeSlots(items=sorted(slots, key=lambda slot: (slot.start, slot.technician_id)))


async def _what(query: FindFreeSlots, tx: Tx, by: Actor) -> ReclamationView | InterventionView | None:
    """What a visit is to be for; None where one technician's times are asked for."""
    if query.reclamation_id is None and query.intervention_id is None:
        return None
    what = await what_for(tx, query.reclamation_id, query.intervention_id, by)
    check_plannable(what)
    if query.technician_id:
        check_their_technician(what, query.technician_id)
    return what


async def _whose_times(
    query: FindFreeSlots, what: ReclamationView | InterventionView | None, tx: Tx, by: Actor
) -> list[TechnicianView]:
    """The technicians whose slots are asked for: of those who can do the work; for a client, who work there too."""
    if what is None:
        visible = await _visible_technician(query.technician_id, tx, by) if query.technician_id else None
        return await able_technicians(tx, visible)
    able = await able_technicians(tx, what.technician_id or query.technician_id, what.skills_needed)
    return [one for one in able if by.role is not Role.CLIENT or may_choose(what, one)]


async def _visible_technician(id: UUID, tx: Tx, by: Actor) -> UUID:
    if by.role is Role.CLIENT:
        raise ReclamationNeeded
    return (await tx.view(TechnicianView, id, by)).id


def _period(query: FindFreeSlots, now: datetime) -> tuple[datetime, datetime]:
    """Start and end of the period, without the past."""
    since = max(query.start or now, now)
    if since > now + HORIZON:
        raise TooFarAhead(field="from")
    if query.start and query.end and query.end <= query.start:
        raise EndsBeforeStart
    until = max(query.end or since + USUAL_PERIOD, since)
    if until > since + LONGEST_PERIOD:
        raise PeriodTooLong
    return since, until
