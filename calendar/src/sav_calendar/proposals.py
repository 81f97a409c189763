"""Other times for a visit: where its wanted time cannot be booked, or its technician takes no visits any more."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import NamedTuple, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.copies import able_technicians
from sav_calendar.hours import NEVER, VISIT, Span, Work, arrival_until, too_close
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.planning import free_times, taken_times
from sav_calendar.work import recorded_work
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.policy import Buffers, CutOffs
from sav_contracts.calendar.conflict import Alternative, ConflictChanged, ProposalReason, ProposedTime
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.claims.intake import PreferredDay
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot
from sav_contracts.time_zone import CENTRAL, zone_of
from sav_contracts.times import HORIZON, LONGEST_VISIT, SHORTEST_VISIT

PROPOSALS = 3
# For so many visits of one cause other times are found at once, for the others by timers: a long absence is recorded
# quickly, whatever it breaks.
AT_ONCE = 3
# How far ahead other times are proposed.
PROPOSED_WITHIN = timedelta(weeks=2)


class WaysOut(NamedTuple):
    """What can be done about a visit that does not fit: other times of its technician, other technicians, both ranked."""

    proposals: list[Slot]
    alternatives: list[Alternative]
    ranked: list[ProposedTime]


NOTHING_YET = WaysOut([], [], [])


async def ways_out(
    tx: Tx,
    visit: InterventionView,
    wanted: Slot | None,
    others: "Others",
    theirs: bool = True,
) -> WaysOut:
    """Other times for a visit; none of its own technician where they are not `theirs`."""
    proposals = await proposals_for(tx, visit, wanted) if theirs and wanted else []
    alternatives = await others.propose(visit, wanted)
    own = [Alternative(technician_id=visit.technician_id, start=one.start, end=one.end) for one in proposals]
    times = [others.reasoned(visit, wanted, one) for one in (*own, *alternatives)]
    return WaysOut(proposals, alternatives, ranked(times, wanted))


@calendar.timer
async def find_ways_out(id: UUID, tx: Tx) -> str | None:
    """Adds other times to a conflict that was recorded without them."""
    seen = await tx.read(PlanningConflict, id, SYSTEM)
    # One after another, so that each knows what is proposed for those before.
    await tx.lock(f"proposals for {seen.technician_id}")
    conflict = await tx.load(PlanningConflict, id, SYSTEM)
    if conflict.status != "open" or conflict.ranked:
        return f"obsolete: it is {conflict.status}, or has other times"
    visit_id = conflict.intervention_id
    visit = await tx.copies(InterventionView).one(visit_id) if visit_id else None
    if visit is None:
        return "its visit is not known yet"
    others = await Others.known(tx)
    await others.spare_proposed(conflict.technician_id)
    wanted = None if conflict.no_time_yet else conflict.wanted
    ways = await ways_out(tx, visit, wanted, others, theirs=conflict.problem != "technician_left")
    if not ways.ranked:
        return "nobody is free"
    conflict.proposals, conflict.alternatives, conflict.ranked = ways
    if wanted is None:
        conflict.wanted = Slot(start=ways.alternatives[0].start, end=ways.alternatives[0].end)
    tx.emit(conflict, ConflictChanged())
    return None


async def options_for(
    visit: InterventionView, wanted: Slot, others: "Others", theirs: bool
) -> list[FreeSlot]:
    """All free times near the wanted one at which somebody can go, its own technician too where they are `theirs`."""
    length = _length(wanted)
    found = await others.near(visit, wanted, length, theirs)
    return found if found or length == VISIT else await others.near(visit, wanted, VISIT, theirs)


def ranked(times: Iterable[ProposedTime], wanted: Slot | None) -> list[ProposedTime]:
    """The best first: at the wanted time, then on that day, by who works there, by the same technician, the nearest."""

    def worth(time: ProposedTime) -> tuple[bool, bool, bool, bool, timedelta, datetime]:
        says = time.reasons
        far = abs(time.start - wanted.start) if wanted else timedelta()
        return (
            "wanted_time" not in says,
            "same_day" not in says,
            "works_there" not in says,
            "same_technician" not in says,
            far,
            time.start,
        )

    return sorted(times, key=worth)


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
    return [*await free_times(tx, since, min(until, tx.now + HORIZON), theirs, length)]


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
        self._proposed: defaultdict[UUID, list[Span]] = defaultdict(list)
        self._work: dict[UUID, Work] | None = None

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
        near = await self.near(visit, wanted, length)
        if not near and length != VISIT:
            near = await self.near(visit, wanted, VISIT)
        able = sorted(near, key=worth)
        chosen = [*islice(_first_of_each(able), PROPOSALS)]
        chosen += [*islice((slot for slot in able if slot not in chosen), PROPOSALS - len(chosen))]
        found = [Alternative(technician_id=one.technician_id, start=one.start, end=one.end) for one in chosen]
        self._spare(found)
        return found

    async def spare_proposed(self, technician_id: UUID) -> None:
        """Leaves what is proposed first for visits of this technician that wait for a decision."""
        waiting = await self._tx.session.scalars(
            select(PlanningConflict.alternatives).where(
                PlanningConflict.technician_id == technician_id, PlanningConflict.status == "open"
            )
        )
        for alternatives in waiting:
            self._spare(alternatives)

    def _spare(self, alternatives: list[Alternative]) -> None:
        for first in alternatives[:1]:
            self._proposed[first.technician_id].append((first.start, first.end))

    def reasoned(self, visit: InterventionView, wanted: Slot | None, time: Alternative) -> ProposedTime:
        """A time for a visit, with what speaks for it."""
        return ProposedTime(**time.model_dump(), reasons=list(self._reasons(visit, wanted, time)))

    def _reasons(
        self, visit: InterventionView, wanted: Slot | None, time: Alternative
    ) -> Iterator[ProposalReason]:
        if wanted and time.start == wanted.start:
            yield "wanted_time"
        if wanted and _same_day(wanted.start, time.start, _zone_there(visit)):
            yield "same_day"
        if time.technician_id == visit.technician_id:
            yield "same_technician"
        if self.works_there(time.technician_id, visit):
            yield "works_there"

    def works_there(self, technician_id: UUID, visit: InterventionView) -> bool:
        """Whether the place of a visit is in this technician's zone."""
        who = self._technicians.get(technician_id)
        return who is not None and who.works_at(visit.place)

    async def near(
        self, visit: InterventionView, wanted: Slot | None, length: timedelta, theirs: bool = False
    ) -> list[FreeSlot]:
        """The free times of whoever can do the work, from the wanted one on; also of its own technician with `theirs`."""
        able = [
            one
            for one in self._technicians.values()
            if (theirs or one.id != visit.technician_id) and not one.lacks(visit.skills_needed)
        ]
        from_then = await wanted_from(self._tx, visit, wanted, self.earliest)
        near = await self._free(from_then, from_then + PROPOSED_WITHIN, able, length)
        if len(near) < PROPOSALS:
            before = await self._free(
                max(self.earliest, from_then - PROPOSED_WITHIN), from_then, able, length
            )
            near += reversed(before)
        if wanted is None or from_then != wanted.start:
            return near
        known = {slot.technician_id for slot in near if slot.start == wanted.start}
        then = await self._at_wanted(wanted, able)
        return [*(slot for slot in then if slot.technician_id not in known), *near]

    async def _at_wanted(self, wanted: Slot, able: list[TechnicianView]) -> list[FreeSlot]:
        """Who is free at the wanted time, also where visits of theirs usually begin at others."""
        start, end = wanted.start, wanted.end
        works = await self._works()
        at_work = [one.id for one in able if one.id in works and works[one.id].cover(start, end)]
        taken = await taken_times(self._tx, at_work, start, start, self._travel, end - start)
        slots = [
            FreeSlot(
                technician_id=id,
                start=start,
                end=end,
                arrival_from=start,
                arrival_until=arrival_until(start, end, works[id].zone),
            )
            for id in at_work
            if not any(too_close((start, end), span, self._travel) for span in taken[id])
        ]
        return self._not_proposed(slots)

    async def _works(self) -> dict[UUID, Work]:
        """When they work from now on: those whose hours are recorded. Read once."""
        if self._work is None:
            self._work = await recorded_work(self._tx, self._technicians, self._tx.now, NEVER)
        return self._work

    async def _free(
        self, since: datetime, until: datetime, able: list[TechnicianView], length: timedelta
    ) -> list[FreeSlot]:
        free = await free_times(self._tx, since, min(until, self._tx.now + HORIZON), able, length)
        return self._not_proposed(free)

    def _not_proposed(self, free: Iterable[FreeSlot]) -> list[FreeSlot]:
        return [slot for slot in free if not self._is_proposed(slot)]

    def _is_proposed(self, slot: FreeSlot) -> bool:
        theirs = self._proposed[slot.technician_id]
        return any(too_close((slot.start, slot.end), span, self._travel) for span in theirs)


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
    zone = _zone_there(reclamation)
    today = earliest.astimezone(zone).date()
    days = [one.on or _next(one.weekday, today) for one in reclamation.preferred_times]
    to_come = [day for day in days if day and day >= today]
    return max(earliest, datetime.combine(min(to_come), time(), zone)) if to_come else None


def _same_day(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    # What is far off may be in no zone: recorded times of old events go to the last year that Python knows.
    near = abs(one - other) < timedelta(days=1)
    return near and one.astimezone(zone).date() == other.astimezone(zone).date()


def _zone_there(what: ReclamationView | InterventionView) -> ZoneInfo:
    """The zone in which times of a visit are read where it is."""
    place = what.place
    return ZoneInfo(zone_of(place.country, place.postcode) if place else CENTRAL)


def _next(weekday: PreferredDay | None, today: date) -> date | None:
    """The next such day of the week, today at the earliest."""
    if weekday is None:
        return None
    return today + timedelta(days=(get_args(PreferredDay).index(weekday) - today.weekday()) % 7)
