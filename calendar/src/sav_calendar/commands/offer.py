"""Other times for a visit that does not fit, of which its client chooses one by a link."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.choosing import SlotTaken, TimeGone, able_technician, check_slot
from sav_calendar.copies import able_technicians
from sav_calendar.deciding import check_may_go, decide, is_taken, taken_with, to_decide, visit_of
from sav_calendar.hours import ARRIVAL, arrival_until
from sav_calendar.lifecycle import CONFLICT, TAKES_TIME
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.planning import hours_of, zone_at
from sav_calendar.timers import await_answer
from sav_calendar.travel import address_of
from sav_chassis.errors import Conflict, SavError
from sav_chassis.identity import Links
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.calendar.conflict import Alternative, ConflictResolved
from sav_contracts.calendar.offer import (
    MOST_OFFERED,
    ChooseTime,
    GetOfferByLink,
    OfferShown,
    OfferTimes,
    TimeShown,
    TimesOffered,
)
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot

# What is signed into the link.
TIMES = "times"
# After this a manager is told that the client has not answered.
ANSWERED_WITHIN = timedelta(days=2)
# Within this the same answer, sent again, is no error: a double click, a page that was loaded again.
JUST_NOW = timedelta(hours=1)


class NothingToOffer(Conflict):
    """What the conflict proposes is not free any more, or it proposes nothing."""

    code = "nothing_to_offer"
    reference: str
    en = "Nothing of what is proposed for {reference} is free: say which times to offer"
    fr = "Aucune des propositions pour {reference} n’est libre : indiquez les créneaux à proposer"


class OfferOver(SavError):
    """The link was used, is too old, or was never ours; or the visit was settled otherwise."""

    code = "link_expired"
    status = 410
    en = "This link is incomplete or no longer valid; look for a newer message of ours, or sign in"
    fr = "Ce lien est incomplet ou n’est plus valable ; cherchez un message plus récent de notre part, ou connectez-vous"


class OfferLapsed(SavError):
    """Its client chose none of the times before the last of them began; managers were told (`OfferUnanswered`)."""

    code = "link_expired"
    status = 410
    en = (
        "It is too late to choose one of these times. Our team knows that none was chosen: "
        "we will call or write to you about your visit"
    )
    fr = (
        "Il est trop tard pour choisir l’un de ces créneaux. Notre équipe sait qu’aucun n’a été choisi : "
        "nous vous appellerons ou vous écrirons au sujet de votre visite"
    )


@calendar.command(OfferTimes)
async def offer_times(cmd: OfferTimes, tx: Tx, by: Actor) -> PlanningConflict:
    """Send the client a link to choose one of these times; nothing is held meanwhile."""
    seen = await tx.read(PlanningConflict, cmd.conflict_id, by)
    conflict, visit = await to_decide(tx, seen, {seen.technician_id}, by)
    CONFLICT.check(conflict.status, "resolved", by)
    check_may_go(visit, same=False)
    given = await _given(cmd, conflict, visit, tx)
    times = given or _each_once(await _free_of(tx, visit, _proposed(conflict)))
    if not times:
        raise NothingToOffer(reference=visit.called)
    conflict.offered = sorted(times[:MOST_OFFERED], key=lambda time: (time.start, time.technician_id))
    conflict.offered_until = max(time.start for time in times[:MOST_OFFERED])
    conflict.offer_grant = tx.new_id()
    told = TimesOffered(
        grant_id=conflict.offer_grant,
        expires_at=conflict.offered_until,
        arrival_minutes=ARRIVAL // timedelta(minutes=1),
    )
    tx.emit(conflict, told)
    tx.remind(await_answer, conflict.offer_grant, min(conflict.offered_until, tx.now + ANSWERED_WITHIN))
    return conflict


@calendar.query(GetOfferByLink)
async def get_offer_by_link(query: GetOfferByLink, tx: Tx, by: Actor) -> OfferShown:
    """The times that are still free; once one was chosen, that one."""
    conflict = await _by_link(tx, query.token.get_secret_value())
    if conflict.status != "open" and _was_just_answered(conflict, tx):
        return await _shown(tx, conflict, await visit_of(tx, conflict))
    _check_open(conflict, conflict.offer_grant, tx)
    return await _shown(tx, conflict, await visit_of(tx, conflict))


@calendar.command(ChooseTime)
async def choose_time(cmd: ChooseTime, tx: Tx, by: Actor) -> OfferShown:
    """The client chooses: the visit is booked at that time, or given to whoever comes then."""
    seen = await _by_link(tx, cmd.token.get_secret_value())
    grant, times = seen.offer_grant, seen.offered
    if cmd.choice > len(times):
        raise TimeGone(field="choice")
    time = times[cmd.choice - 1]
    conflict, visit = await to_decide(tx, seen, {seen.technician_id, time.technician_id}, SYSTEM)
    if conflict.chosen == cmd.choice and _was_just_answered(conflict, tx):
        return await _shown(tx, conflict, visit)
    _check_open(conflict, grant, tx)
    if time not in await _free_of(tx, visit, [time]):
        raise TimeGone(field="choice")
    conflict.chosen = cmd.choice
    slot = Slot(start=time.start, end=time.end)
    how = ConflictResolved(technician_id=time.technician_id, slot=slot, by_client=True)
    try:
        await decide(tx, conflict, visit, how, SYSTEM)
    except SlotTaken:
        raise TimeGone(field="choice") from None
    return await _shown(tx, conflict, visit)


async def _by_link(tx: Tx, token: str) -> PlanningConflict:
    grant = Links(tx.settings.link_secret).grant(TIMES, token)
    found = await tx.session.scalar(select(PlanningConflict).where(PlanningConflict.offer_grant.in_([grant])))
    if found is None:
        raise OfferOver
    return found


def _check_open(conflict: PlanningConflict, grant: UUID | None, tx: Tx) -> None:
    """Raises `OfferOver` where the link is not the one that was sent last, or its conflict is over; else `OfferLapsed`."""
    if conflict.status != "open" or conflict.offer_grant != grant:
        raise OfferOver
    if not is_offered(conflict, tx):
        raise OfferLapsed


def is_offered(conflict: PlanningConflict, tx: Tx) -> bool:
    """Whether its client may choose one of the times that were offered."""
    return conflict.status == "open" and bool(conflict.offered_until and conflict.offered_until > tx.now)


def _was_just_answered(conflict: PlanningConflict, tx: Tx) -> bool:
    return conflict.chosen is not None and tx.now < conflict.updated_at + JUST_NOW


async def _given(
    cmd: OfferTimes, conflict: PlanningConflict, visit: InterventionView, tx: Tx
) -> list[Alternative]:
    """The times that the manager named; raises what is wrong with the first that is."""
    found = []
    for place, one in enumerate(cmd.times):
        who = one.technician_id or conflict.technician_id
        await able_technician(tx, who, visit.skills_needed)
        await check_slot(tx, who, one.slot, outside_hours=None, field=f"times.{place}.slot")
        time = Alternative(technician_id=who, start=one.slot.start, end=one.slot.end)
        if not await _free_of(tx, visit, [time]):
            raise await taken_with(tx, who, one.slot)
        found.append(time)
    return found


def _proposed(conflict: PlanningConflict) -> list[Alternative]:
    """What it proposes, the best first; the order of old ones is as it was."""
    own = (
        Alternative(technician_id=conflict.technician_id, start=one.start, end=one.end)
        for one in conflict.proposals
    )
    found: list[Alternative] = [*conflict.ranked] or [*own, *conflict.alternatives]
    return [Alternative(technician_id=one.technician_id, start=one.start, end=one.end) for one in found]


def _each_once(times: Sequence[Alternative]) -> list[Alternative]:
    """Each time with the best of those who could come then: a client chooses when, not who."""
    best: dict[datetime, Alternative] = {}
    for time in times:
        best.setdefault(time.start, time)
    return [*best.values()]


async def _free_of(tx: Tx, visit: InterventionView, times: Sequence[Alternative]) -> list[Alternative]:
    """Those of these times at which their technicians still take visits, can do this one, work, and are free."""
    able = {one.id for one in await able_technicians(tx, needed=visit.skills_needed)}
    standing = Case.of(visit).has(Appointment) & Appointment.status.in_(TAKES_TIME)
    own = await tx.session.scalar(select(Appointment).where(standing, Appointment.offered_for.is_(None)))
    return [
        time
        for time in times
        if time.technician_id in able and time.start > tx.now and await _is_free(tx, time, own)
    ]


async def _is_free(tx: Tx, time: Alternative, own: Appointment | None) -> bool:
    """Whether they work then, and nothing but `own` is booked with them: their hours or absences may be others now."""
    slot = Slot(start=time.start, end=time.end)
    works = (await hours_of(tx, time.technician_id)).cover(slot.start, slot.end)
    return works and not await is_taken(tx, time.technician_id, slot, own)


async def _shown(tx: Tx, conflict: PlanningConflict, visit: InterventionView) -> OfferShown:
    """What whoever holds the link reads; a time keeps its number."""
    chosen = conflict.chosen
    free = conflict.offered if chosen else await _free_of(tx, visit, conflict.offered)
    address = await address_of(tx, visit.reclamation_id, visit.id)
    zone = await zone_at(tx, address, conflict.technician_id)
    times = [
        await _time_shown(tx, number, time, zone)
        for number, time in enumerate(conflict.offered, start=1)
        if time in free
    ]
    return OfferShown(
        reference=visit.called,
        zone=zone,
        instead_of=None if conflict.no_time_yet else _arrival(conflict.wanted, zone),
        times=[] if chosen else times,
        status="answered" if chosen else "open",
        chosen=next((time for time in times if time.choice == chosen), None),
    )


def _arrival(slot: Slot, zone: str) -> Slot:
    return Slot(start=slot.start, end=arrival_until(slot.start, slot.end, zone))


async def _time_shown(tx: Tx, number: int, time: Alternative, zone: str) -> TimeShown:
    who = await tx.view(TechnicianView, time.technician_id)
    return TimeShown(
        choice=number,
        technician=who.name,
        start=time.start,
        end=time.end,
        arrival_from=time.start,
        arrival_until=arrival_until(time.start, time.end, zone),
    )
