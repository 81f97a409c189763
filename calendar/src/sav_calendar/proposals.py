"""Other times for a visit whose wanted time cannot be booked."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sav_calendar.copies import able_technicians
from sav_calendar.hours import VISIT, too_close
from sav_calendar.leaving import PROPOSALS, PROPOSED_WITHIN
from sav_calendar.planning import free_times
from sav_chassis.tx import Tx
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar import FreeSlot
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot
from sav_contracts.times import HORIZON, LONGEST_VISIT, SHORTEST_VISIT


async def proposals_for(tx: Tx, visit: InterventionView, wanted: Slot) -> list[Slot]:
    """Free times of its technician, none over another: from the wanted time on, then the nearest ones before it.

    As long as wanted, where anything so long fits into their days; otherwise as long as visits usually are.
    """
    length = wanted.end - wanted.start
    possible = SHORTEST_VISIT <= length <= LONGEST_VISIT
    found = await _proposals(tx, visit, wanted, length) if possible else []
    return found or await _proposals(tx, visit, wanted, VISIT)


async def _proposals(tx: Tx, visit: InterventionView, wanted: Slot, length: timedelta) -> list[Slot]:
    earliest = tx.now + (await tx.policy(CutOffs)).notice
    # Nothing is near to a time that cannot be.
    from_then = wanted.start if earliest <= wanted.start <= tx.now + HORIZON else earliest
    after = await _free(tx, visit, from_then, from_then + PROPOSED_WITHIN, length)
    chosen = _apart([], after)
    if len(chosen) < PROPOSALS:
        before = await _free(tx, visit, max(earliest, from_then - PROPOSED_WITHIN), from_then, length)
        chosen = _apart(chosen, reversed(before))
    return [Slot(start=one.start, end=one.end) for one in chosen]


async def _free(
    tx: Tx, visit: InterventionView, since: datetime, until: datetime, length: timedelta
) -> list[FreeSlot]:
    theirs = await able_technicians(tx, visit.technician_id)
    return list(await free_times(tx, since, min(until, tx.now + HORIZON), theirs, length))


def _apart(chosen: list[FreeSlot], free: Iterable[FreeSlot]) -> list[FreeSlot]:
    """What was chosen, with the first of the free times that do not overlap, until there are enough."""
    chosen = list(chosen)
    for slot in free:
        if len(chosen) == PROPOSALS:
            break
        if not any(too_close((slot.start, slot.end), (one.start, one.end), timedelta()) for one in chosen):
            chosen.append(slot)
    return chosen
