"""Taking and releasing a technician's time; used by commands and reactions."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice, repeat
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert

from sav_calendar.cases import Case
from sav_calendar.hours import ALWAYS, NEVER, VISIT, Span, Work, free_starts, slot_at
from sav_calendar.lifecycle import TAKES_TIME
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.model.hours import WorkingHours
from sav_calendar.timers import expire_hold
from sav_calendar.travel import address_of, place_of, way_from
from sav_calendar.work import absences_of, recorded_work
from sav_chassis import errors
from sav_chassis.errors import WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import MANAGERS, SYSTEM, Actor
from sav_contracts.address import Address
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    Freed,
)
from sav_contracts.calendar.conflict import ConflictBecameMoot, ConflictResolved
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.time_zone import zone_of

WEEK = timedelta(weeks=1)


class TooFarAhead(WrongField):
    en = "at most a year ahead"
    fr = "au plus un an à l’avance"


class AnotherTechnician(errors.Conflict):
    """The réclamation, or the visit, is another technician's."""

    code = "another_technician"
    reference: str
    en = "{reference} has another technician; choose one of their times"
    fr = "{reference} est confiée à un autre technicien ; choisissez l’un de ses créneaux"


def check_their_technician(what: ReclamationView | InterventionView, technician_id: UUID) -> None:
    """Raises `AnotherTechnician` where the réclamation or visit has a technician who is not this one."""
    if what.technician_id not in (None, technician_id):
        called = what.reference if isinstance(what, ReclamationView) else what.called
        raise AnotherTechnician(reference=called)


def may_choose(what: ReclamationView | InterventionView, technician: TechnicianView) -> bool:
    """Whether its client may choose this technician's times: they work there, or have it already."""
    return what.technician_id is not None or technician.works_at(what.place)


async def claim_time(tx: Tx, closer: str | None = None, **visit: Any) -> Appointment | None:
    """Adds an appointment; returns None where its technician's time is taken, or too little is left for the way.

    `closer` is why a manager plans it with less time for the way. The exclusion constraint decides; it waits for a
    concurrent transaction that takes the same time. The caller has the technician's lock.
    """
    id = tx.new_id()
    address = await address_of(tx, visit["reclamation_id"], visit.get("intervention_id"))
    place, close = place_of(address), closer is not None
    way = await way_from(tx, visit["technician_id"], visit["start"], visit["end"], place, close)
    claim = (
        insert(Appointment)
        .values(
            id=id,
            version=0,
            created_at=tx.now,
            updated_at=tx.now,
            uid=str(id),
            sequence=0,
            zone=await zone_at(tx, address, visit["technician_id"]),
            closer=closer,
            **way._asdict(),
            **visit,
        )
        .on_conflict_do_nothing(constraint="appointment_overlap")
        .returning(Appointment)
    )
    return (await tx.session.scalars(claim)).one_or_none()


async def current_appointment(tx: Tx, case: Case) -> Appointment | None:
    """The held or booked appointment of a case, if any; others that plan for it wait for this transaction.

    What is only offered in its place is none.
    """
    # An advisory lock, as there may be no row to lock yet: a double click must not conflict with itself.
    await tx.lock(f"appointment of {case.id}")
    return await tx.first(
        select(Appointment)
        .where(case.has(Appointment), Appointment.status.in_(TAKES_TIME))
        .where(Appointment.offered_for.is_(None))
    )


async def release(
    tx: Tx,
    appointment: Appointment,
    cause: Freed,
    by: Actor,
    told: bool = True,
    reason: str | None = None,
) -> None:
    """Cancels a held or booked appointment; this transaction may then take its time again.

    Nobody is told of one that is only held, nor where `told` is false: that is for later. `reason` is what somebody
    typed, or more than `cause` says.
    """
    silent = appointment.status == "held" or not told
    appointment.move("cancelled", by, reason or cause)
    tx.forget(expire_hold, appointment.id)
    tx.emit(appointment, AppointmentChanged() if silent else AppointmentCancelled(cause=cause))
    # Nobody has to decide about a time that is free.
    await settle_conflicts(tx, PlanningConflict.appointment_id == appointment.id, by)
    await tx.flush()


def book(tx: Tx, appointment: Appointment, intervention_id: UUID | None, by: Actor) -> None:
    """Books a held appointment."""
    appointment.move("booked", by)
    appointment.intervention_id = intervention_id
    tx.forget(expire_hold, appointment.id)
    tx.emit(appointment, AppointmentBooked())


async def free_times(
    tx: Tx,
    since: datetime,
    until: datetime,
    technicians: Collection[TechnicianView],
    length: timedelta = VISIT,
) -> Iterator[FreeSlot]:
    """The free slots of these technicians, of that length, the earliest first."""
    ids = [technician.id for technician in technicians]
    works = await recorded_work(tx, ids, since, until + length)
    travel = (await tx.policy(Buffers)).travel
    taken = await taken_times(tx, works.keys(), since, until, travel, length)
    return _in_order(works, taken, since, until, travel, length)


async def first_free_times(
    tx: Tx,
    since: datetime,
    until: datetime,
    technicians: Collection[TechnicianView],
    most: int,
    length: timedelta = VISIT,
) -> list[FreeSlot]:
    """The first so many of `free_times`: the visits of a later week are read where the ones before have too few."""
    ids = [technician.id for technician in technicians]
    works = await recorded_work(tx, ids, since, until + length)
    travel = (await tx.policy(Buffers)).travel
    found: list[FreeSlot] = []
    while since < until and len(found) < most:
        week = min(since + WEEK, until)
        taken = await taken_times(tx, works.keys(), since, week, travel, length)
        found += islice(_in_order(works, taken, since, week, travel, length), most - len(found))
        since = week
    return found


def _in_order(
    works: Mapping[UUID, Work],
    taken: Mapping[UUID, list[Span]],
    since: datetime,
    until: datetime,
    travel: timedelta,
    length: timedelta,
) -> Iterator[FreeSlot]:
    """The free slots of all of them, by start and technician. Only what is asked for is computed."""
    # The numbers of ids are compared faster than ids.
    free = heapq.merge(
        *(
            zip(free_starts(work, taken[id], since, until, travel, length), repeat(id.int), repeat(work))
            for id, work in works.items()
        )
    )
    return (slot_at(start, work, length) for start, _, work in free)


async def taken_times(
    tx: Tx,
    technicians: Collection[UUID],
    since: datetime,
    until: datetime,
    travel: timedelta,
    length: timedelta = VISIT,
) -> defaultdict[UUID, list[Span]]:
    """The held and booked times that may be too close to a visit beginning between `since` and `until`.

    Each ends so that `too_close`, which adds `travel`, counts the time for the way that was usual when it was planned.
    """
    ready = Appointment.end + Appointment.travel
    found = await tx.session.execute(
        select(Appointment.technician_id, Appointment.start, ready).where(
            Appointment.technician_id.in_(technicians),
            Appointment.status.in_(TAKES_TIME),
            Appointment.start < until + length + travel,
            ready > since,
        )
    )
    taken = defaultdict(list)
    for technician_id, start, ends in found:
        taken[technician_id].append((start, ends - travel))
    return taken


async def settle_conflicts(tx: Tx, about: ColumnElement[bool], by: Actor) -> int:
    """Ends the open conflicts: resolved where a manager acts, else moot. Returns how many it ended."""
    settled = (
        await tx.session.scalars(
            select(PlanningConflict)
            .where(PlanningConflict.status == "open", about)
            .order_by(PlanningConflict.id)
            .with_for_update()
        )
    ).all()
    for conflict in settled:
        if by.role in MANAGERS:
            conflict.move("resolved", by)
            tx.emit(conflict, ConflictResolved())
        else:
            conflict.move("moot", SYSTEM)
            tx.emit(conflict, ConflictBecameMoot())
    return len(settled)


async def hours_of(tx: Tx, technician_id: UUID) -> Work:
    """When a technician works, with their absences; at the usual hours where none are recorded."""
    hours = await tx.session.get(WorkingHours, WorkingHours.id_of(technician_id))
    away = await absences_of(tx, [technician_id], ALWAYS, NEVER)
    return Work.of(hours or WorkingHours.usual(technician_id), away[technician_id])


async def zone_at(tx: Tx, address: Address | None, technician_id: UUID) -> str:
    """The zone in which the times of a visit are read: where it is; where that is not known, of its technician's hours."""
    return zone_of(address.country, address.postcode) if address else (await hours_of(tx, technician_id)).zone
