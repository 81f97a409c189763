"""Setting working hours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.conflicts import end_what_fits, find_conflicts
from sav_calendar.copies import lock_technician
from sav_calendar.hours import followed_by, midnight, overlapping
from sav_calendar.model.hours import WorkingHours
from sav_calendar.planning import TooFarAhead, hours_of
from sav_calendar.waiting import offer_earlier
from sav_chassis.errors import WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.calendar.hours import HoursChanged, HoursGiven, PlannedHours, SetHours
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.times import HORIZON

# How many changes to come are planned for one technician.
MOST_PLANNED = 24


class ShiftsOverlap(WrongField):
    field: str = "shifts"
    day: Text
    en = "two shifts on {day} overlap"
    fr = "deux plages de travail se chevauchent le {day}"


class BeginsInPast(WrongField):
    field: str = "effective_from"
    en = "working hours change from today on, or later"
    fr = "les horaires de travail changent à partir d’aujourd’hui, ou plus tard"


class TooManyPlanned(WrongField):
    field: str = "effective_from"
    most: int
    en = "at most {most} changes are planned; replace one of them"
    fr = "au plus {most} changements sont planifiés ; remplacez l’un d’eux"


@calendar.command(SetHours)
async def set_hours(cmd: SetHours, tx: Tx, by: Actor) -> WorkingHours:
    """Replace all working hours of a technician from a day on; planned visits stay."""
    technician = await tx.view(TechnicianView, cmd.technician_id, by)
    await lock_technician(tx, technician.id)
    hours = await tx.first(select(WorkingHours).where(WorkingHours.technician_id == technician.id))
    hours = hours or tx.add(WorkingHours.usual(technician.id))
    # As they are now: the record changes.
    before = replace(await hours_of(tx, technician.id), now=hours.view())
    hours.plan(wanted_hours(cmd, hours.planned, tx.now), tx.now)
    _await_next(tx, hours)
    tx.emit(hours, HoursChanged())
    await find_conflicts(tx, technician.id, tx.now, tx.now + HORIZON, "outside_hours", fitted=before.cover)
    await end_what_fits(tx, technician.id)
    tx.remind(offer_earlier, technician.id, tx.now)
    return hours


def wanted_hours(given: HoursGiven, planned: Sequence[PlannedHours], now: datetime) -> PlannedHours:
    """The hours that are given, from their day on; raises the refusal that says what is wrong with them."""
    if day := overlapping(given.shifts):
        raise ShiftsOverlap(day=label(day))
    today = now.astimezone(ZoneInfo(given.zone)).date()
    wanted = PlannedHours(
        effective_from=given.effective_from or today,
        zone=given.zone,
        holidays=given.holidays,
        shifts=given.shifts,
    )
    if wanted.effective_from < today:
        raise BeginsInPast
    if wanted.effective_from > today + HORIZON:
        raise TooFarAhead(field="effective_from")
    if len(followed_by(planned, wanted)) > MOST_PLANNED:
        raise TooManyPlanned(most=MOST_PLANNED)
    return wanted


@calendar.timer
async def begin_planned_hours(id: UUID, tx: Tx) -> str | None:
    """Makes planned hours the present ones when their day begins. Free times follow the plan without it."""
    hours = await tx.load(WorkingHours, id, SYSTEM)
    begun = hours.begin(tx.now)
    _await_next(tx, hours)
    if not begun:
        return "none have begun"
    tx.emit(hours, HoursChanged())
    return None


def _await_next(tx: Tx, hours: WorkingHours) -> None:
    if hours.planned:
        first = hours.planned[0]
        tx.remind(begin_planned_hours, hours.id, midnight(first.effective_from, first.zone))
    else:
        tx.forget(begin_planned_hours, hours.id)
