"""Offering what gets free to clients who wait for an earlier time, in the order in which they asked."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select

from sav_calendar.app import calendar
from sav_calendar.copies import able_technicians, lock_technician
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.waiting import EarlierVisit
from sav_calendar.planning import claim_time, free_times
from sav_calendar.rounds import suits
from sav_calendar.timers import expire_hold
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar.appointment import AppointmentChanged
from sav_contracts.calendar.waiting import EarlierVisitChanged, EarlierVisitOffered
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.slot import Slot

# How long an offer is held.
OFFER = timedelta(hours=2)
A_MOMENT = timedelta(seconds=1)
# The most clients who are looked at when a time gets free.
MOST_ASKED = 50


@calendar.timer
async def offer_earlier(id: UUID, tx: Tx) -> str | None:
    """Offers what this technician has free to clients who wait for an earlier visit of theirs, one time to each."""
    await lock_technician(tx, id)
    able = await able_technicians(tx, id)
    for wish, booked in await _waiting(tx, id):
        await _offer(tx, wish, booked, able)
    if ends := await tx.session.scalar(_first_end(id)):
        # Whoever comes next is asked once it is free again.
        tx.remind(offer_earlier, id, ends + A_MOMENT)
    return None if tx.has_emitted else "nothing is free for anybody who waits"


async def end_wish(tx: Tx, reclamation_id: UUID | None, by: Actor) -> None:
    """Ends the wish of a réclamation whose visit is off or over, if there is one; what was offered is free again."""
    theirs = select(EarlierVisit).where(
        EarlierVisit.reclamation_id == reclamation_id, EarlierVisit.status != "ended"
    )
    if wish := await tx.first(theirs):
        await withdraw_offer(tx, wish, by)
        wish.end(by)
        tx.emit(wish, EarlierVisitChanged())


async def withdraw_offer(tx: Tx, wish: EarlierVisit, by: Actor) -> None:
    """Frees the time that is held for it, if one is."""
    if wish.offer_id is None:
        return
    offer = await tx.load(Appointment, wish.offer_id, SYSTEM)
    if offer.status == "held":
        offer.move("cancelled", by, "the offer is over")
        tx.forget(expire_hold, offer.id)
        tx.emit(offer, AppointmentChanged())
        tx.remind(offer_earlier, offer.technician_id, tx.now)
        await tx.flush()


def _first_end(technician_id: UUID) -> Select[datetime | None]:
    """When the first of the offers of this technician ends."""
    theirs = (Appointment.technician_id == technician_id, Appointment.status == "held")
    return select(func.min(Appointment.held_until)).where(*theirs, Appointment.offered_for.is_not(None))


async def _waiting(tx: Tx, technician_id: UUID) -> list[tuple[EarlierVisit, Appointment]]:
    """Who waits for an earlier visit of this technician, with what is booked: who asked first comes first."""
    found = await tx.session.execute(
        select(EarlierVisit, Appointment)
        .join(Appointment, Appointment.reclamation_id == EarlierVisit.reclamation_id)
        .where(EarlierVisit.status == "waiting", Appointment.technician_id == technician_id)
        .where(Appointment.status == "booked")
        .order_by(EarlierVisit.asked_at, EarlierVisit.id)
        .limit(MOST_ASKED)
        .with_for_update(of=EarlierVisit)
    )
    return [(wish, booked) for wish, booked in found]


async def _offer(tx: Tx, wish: EarlierVisit, booked: Appointment, able: list[TechnicianView]) -> None:
    """Holds the first time that suits the client; they can still move their visit when the offer ends."""
    cut_offs = await tx.policy(CutOffs)
    ends = tx.now + OFFER
    if booked.start < ends + cut_offs.changes_until:
        return
    reclamation = await tx.view(ReclamationView, wish.reclamation_id)
    length = booked.end - booked.start
    free = await free_times(tx, ends + cut_offs.notice, booked.start, able, length)
    wanted, zone = reclamation.preferred_times, ZoneInfo(booked.zone)
    slot = next((one for one in free if not wanted or suits(one.start, wanted, zone)), None)
    held = slot and await claim_time(
        tx,
        client_id=wish.client_id,
        technician_id=booked.technician_id,
        reclamation_id=wish.reclamation_id,
        reclamation_reference=wish.reclamation_reference,
        intervention_id=booked.intervention_id,
        start=slot.start,
        end=slot.end,
        status="held",
        held_until=ends,
        offered_for=wish.id,
    )
    if not held:
        return
    wish.move("offered", SYSTEM)
    wish.offer_id, wish.offered, wish.offered_until = held.id, Slot(start=held.start, end=held.end), ends
    tx.remind(expire_hold, held.id, ends)
    tx.emit(held, AppointmentChanged())
    told = EarlierVisitOffered(
        technician_id=held.technician_id, arrival_from=held.arrival_from, arrival_until=held.arrival_until
    )
    tx.emit(wish, told)
