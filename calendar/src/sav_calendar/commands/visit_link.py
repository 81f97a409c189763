"""What a client does about a booked visit by the link of a message, without an account."""

from datetime import UTC, date
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import and_, select

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.choosing import SlotTaken, TimeGone, next_free
from sav_calendar.commands.offer import TIMES, is_offered
from sav_calendar.copies import able_technicians
from sav_calendar.hours import midnight
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_calendar.moving import cancel, lock_booked, reschedule
from sav_calendar.planning import TooFarAhead
from sav_chassis.errors import Conflict, SavError
from sav_chassis.identity import Links
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar.appointment import AppointmentConfirmed, may_change
from sav_contracts.calendar.visit_link import AnswerVisitByLink, GetVisitByLink, OfferedTime, VisitShown
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.times import HORIZON

PURPOSE = "visit"
# How many other times are offered: more would be no help on a telephone.
MOST_TIMES = 12


class VisitLinkOver(SavError):
    """The link was never ours, or its visit is over."""

    code = "link_expired"
    status = 410
    en = "This link is no longer valid: the visit is over, or the link is incomplete"
    fr = "Ce lien n’est plus valable : l’intervention est passée, ou le lien est incomplet"


class VisitStandsNoMore(Conflict):
    """Only a visit that is booked is confirmed, moved or cancelled by its link."""

    code = "visit_not_booked"
    en = "This visit does not stand in the calendar any more, so nothing can be changed here; please contact us"
    fr = "Cette intervention n’est plus au planning : rien ne peut être modifié ici ; contactez-nous"


class VisitUnsettled(Conflict):
    """Nobody knows yet that it takes place: a manager decides, or its client by another link (ADR 52, 64)."""

    code = "visit_unsettled"
    en = "This appointment is not settled at present: please read again how it stands"
    fr = "Ce rendez-vous est en suspens en ce moment : relisez où il en est"


class VisitChanged(Conflict):
    """Whoever answers has read another time, or another technician, than what is booked by now."""

    code = "visit_changed"
    en = "The appointment has changed meanwhile: please read it again, then answer"
    fr = "Le rendez-vous a changé entre-temps : relisez-le avant de répondre"


@calendar.query(GetVisitByLink)
async def get_visit_by_link(query: GetVisitByLink, tx: Tx, by: Actor) -> VisitShown:
    """The visit in its state of now, until its time is over."""
    return await _shown(await _linked(query.token, tx), tx, query.since)


@calendar.command(AnswerVisitByLink)
async def answer_visit_by_link(cmd: AnswerVisitByLink, tx: Tx, by: Actor) -> VisitShown:
    """Confirm, move or cancel: whoever holds the link acts for its client, by the same rules."""
    # Another answer, or whoever gives the visit to somebody else, is waited for: what stands then is answered.
    await lock_booked(tx, await _linked(cmd.token, tx), SYSTEM)
    # It may be another one by then.
    stands = await lock_booked(tx, await _linked(cmd.token, tx), SYSTEM)
    return await _shown(await _answered(cmd, stands, tx), tx)


def _names(appointment: Appointment) -> UUID:
    """The same for the same technician at the same time: a confirmation, or what SAV notes of it, makes no other."""
    return uuid5(appointment.technician_id, appointment.start.astimezone(UTC).isoformat())


async def _answered(cmd: AnswerVisitByLink, stands: Appointment, tx: Tx) -> Appointment:
    """The appointment after the answer; unchanged where that says nothing new."""
    client = Actor(id=stands.client_id, role=Role.CLIENT)
    # Whoever moves or cancels what is booked settles it.
    changes = cmd.answer == "cancel" or (cmd.answer == "move" and cmd.start != stands.start)
    settles = changes and stands.status == "booked"
    if not settles and await _is_unsettled(stands, tx):
        raise VisitUnsettled
    if cmd.answer == "cancel" and stands.status == "cancelled":
        return stands
    if stands.status != "booked":
        raise VisitStandsNoMore
    if cmd.seen and cmd.seen != _names(stands):
        # Their own answer, sent again: they had read the time of before.
        if cmd.answer == "move" and cmd.start == stands.start and stands.confirmed:
            return stands
        raise VisitChanged
    if cmd.answer == "cancel":
        return await cancel(tx, stands, client, cmd.reason)
    if cmd.answer == "move" and cmd.start and cmd.start != stands.start:
        try:
            moved = await reschedule(tx, stands, cmd.start, client, cmd.reason)
        except SlotTaken:
            raise TimeGone(field="start") from None
        # Whoever chooses a time says that they will be there.
        moved.confirmed_start = moved.start
        return moved
    if not stands.confirmed:
        stands.confirmed_start = stands.start
        tx.emit(stands, AppointmentConfirmed())
    return stands


async def _linked(token: SecretStr, tx: Tx) -> Appointment:
    """The appointment whose id was signed into this link, or what is booked in its place; not locked.

    `VisitLinkOver` where there is none.
    """
    id = Links(tx.settings.link_secret).grant(PURPOSE, token.get_secret_value())
    appointment = await tx.session.get(Appointment, id) if id else None
    if appointment is None:
        raise VisitLinkOver
    if appointment.status == "cancelled" or appointment.missed_by == "technician":
        return await _in_its_place(appointment, tx) or appointment
    return appointment


async def _in_its_place(before: Appointment, tx: Tx) -> Appointment | None:
    """What is booked now for the same réclamation, or visit, of the same client, if anything is."""
    of_it = Case.of(before).has(Appointment)
    if before.reclamation_id is None and before.intervention_id:
        # Where somebody else comes, theirs is another visit with the same reference (ADR 49).
        visit = await tx.view(InterventionView, before.intervention_id)
        same = await tx.copies(InterventionView).where(reference=visit.called).all()
        theirs = Appointment.intervention_id.in_({visit.id, *(one.id for one in same)})
        of_it = and_(Appointment.reclamation_id.is_(None), theirs)
    booked = select(Appointment).where(of_it, Appointment.status == "booked")
    return await tx.session.scalar(booked.where(Appointment.client_id == before.client_id))


async def _shown(appointment: Appointment, tx: Tx, since: date | None = None) -> VisitShown:
    """As its client reads it, with the free times where it may be moved; `VisitLinkOver` once its time is over."""
    if appointment.status in ("held", "expired") or appointment.end <= tx.now:
        raise VisitLinkOver
    visit_id = appointment.intervention_id
    visit = await tx.copies(InterventionView).one(visit_id) if visit_id else None
    status, until = visit.status if visit else None, (await tx.policy(CutOffs)).changes_until
    changes = appointment.status == "booked" and may_change(appointment.start, status, tx.now, until)
    technician = await tx.copies(TechnicianView).one(appointment.technician_id)
    first = _first_day(appointment, since, tx) if changes else None
    return VisitShown(
        reference=appointment.reclamation_reference or (visit.called if visit else ""),
        technician=technician.name if technician else None,
        arrival_from=appointment.arrival_from,
        arrival_until=appointment.arrival_until,
        zone=appointment.zone,
        status=appointment.view().for_client().status,
        confirmed=appointment.confirmed,
        seen=_names(appointment),
        unsettled=await _is_unsettled(appointment, tx),
        times_token=await _times_token(appointment, tx),
        may_change=changes,
        times_from=first,
        times=await _other_times(appointment, first, tx) if first else [],
    )


async def _is_unsettled(appointment: Appointment, tx: Tx) -> bool:
    return appointment.view().unsettled or bool(await _conflicts(appointment, tx))


async def _times_token(appointment: Appointment, tx: Tx) -> str | None:
    """The token of the link that its client was sent to choose another time, while it is good."""
    for conflict in await _conflicts(appointment, tx):
        if conflict.offer_grant and is_offered(conflict, tx):
            return Links(tx.settings.link_secret).token(TIMES, conflict.offer_grant)
    return None


async def _conflicts(appointment: Appointment, tx: Tx) -> list[PlanningConflict]:
    """What somebody still has to decide about it."""
    about = PlanningConflict.appointment_id == appointment.id
    if appointment.view().unsettled:
        # Its time is free: the conflict is about its visit.
        about = Case.of(appointment).has(PlanningConflict)
    return [
        *await tx.session.scalars(select(PlanningConflict).where(about, PlanningConflict.status == "open"))
    ]


def _first_day(appointment: Appointment, wanted: date | None, tx: Tx) -> date:
    """From which day on other times are shown: today where the one that is wanted is past. Raises `TooFarAhead`."""
    its_day, today = (
        each.astimezone(ZoneInfo(appointment.zone)).date() for each in (appointment.start, tx.now)
    )
    first = max(wanted or its_day, today)
    if wanted and midnight(first, appointment.zone) > tx.now + HORIZON:
        raise TooFarAhead(field="from")
    return first


async def _other_times(appointment: Appointment, first: date, tx: Tx) -> list[OfferedTime]:
    """The free times of its technician from that day on, as long as this visit; first what is held for its client."""
    theirs, since = await able_technicians(tx, appointment.technician_id), midnight(first, appointment.zone)
    free = await next_free(tx, theirs, since, appointment.end - appointment.start, MOST_TIMES)
    cut_off = tx.now + (await tx.policy(CutOffs)).changes_until
    held = await tx.session.scalars(
        select(Appointment)
        .where(Appointment.reclamation_id == appointment.reclamation_id, Appointment.offered_for.is_not(None))
        .where(Appointment.status == "held", Appointment.held_until > tx.now)
    )
    return [
        OfferedTime(start=one.start, arrival_until=one.arrival_until, final=one.start < cut_off)
        for one in [*held, *free]
    ]
