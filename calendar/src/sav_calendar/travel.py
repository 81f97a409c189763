"""The way from one visit to the next: how much time is kept free for it, and where none is needed."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select

from sav_calendar.lifecycle import TAKES_TIME
from sav_calendar.model.appointment import Appointment
from sav_chassis.tx import Tx
from sav_contracts.address import Address
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.appointment import AppointmentChanged
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import is_erased


class Way(NamedTuple):
    """What is kept free for the way from a visit to the next one, and until when that lasts."""

    travel: timedelta
    busy_until: datetime
    place: UUID | None


async def way_from(
    tx: Tx, technician_id: UUID, start: datetime, end: datetime, place: UUID | None, closer: bool
) -> Way:
    """The time that a visit from `start` to `end` takes with the way to the next one.

    The usual time, or what is left of it where the next visit is at the same address, or is to be so close by a manager's
    decision (`closer`); likewise for the one before, which is changed. The visit itself takes no time yet. The caller has
    the technician's lock; whether the time is free the database says.
    """
    travel = (await tx.policy(Buffers)).travel
    theirs = select(Appointment).where(
        Appointment.technician_id == technician_id, Appointment.status.in_(TAKES_TIME)
    )
    before = await tx.first(theirs.where(Appointment.start < start).order_by(Appointment.start.desc()))
    after = await tx.first(theirs.where(Appointment.start >= start).order_by(Appointment.start))
    if before:
        close = closer or _at_one_address(before.place, place)
        next_start = start if close else after.start if after else None
        await _set_busy(tx, before, _until(before.end, before.travel, next_start))
    close = after is not None and (closer or _at_one_address(after.place, place))
    return Way(travel, _until(end, travel, after.start if after and close else None), place)


async def address_of(tx: Tx, reclamation_id: UUID | None, intervention_id: UUID | None) -> Address | None:
    """Where a visit is; None where that is not known here."""
    visit = await tx.copies(InterventionView).one(intervention_id) if intervention_id else None
    place = visit.place if visit else None
    if place is None and reclamation_id:
        reclamation = await tx.copies(ReclamationView).one(reclamation_id)
        place = reclamation.place if reclamation else None
    return None if place is None or is_erased(place) else place


def place_of(place: Address | None) -> UUID | None:
    """What all visits at one address have in common, however it is written in capitals and spaces.

    It does not show the address. None where that is not known.
    """
    if place is None:
        return None
    words = f"{place.country} {place.postcode} {place.city} {place.address}".casefold().split()
    return uuid5(NAMESPACE_URL, " ".join(words))


def _at_one_address(one: UUID | None, other: UUID | None) -> bool:
    return one is not None and one == other


def _until(end: datetime, travel: timedelta, next_start: datetime | None) -> datetime:
    """Until when the way to the next visit lasts: never into that visit, and never before this one ends."""
    usual = end + travel
    return usual if next_start is None else max(end, min(usual, next_start))


async def _set_busy(tx: Tx, appointment: Appointment, until: datetime) -> None:
    if appointment.busy_until == until:
        return
    appointment.busy_until = until
    tx.emit(appointment, AppointmentChanged())
    await tx.flush()
