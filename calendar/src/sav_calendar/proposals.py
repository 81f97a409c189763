"""Other times for a visit: where its wanted time cannot be booked, or its technician takes no visits any more."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from sav_calendar.copies import able_technicians
from sav_calendar.hours import VISIT, too_close
from sav_calendar.planning import free_times
from sav_chassis.tx import Tx
from sav_contracts.auth.policy import Buffers, CutOffs
from sav_contracts.calendar import Alternative, FreeSlot
from sav_contracts.claims.intake import PreferredDay
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot
from sav_contracts.time_zone import CENTRAL, zone_of
from sav_contracts.times import HORIZON, LONGEST_VISIT, SHORTEST_VISIT

PROPOSALS = 3
# How far ahead other times are proposed.
PROPOSED_WITHIN = timedelta(weeks=2)


async def proposals_for(tx: Tx, visit: InterventionView, wanted: Slot) -> list[Slot]:
    """Free times of its technician, none over another: from the wanted time on, then the nearest ones before it.

    As long as wanted, where anything so long fits into their days; otherwise as long as visits usually are.
    """
    length = _length(wanted)
    found = await _proposals(tx, visit, wanted, length)
    return found if found or length == VISIT else await _proposals(tx, visit, wanted, VISIT)


def _length(wanted: Slot | None) -> timedelta:
    """How long the visit is wanted to be, where visits can be so long; else as long as they usually are."""
    length = wanted.end - wanted.start if wanted else VISIT
    return length if SHORTEST_VISIT <= length <= LONGEST_VISIT else VISIT


async def _proposals(tx: Tx, visit: InterventionView, wanted: Slot, length: timedelta) -> list[Slot]:
    earliest = tx.now + (await tx.policy(CutOffs)).notice
    from_then = await wanted_from(tx, visit, wanted, earliest)
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


class Others:
    """Other technicians, and when they are free. What is proposed first for a visit is proposed for no other one."""

    def __init__(self, tx: Tx, technicians: Iterable[TechnicianView], earliest: datetime, travel: timedelta):
        self.earliest = earliest
        self._tx = tx
        self._technicians = {technician.id: technician for technician in technicians}
        self._travel = travel
        self._proposed: list[FreeSlot] = []

    @classmethod
    async def known(cls, tx: Tx) -> "Others":
        """All who take visits; nobody is asked to come before the notice is over."""
        earliest = tx.now + (await tx.policy(CutOffs)).notice
        return cls(tx, await able_technicians(tx), earliest, (await tx.policy(Buffers)).travel)

    async def propose(self, visit: InterventionView, wanted: Slot | None) -> list[Alternative]:
        """The best times for a visit, each of another technician as far as there are any: from the wanted day on.

        As long as wanted, where anything so long fits into their days. Where too few are free then, the nearest ones
        before it.
        """

        def worth(slot: FreeSlot) -> tuple[bool, bool]:
            at_wanted = wanted is not None and slot.start == wanted.start
            return not at_wanted, not self._technicians[slot.technician_id].works_at(visit.place)

        # Sorting keeps the order in which they are near.
        length = _length(wanted)
        near = await self._near(visit, wanted, length)
        if not near and length != VISIT:
            near = await self._near(visit, wanted, VISIT)
        able = sorted(near, key=worth)
        chosen = [*_first_of_each(able)][:PROPOSALS]
        chosen += [slot for slot in able if slot not in chosen][: PROPOSALS - len(chosen)]
        self._proposed += chosen[:1]
        return [Alternative(technician_id=one.technician_id, start=one.start, end=one.end) for one in chosen]

    async def _near(self, visit: InterventionView, wanted: Slot | None, length: timedelta) -> list[FreeSlot]:
        able = [
            one
            for one in self._technicians.values()
            if one.id != visit.technician_id and not one.lacks(visit.skills_needed)
        ]
        from_then = await wanted_from(self._tx, visit, wanted, self.earliest)
        near = await self._free(from_then, from_then + PROPOSED_WITHIN, able, length)
        if len(near) < PROPOSALS:
            before = await self._free(
                max(self.earliest, from_then - PROPOSED_WITHIN), from_then, able, length
            )
            near += reversed(before)
        return near

    async def _free(
        self, since: datetime, until: datetime, able: list[TechnicianView], length: timedelta
    ) -> list[FreeSlot]:
        free = await free_times(self._tx, since, min(until, self._tx.now + HORIZON), able, length)
        return [slot for slot in free if not any(self._overlap(slot, one) for one in self._proposed)]

    def _overlap(self, one: FreeSlot, other: FreeSlot) -> bool:
        theirs = one.technician_id == other.technician_id
        return theirs and too_close((one.start, one.end), (other.start, other.end), self._travel)


def _first_of_each(slots: Iterable[FreeSlot]) -> Iterator[FreeSlot]:
    """The first slot of each technician."""
    seen: set[UUID] = set()
    for slot in slots:
        if slot.technician_id not in seen:
            seen.add(slot.technician_id)
            yield slot


async def wanted_from(tx: Tx, visit: InterventionView, wanted: Slot | None, earliest: datetime) -> datetime:
    """From when on times are proposed: the wanted time, or the first day that its client named for the réclamation."""
    then = wanted.start if wanted else None
    if wanted is None and visit.reclamation_id:
        reclamation = await tx.copies(ReclamationView).one(visit.reclamation_id)
        then = _preferred(reclamation, earliest) if reclamation else None
    # Nothing is near to a time that cannot be.
    return then if then and earliest <= then <= tx.now + HORIZON else earliest


def _preferred(reclamation: ReclamationView, earliest: datetime) -> datetime | None:
    """The beginning of the first preferred day that is still to come, at the place; now, if that is today."""
    place = reclamation.place
    zone = ZoneInfo(zone_of(place.country, place.postcode) if place else CENTRAL)
    today = earliest.astimezone(zone).date()
    days = [one.on or _next(one.weekday, today) for one in reclamation.preferred_times]
    to_come = [day for day in days if day and day >= today]
    return max(earliest, datetime.combine(min(to_come), time(), zone)) if to_come else None


def _next(weekday: PreferredDay | None, today: date) -> date | None:
    """The next such day of the week, today at the earliest."""
    if weekday is None:
        return None
    return today + timedelta(days=(get_args(PreferredDay).index(weekday) - today.weekday()) % 7)
