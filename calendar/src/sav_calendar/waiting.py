"""Offering what gets free to clients who wait for an earlier time, in the order in which they asked."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.cases import lock_cases
from sav_calendar.copies import able_technicians, lock_technician
from sav_calendar.hours import Work
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.waiting import EarlierVisit
from sav_calendar.planning import claim_time, free_times
from sav_calendar.rounds import suits
from sav_calendar.timers import expire_hold
from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar.appointment import AppointmentChanged
from sav_contracts.calendar.waiting import (
    EarlierVisitChanged,
    EarlierVisitOffered,
    EarlierVisitTakenBack,
)
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.slot import Slot

# How long an offer is held.
OFFER = timedelta(hours=2)
# When offers are made, on the clock where the visit is: one of the night would lapse while its client sleeps.
OFFERED_FROM, OFFERED_UNTIL = time(8), time(20)
# The most clients who are looked at when a time gets free.
MOST_ASKED = 50
SOMEBODY_WAITS = select(EarlierVisit.id).where(EarlierVisit.status == "waiting").limit(1)


@settles(Appointment)
async def offer_what_is_free(appointment: Appointment, tx: Tx) -> None:
    """Whoever frees a time, and for whatever reason: it is offered where somebody waits."""
    free = appointment.status in ("cancelled", "expired") and appointment.end > tx.now
    if free and await tx.session.scalar(SOMEBODY_WAITS):
        tx.remind(offer_earlier, appointment.technician_id, tx.now)


@calendar.timer
async def offer_earlier(id: UUID, tx: Tx) -> str | None:
    """Offers what this technician has free to clients who wait for an earlier visit of theirs, one time to each.

    What is free at night, where the visit is, waits until the morning.
    """
    await lock_technician(tx, id)
    mornings = []
    if able := await able_technicians(tx, id):
        for wish, booked in await _waiting(tx, id):
            due = offered_from(tx.now, booked.zone)
            if due <= tx.now:
                await _offer(tx, wish, booked, able)
            else:
                mornings.append(due)
    if mornings:
        tx.remind(offer_earlier, id, min(mornings))
    return None if tx.has_emitted else "nothing is free for anybody who waits, or it is night there"


def offered_from(now: datetime, zone: str) -> datetime:
    """The first moment from `now` on, in UTC, in which an offer may be made there."""
    there = now.astimezone(ZoneInfo(zone))
    if OFFERED_FROM <= there.time() < OFFERED_UNTIL:
        return now
    day = there.date() + timedelta(days=there.time() >= OFFERED_UNTIL)
    return datetime.combine(day, OFFERED_FROM, ZoneInfo(zone)).astimezone(UTC)


async def end_wish(tx: Tx, reclamation_id: UUID | None, by: Actor) -> None:
    """Ends the wish of a réclamation whose visit is off or over, if there is one; what was offered is free again."""
    theirs = select(EarlierVisit).where(
        EarlierVisit.reclamation_id == reclamation_id, EarlierVisit.status != "ended"
    )
    if wish := await tx.first(theirs):
        await _end(tx, wish, by)


async def take_back_offer(
    tx: Tx, reclamation_id: UUID | None, new_start: datetime | None = None, told: bool = True
) -> None:
    """Frees what is offered for a réclamation whose visit gets another time or technician; its client waits on.

    They are told of it, unless they chose the other time themselves. Where `new_start` is that of the offer they have
    what they waited for, and the wish ends; it is None where another technician comes.
    """
    theirs = select(EarlierVisit).where(
        EarlierVisit.reclamation_id == reclamation_id, EarlierVisit.status == "offered"
    )
    if wish := await tx.first(theirs):
        if wish.offered and wish.offered.start == new_start:
            await _end(tx, wish, SYSTEM)
        else:
            await _wait_on(tx, wish, told)


async def take_back_offers(tx: Tx, technician_id: UUID, work: Work | None) -> None:
    """Frees what is offered of a technician who is not at `work` then, or at none any more; whoever had it waits on.

    The caller has the technician's lock, and takes no further locks of cases.
    """
    found = await tx.session.execute(
        select(EarlierVisit, Appointment.start, Appointment.end)
        .join(Appointment, Appointment.id == EarlierVisit.offer_id)
        .where(EarlierVisit.status == "offered", Appointment.technician_id == technician_id)
        .order_by(EarlierVisit.id)
        .with_for_update(of=EarlierVisit)
    )
    for wish, start, end in found.all():
        if work is None or not work.cover(start, end):
            await _wait_on(tx, wish)


async def withdraw_offer(tx: Tx, wish: EarlierVisit) -> Appointment | None:
    """Frees the time that is held for it, if one is, and returns it."""
    if wish.offer_id is None:
        return None
    offer = await tx.load(Appointment, wish.offer_id, SYSTEM)
    if offer.status != "held":
        return None
    # Whoever it was that changed the visit: a technician too.
    offer.move("cancelled", SYSTEM, "offer_over")
    tx.forget(expire_hold, offer.id)
    tx.emit(offer, AppointmentChanged())
    await tx.flush()
    return offer


async def _end(tx: Tx, wish: EarlierVisit, by: Actor) -> None:
    await withdraw_offer(tx, wish)
    wish.end(by)
    tx.emit(wish, EarlierVisitChanged())


async def _wait_on(tx: Tx, wish: EarlierVisit, told: bool = True) -> None:
    offer = await withdraw_offer(tx, wish)
    wish.wait_on()
    if offer is None or not told:
        tx.emit(wish, EarlierVisitChanged())
        return
    gone = EarlierVisitTakenBack(arrival_from=offer.arrival_from, arrival_until=offer.arrival_until)
    tx.emit(wish, gone)


async def _waiting(tx: Tx, technician_id: UUID) -> list[tuple[EarlierVisit, Appointment]]:
    """Who waits for an earlier visit of this technician, with what is booked: who asked first comes first.

    Only those who can still move their visit when an offer of now ends.
    """
    theirs = (
        select(EarlierVisit, Appointment)
        .join(Appointment, Appointment.reclamation_id == EarlierVisit.reclamation_id)
        .where(EarlierVisit.status == "waiting", Appointment.technician_id == technician_id)
        .where(Appointment.status == "booked")
        .where(Appointment.start >= tx.now + OFFER + (await tx.policy(CutOffs)).changes_until)
        .order_by(EarlierVisit.asked_at, EarlierVisit.id)
        .limit(MOST_ASKED)
    )
    # Each before its wish and its appointment.
    await lock_cases(tx, await tx.session.scalars(theirs.with_only_columns(EarlierVisit.reclamation_id)))
    found = await tx.session.execute(theirs.with_for_update(of=EarlierVisit))
    return [(wish, booked) for wish, booked in found]


async def _offer(tx: Tx, wish: EarlierVisit, booked: Appointment, able: list[TechnicianView]) -> None:
    """Holds the first time that suits the client."""
    ends = tx.now + OFFER
    reclamation = await tx.view(ReclamationView, wish.reclamation_id)
    length = booked.end - booked.start
    free = await free_times(tx, ends + (await tx.policy(CutOffs)).notice, booked.start, able, length)
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
