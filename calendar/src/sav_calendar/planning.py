"""Taking and releasing a technician's time; used by commands and reactions."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert

from sav_calendar.cases import Case
from sav_calendar.hours import ALWAYS, NEVER, VISIT, Span, Work, free_slots
from sav_calendar.lifecycle import TAKES_TIME
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.model.hours import WorkingHours
from sav_calendar.timers import expire_hold
from sav_calendar.travel import place_of, way_from
from sav_calendar.work import absences_of, recorded_work
from sav_chassis import errors
from sav_chassis.errors import WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import MANAGERS, SYSTEM, Actor
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentCancelled, AppointmentChanged
from sav_contracts.calendar.conflict import ConflictBecameMoot, ConflictResolved
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView


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
    place = await place_of(tx, visit["reclamation_id"], visit.get("intervention_id"))
    way = await way_from(tx, visit["technician_id"], visit["start"], visit["end"], place, closer is not None)
    claim = (
        insert(Appointment)
        .values(
            id=id,
            version=0,
            created_at=tx.now,
            updated_at=tx.now,
            uid=str(id),
            sequence=0,
            zone=(await hours_of(tx, visit["technician_id"])).zone,
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


async def release(tx: Tx, appointment: Appointment, reason: str, by: Actor, told: bool = True) -> None:
    """Cancels a held or booked appointment; this transaction may then take its time again.

    Nobody is told of one that is only held, nor where `told` is false: that is for later.
    """
    silent = appointment.status == "held" or not told
    event = AppointmentChanged if silent else AppointmentCancelled
    appointment.move("cancelled", by, reason)
    tx.forget(expire_hold, appointment.id)
    tx.emit(appointment, event())
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
    taken = await taken_times(tx, ids, since, until, travel, length)
    return heapq.merge(
        *(
            free_slots(work, taken[technician_id], since, until, travel, length)
            for technician_id, work in works.items()
        ),
        key=lambda slot: (slot.start, slot.technician_id),
    )


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
