"""Taking and giving back a technician's time, for commands and reactions alike."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert

from sav_calendar.copies import active_technicians
from sav_calendar.hours import VISIT, ZONE, Span, free_slots
from sav_calendar.lifecycle import TAKES_TIME
from sav_calendar.model import Appointment, Conflict, WorkingHours
from sav_calendar.timers import expire_hold
from sav_chassis import errors
from sav_chassis.tx import Tx
from sav_contracts.actor import MANAGERS, SYSTEM, Actor
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    ConflictResolved,
    FreeSlot,
)
from sav_contracts.claims import ReclamationView


class AnotherTechnician(errors.Conflict):
    """The réclamation is somebody else's work."""

    code = "another_technician"


def check_their_technician(reclamation: ReclamationView, technician_id: UUID) -> None:
    """Raises `AnotherTechnician` where the réclamation has a technician who is not this one."""
    if reclamation.technician_id not in (None, technician_id):
        raise AnotherTechnician(f"{reclamation.reference} has another technician; choose one of their times")


async def claim_time(tx: Tx, **visit: Any) -> Appointment | None:
    """Puts a visit into the calendar; None where its technician's time is taken.

    The exclusion constraint decides, after waiting for whoever is about to take the same time.
    """
    id = tx.new_id()
    claim = (
        insert(Appointment)
        .values(
            id=id,
            version=0,
            created_at=tx.now,
            updated_at=tx.now,
            uid=str(id),
            sequence=0,
            zone=await _zone(tx, visit["technician_id"]),
            **visit,
        )
        .on_conflict_do_nothing(constraint="appointment_overlap")
        .returning(Appointment)
    )
    return (await tx.session.scalars(claim)).one_or_none()


async def standing_appointment(tx: Tx, reclamation_id: UUID) -> Appointment | None:
    """What is held or booked for a réclamation, one at most; whoever else plans for it waits until the end."""
    # Before there is an appointment that could be locked: twice the same click is no conflict with oneself.
    await tx.alone(f"appointment of {reclamation_id}")
    return await tx.first(
        select(Appointment).where(
            Appointment.reclamation_id == reclamation_id, Appointment.status.in_(TAKES_TIME)
        )
    )


async def release(tx: Tx, appointment: Appointment, reason: str, by: Actor) -> None:
    """Gives a held or booked time back; from here on this transaction may take it again."""
    event = AppointmentChanged if appointment.status == "held" else AppointmentCancelled
    appointment.move("cancelled", by, reason)
    tx.forget(expire_hold, appointment.id)
    tx.emit(event, appointment)
    await tx.flush()


def book(tx: Tx, appointment: Appointment, intervention_id: UUID | None, by: Actor) -> None:
    """Makes a held time a booked one."""
    appointment.move("booked", by)
    appointment.intervention_id = intervention_id
    tx.forget(expire_hold, appointment.id)
    tx.emit(AppointmentBooked, appointment)


async def openings(
    tx: Tx, since: datetime, until: datetime, technician_id: UUID | None = None
) -> Iterator[FreeSlot]:
    """The free times of a technician, or of all, the earliest first; who takes no visits at present has none."""
    technicians = await active_technicians(tx, technician_id)
    at_work = await tx.session.scalars(
        select(WorkingHours).where(WorkingHours.technician_id.in_(technicians))
    )
    travel = (await tx.policy(Buffers)).travel
    taken = await taken_times(tx, technicians, since, until, travel)
    return heapq.merge(
        *(free_slots(hours.view(), taken[hours.technician_id], since, until, travel) for hours in at_work),
        key=lambda slot: (slot.start, slot.technician_id),
    )


async def taken_times(
    tx: Tx, technicians: Collection[UUID], since: datetime, until: datetime, travel: timedelta
) -> defaultdict[UUID, list[Span]]:
    """The held and booked times that a visit beginning between `since` and `until` could come too close to."""
    found = await tx.session.execute(
        select(Appointment.technician_id, Appointment.start, Appointment.end).where(
            Appointment.technician_id.in_(technicians),
            Appointment.status.in_(TAKES_TIME),
            Appointment.start < until + VISIT + travel,
            Appointment.end > since - travel,
        )
    )
    taken = defaultdict(list)
    for technician_id, start, end in found:
        taken[technician_id].append((start, end))
    return taken


async def settle_conflicts(tx: Tx, about: ColumnElement[bool], by: Actor) -> int:
    """Ends the open conflicts about a visit: a manager resolves them, anything else makes them moot; says how many."""
    settled = (
        await tx.session.scalars(
            select(Conflict).where(Conflict.status == "open", about).order_by(Conflict.id).with_for_update()
        )
    ).all()
    for conflict in settled:
        if by.role in MANAGERS:
            conflict.move("resolved", by)
        else:
            conflict.move("moot", SYSTEM)
        tx.emit(ConflictResolved, conflict)
    return len(settled)


async def _zone(tx: Tx, technician_id: UUID) -> str:
    hours = await tx.session.get(WorkingHours, WorkingHours.id_of(technician_id))
    return hours.zone if hours else ZONE
