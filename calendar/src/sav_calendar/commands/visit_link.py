"""What a client does about a booked visit by the link of a message, without an account."""

from pydantic import SecretStr

from sav_calendar.app import calendar
from sav_calendar.choosing import next_free
from sav_calendar.copies import able_technicians
from sav_calendar.model.appointment import Appointment
from sav_calendar.moving import cancel, reschedule
from sav_chassis.errors import Conflict, SavError
from sav_chassis.identity import Links
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar.appointment import AppointmentConfirmed
from sav_contracts.calendar.visit_link import AnswerVisitByLink, GetVisitByLink, OfferedTime, VisitShown
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView

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


@calendar.query(GetVisitByLink)
async def get_visit_by_link(query: GetVisitByLink, tx: Tx, by: Actor) -> VisitShown:
    """The visit in its state of now, until its time is over."""
    return await _shown(await _linked(query.token, tx), tx)


@calendar.command(AnswerVisitByLink)
async def answer_visit_by_link(cmd: AnswerVisitByLink, tx: Tx, by: Actor) -> VisitShown:
    """Confirm, move or cancel: whoever holds the link acts for its client, by the same rules."""
    return await _shown(await _answered(cmd, await _linked(cmd.token, tx), tx), tx)


async def _answered(cmd: AnswerVisitByLink, seen: Appointment, tx: Tx) -> Appointment:
    """The appointment after the answer; unchanged where that says nothing new. Who moves or cancels it locks it first."""
    client = Actor(id=seen.client_id, role=Role.CLIENT)
    if cmd.answer == "cancel" and seen.view().for_client().status == "cancelled":
        return seen
    if seen.status != "booked":
        raise VisitStandsNoMore
    if cmd.answer == "cancel":
        return await cancel(tx, seen, client, cmd.reason)
    if cmd.answer == "move" and cmd.start and cmd.start != seen.start:
        moved = await reschedule(tx, seen, cmd.start, client, cmd.reason)
        # Whoever chooses a time says that they will be there.
        moved.confirmed_start = moved.start
        return moved
    appointment = await tx.load(Appointment, seen.id, SYSTEM)
    if not appointment.confirmed:
        appointment.confirmed_start = appointment.start
        tx.emit(appointment, AppointmentConfirmed())
    return appointment


async def _linked(token: SecretStr, tx: Tx) -> Appointment:
    """The appointment whose id was signed into this link, not locked; `VisitLinkOver` where there is none."""
    id = Links(tx.settings.link_secret).grant(PURPOSE, token.get_secret_value())
    appointment = await tx.session.get(Appointment, id) if id else None
    if appointment is None:
        raise VisitLinkOver
    return appointment


async def _shown(appointment: Appointment, tx: Tx) -> VisitShown:
    """As its client reads it, with the free times where it may be moved; `VisitLinkOver` once its time is over."""
    if appointment.status in ("held", "expired") or appointment.end <= tx.now:
        raise VisitLinkOver
    visit_id = appointment.intervention_id
    visit = await tx.copies(InterventionView).one(visit_id) if visit_id else None
    may_change = await _may_change(appointment, visit, tx)
    technician = await tx.copies(TechnicianView).one(appointment.technician_id)
    return VisitShown(
        reference=appointment.reclamation_reference or (visit.called if visit else ""),
        technician=technician.name if technician else None,
        arrival_from=appointment.arrival_from,
        arrival_until=appointment.arrival_until,
        zone=appointment.zone,
        status=appointment.view().for_client().status,
        confirmed=appointment.confirmed,
        may_change=may_change,
        times=await _other_times(appointment, tx) if may_change else [],
    )


async def _may_change(appointment: Appointment, visit: InterventionView | None, tx: Tx) -> bool:
    """Whether its client may move or cancel it now: until the cut-off, and before its technician sets out."""
    if appointment.status != "booked" or visit is None:
        return False
    in_time = appointment.start - tx.now >= (await tx.policy(CutOffs)).changes_until
    return in_time and visit.status in ("planned", "accepted")


async def _other_times(appointment: Appointment, tx: Tx) -> list[OfferedTime]:
    """The next free times of its technician, as long as this visit."""
    theirs = await able_technicians(tx, appointment.technician_id)
    free = await next_free(tx, theirs, tx.now, appointment.end - appointment.start, MOST_TIMES)
    return [OfferedTime(start=one.start, arrival_until=one.arrival_until) for one in free]
