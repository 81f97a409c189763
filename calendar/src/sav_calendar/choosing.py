"""Which time may be chosen, and by whom; what is offered where somebody else was first."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sav_calendar.copies import able_technicians
from sav_calendar.hours import MOMENT, starts
from sav_calendar.planning import TooFarAhead, first_free_times, hours_of, may_choose
from sav_calendar.work import recorded_work
from sav_chassis import errors
from sav_chassis.errors import WrongField
from sav_chassis.shared_refusals import check_able
from sav_chassis.tx import Tx
from sav_contracts.actor import MANAGERS, STAFF, Actor
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import Skill, TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot
from sav_contracts.times import HORIZON

# How many other times are offered, and how far ahead of the one that is taken.
OFFERED = 3
OFFERED_WITHIN = timedelta(weeks=6)


class SlotTaken(errors.Conflict):
    """Somebody else took this time first, or it leaves too little for the way; `alternatives` are free."""

    code = "slot_taken"
    alternatives: Sequence[FreeSlot] = ()
    en = "This time was just taken; choose another one"
    fr = "Ce créneau vient d’être pris ; choisissez-en un autre"


class TimeGone(WrongField):
    """The same for whoever chose it on a page, which shows what is free now."""

    en = "this time was just taken: choose another one"
    fr = "ce créneau vient d’être pris : choisissez-en un autre"


class StartInPast(WrongField):
    field: str = "start"
    en = "a visit is planned in the future"
    fr = "une intervention se planifie dans le futur"


class OutsideHours(WrongField):
    """For whoever cannot allow it."""

    field: str = "start"
    en = "outside the technician’s working hours: choose another time"
    fr = "en dehors des horaires de travail du technicien : choisissez un autre créneau"


class OutsideHoursUnsaid(OutsideHours):
    """For a manager, whose command allows it."""

    en = "outside the technician’s working hours: say so with `outside_hours`"
    fr = "en dehors des horaires de travail du technicien : confirmez-le avec `outside_hours`"


class NotFree(WrongField):
    field: str = "start"
    en = "choose one of the free times"
    fr = "choisissez l’un des créneaux disponibles"


class ForManagers(WrongField):
    en = "only a manager decides this"
    fr = "seul un responsable en décide"


def check_decides(by: Actor, **given: object) -> None:
    """Raises `ForManagers` for the first of these fields that is given by somebody who is no manager."""
    for name, value in given.items():
        if value and by.role not in MANAGERS:
            raise ForManagers(field=name)


async def check_slot(
    tx: Tx, technician_id: UUID, slot: Slot, outside_hours: bool | None, field: str = "start"
) -> None:
    """Raises what is wrong with a time that staff choose, apart from what is booked then; `field` says where it stands.

    `outside_hours` is None for whoever cannot say it.
    """
    if slot.start <= tx.now:
        raise StartInPast(field=field)
    if slot.start > tx.now + HORIZON:
        raise TooFarAhead(field=field)
    if not outside_hours and not (await hours_of(tx, technician_id)).cover(slot.start, slot.end):
        raise (OutsideHours if outside_hours is None else OutsideHoursUnsaid)(field=field)


async def check_start(
    tx: Tx, technician_id: UUID, start: datetime, length: timedelta, by: Actor, outside_hours: bool
) -> None:
    """Clients choose a time that is offered, staff any future one in working hours; managers also outside.

    Whether it is taken the database says.
    """
    offered_only = by.role not in STAFF
    on_purpose = offered_only or (outside_hours if by.role in MANAGERS else None)
    await check_slot(tx, technician_id, Slot(start=start, end=start + length), on_purpose)
    if not offered_only:
        return
    work = (await recorded_work(tx, [technician_id], start, start + length)).get(technician_id)
    soonest = tx.now + (await tx.policy(CutOffs)).notice
    free = starts(work, max(start, soonest), start + MOMENT, length) if work else ()
    if start not in free or (work and work.is_away(start, start + length)):
        raise NotFree


async def able_technician(tx: Tx, technician_id: UUID, needed: Collection[Skill]) -> TechnicianView:
    """The technician, who takes visits and can do this work; raises the refusal that says why not."""
    technician = await tx.view(TechnicianView, technician_id)
    check_able(technician, needed)
    return technician


async def who_could(
    tx: Tx, what: ReclamationView | InterventionView, by: Actor, only: UUID | None = None
) -> list[TechnicianView]:
    """The technicians who can do this work; for a client, who work there too."""
    able = await able_technicians(tx, what.technician_id or only, what.skills_needed)
    return [one for one in able if by.role in STAFF or may_choose(what, one)]


async def next_free(
    tx: Tx, technicians: Iterable[TechnicianView], since: datetime, length: timedelta, most: int = OFFERED
) -> list[FreeSlot]:
    """The next times when one of these technicians is free, after the notice."""
    earliest = max(since, tx.now + (await tx.policy(CutOffs)).notice)
    until = min(earliest + OFFERED_WITHIN, tx.now + HORIZON)
    return await first_free_times(tx, earliest, until, list(technicians), most, length)


async def taken(
    tx: Tx, technicians: Iterable[TechnicianView], start: datetime, length: timedelta
) -> SlotTaken:
    """The refusal of a time, with what is free from a day before it on."""
    return SlotTaken(alternatives=await next_free(tx, technicians, start - timedelta(days=1), length))
