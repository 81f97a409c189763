"""Recording when technicians are away."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.conflicts import end_what_fits, find_conflicts
from sav_calendar.copies import lock_technician
from sav_calendar.hours import Span, Work, midnight
from sav_calendar.model.absence import Absence
from sav_calendar.planning import TooFarAhead, hours_of
from sav_calendar.waiting import offer_earlier
from sav_chassis.errors import NoSuch, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.calendar.absence import (
    AbsenceAdded,
    AbsenceGiven,
    AbsenceRemoved,
    AddAbsence,
    RemoveAbsence,
)
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.labels import label
from sav_contracts.times import HORIZON

DAY = timedelta(days=1)


class EndsInPast(WrongField):
    en = "an absence that is over changes nothing"
    fr = "une absence déjà terminée ne change plus rien"


@calendar.command(AddAbsence)
async def add_absence(cmd: AddAbsence, tx: Tx, by: Actor) -> Absence:
    """Record an absence, once; what is booked stays until somebody decides."""
    technician = await tx.view(TechnicianView, cmd.technician_id, by)
    # Whoever takes their time has this lock too: they see the absence, or it sees what they took.
    await lock_technician(tx, technician.id)
    start, end = time_away(cmd, await hours_of(tx, technician.id), tx.now)
    what: dict[str, Any] = {
        "technician_id": technician.id,
        "start": start,
        "end": end,
        "cause": cmd.cause,
        "status": "planned",
    }
    if same := await tx.first(select(Absence).filter_by(**what).order_by(Absence.created_at)):
        return same
    absence = tx.add(Absence(id=tx.new_id(), note=cmd.note, **what))
    tx.emit(absence, AbsenceAdded())
    await find_conflicts(tx, technician.id, start, end, "absence")
    return absence


@calendar.command(RemoveAbsence)
async def remove_absence(cmd: RemoveAbsence, tx: Tx, by: Actor) -> Absence:
    """Remove an absence, once; what was booked in it needs no decision any more."""
    await lock_technician(tx, cmd.technician_id)
    absence = await tx.load(Absence, cmd.absence_id, by)
    if absence.technician_id != cmd.technician_id:
        raise NoSuch(kind=label(Absence.kind()), id=cmd.absence_id)
    absence.move("removed", by)
    tx.emit(absence, AbsenceRemoved())
    await end_what_fits(tx, absence.technician_id)
    tx.remind(offer_earlier, absence.technician_id, tx.now)
    return absence


def time_away(given: AbsenceGiven, work: Work, now: datetime) -> Span:
    """The time of an absence; whole days are days in the zone in which the technician works then."""
    if given.start and given.end:
        start, end = given.start, given.end
    else:
        assert given.first_day is not None
        last = given.last_day or given.first_day
        start, end = (midnight(day, _zone(work, day)) for day in (given.first_day, last + DAY))
    if end <= now:
        raise EndsInPast(field="end" if given.end else "last_day" if given.last_day else "first_day")
    if start > now + HORIZON:
        raise TooFarAhead(field="first_day" if given.first_day else "start")
    return start, end


def _zone(work: Work, day: date) -> str:
    return work.at(midnight(day, work.zone)).zone
