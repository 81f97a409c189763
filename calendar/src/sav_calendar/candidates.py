"""Who could take a réclamation, and why."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from sav_calendar.app import calendar
from sav_calendar.copies import able_technicians
from sav_calendar.hours import free_slots, midnight
from sav_calendar.lengths import visit_length
from sav_calendar.planning import taken_times
from sav_calendar.work import recorded_work
from sav_chassis.errors import NoSuch
from sav_chassis.tx import Tx
from sav_chassis.written import day_of_week, spoken
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.candidates import Candidate, Candidates, FindCandidates
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.labels import label, labels
from sav_contracts.sentences import Sentence, Text
from sav_contracts.time_zone import CENTRAL, zone_of

WEEK = timedelta(weeks=1)
NBSP = "\N{NO-BREAK SPACE}"
# How far ahead a free slot is looked for.
SEARCHED_WEEKS = 6
FIRST_STEP = timedelta(days=2)
BOOKED = text("""
SELECT technician_id, sum(extract(epoch FROM "end" - start))::bigint / 60 FROM appointment
WHERE technician_id = ANY(:technicians) AND status IN ('held', 'booked') AND start >= :since AND start < :until
GROUP BY technician_id""")


class CanDoIt(Sentence):
    en = "Can do the work"
    fr = "Sait faire ce travail"


class Lacks(Sentence):
    skills: Text
    en = "Cannot do the work, which needs: {skills}"
    fr = "Ne fait pas ce travail, qui demande : {skills}"


class WorksThere(Sentence):
    en = "Works there"
    fr = "Intervient dans ce secteur"


class WorksElsewhere(Sentence):
    zone: str
    en = "Works elsewhere: {zone}"
    fr = "Intervient ailleurs : {zone}"


class PlaceUnknown(Sentence):
    en = "The place is not known"
    fr = "Le lieu n’est pas connu"


class Load(Sentence):
    visits: int
    hours: Text
    en = "Open visits: {visits}; booked this week: {hours} h"
    fr = "Interventions en cours : {visits} ; réservé cette semaine : {hours} h"


class FreeFrom(Sentence):
    when: Text
    en = "Free on {when}"
    fr = "Disponible le {when}"


class NothingFree(Sentence):
    weeks: int
    en = "Nothing free within {weeks} weeks"
    fr = "Aucune disponibilité d’ici {weeks} semaines"


@calendar.query(FindCandidates)
async def find_candidates(query: FindCandidates, tx: Tx, by: Actor) -> Candidates:
    """All technicians who take visits, the best first."""
    there_is_none = NoSuch(kind=label(ReclamationView.kind()), id=query.reclamation_id)
    reclamation = await tx.view(ReclamationView, query.reclamation_id, by, there_is_none)
    every = await able_technicians(tx)
    zone = _zone(reclamation)
    ids = [one.id for one in every]
    of_theirs = tx.copies(InterventionView).where(open=True, technician_id=ids)
    visits = await of_theirs.number_by("technician_id")
    since = _monday(tx.now, zone)
    week = {"technicians": ids, "since": since, "until": _monday(since + 1.5 * WEEK, zone)}
    booked = {row[0]: row[1] for row in await tx.session.execute(BOOKED, week)}
    able = [one.id for one in every if not one.lacks(reclamation.skills_needed)]
    free = await _next_slots(tx, able, await visit_length(tx, reclamation))
    found = [
        _candidate(one, reclamation, visits.get(one.id, 0), booked.get(one.id, 0), free.get(one.id))
        for one in every
    ]
    return Candidates(items=sorted(found, key=_worth))


def _worth(one: Candidate) -> tuple[bool, bool, bool, float, int, str]:
    begins = one.next_slot.start.timestamp() if one.next_slot else 0.0
    return bool(one.lacks), one.next_slot is None, not one.works_there, begins, one.booked_minutes, one.name


def _candidate(
    technician: TechnicianView,
    reclamation: ReclamationView,
    visits: int,
    minutes: int,
    free: FreeSlot | None,
) -> Candidate:
    lacks = technician.lacks(reclamation.skills_needed)
    there = technician.works_at(reclamation.place)
    said = [
        Lacks(skills=labels(lacks)) if lacks else CanDoIt(),
        _where(technician, reclamation, there),
        Load(visits=visits, hours=_hours(minutes)),
        *([] if lacks else [_when(free, _zone(reclamation))]),
    ]
    texts = [one.text() for one in said]
    return Candidate(
        technician_id=technician.id,
        name=technician.name,
        lacks=lacks,
        works_there=there,
        open_visits=visits,
        booked_minutes=minutes,
        next_slot=free,
        reasons=[one.en for one in texts],
        french=[one.fr for one in texts],
    )


def _where(technician: TechnicianView, reclamation: ReclamationView, there: bool) -> Sentence:
    if reclamation.place is None:
        return PlaceUnknown()
    return WorksThere() if there else WorksElsewhere(zone=", ".join(technician.zone))


def _hours(minutes: int) -> Text:
    hours = (Decimal(minutes) / 60).quantize(Decimal("0.1"))
    written: Text = spoken("hours", hours.to_integral() if hours == hours.to_integral() else hours)
    return written


def _when(free: FreeSlot | None, zone: str) -> Sentence:
    if free is None:
        return NothingFree(weeks=SEARCHED_WEEKS)
    at = free.start.astimezone(ZoneInfo(zone))
    minutes = f"{NBSP}{at:%M}" if at.minute else ""
    english, french = _day(at.date())
    return FreeFrom(when=Text(f"{english} at {at:%H:%M}", f"{french} à {at.hour}{NBSP}h{minutes}"))


@lru_cache(maxsize=400)
def _day(on: date) -> Text:
    """Cached: most of them can come on one of a few days."""
    return Text(day_of_week(on, "en"), day_of_week(on, "fr"))


def _zone(reclamation: ReclamationView) -> str:
    place = reclamation.place
    return zone_of(place.country, place.postcode) if place else CENTRAL


def _monday(moment: datetime, zone: str) -> datetime:
    """When the week of that moment begins there."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    return midnight(day - timedelta(days=day.weekday()), zone)


async def _next_slots(tx: Tx, technicians: Sequence[UUID], length: timedelta) -> dict[UUID, FreeSlot]:
    """The next free slot of each of them, as far as there is one."""
    travel = (await tx.policy(Buffers)).travel
    last = tx.now + SEARCHED_WEEKS * WEEK
    missing = await recorded_work(tx, technicians, tx.now, last + length)
    found: dict[UUID, FreeSlot] = {}
    # Most have something soon: the visits of later weeks are read for the others only.
    since, step = tx.now, FIRST_STEP
    while missing and since < last:
        until = min(since + step, last)
        taken = await taken_times(tx, missing.keys(), since, until, travel, length)
        for id, work in missing.items():
            if slot := next(free_slots(work, taken[id], since, until, travel, length), None):
                found[id] = slot
        missing = {id: work for id, work in missing.items() if id not in found}
        since, step = until, 2 * step
    return found
