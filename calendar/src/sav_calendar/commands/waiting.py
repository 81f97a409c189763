"""Asking to be offered an earlier visit."""

from uuid import UUID

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.model.waiting import EarlierVisit
from sav_calendar.moving import NothingBooked
from sav_calendar.planning import current_appointment
from sav_calendar.waiting import end_wish, offer_earlier
from sav_chassis.errors import NoSuch
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.calendar.waiting import AskForEarlier, EarlierVisitChanged, StopWaiting
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.labels import label


@calendar.command(AskForEarlier)
async def ask_for_earlier(cmd: AskForEarlier, tx: Tx, by: Actor) -> EarlierVisit:
    """Wait for an earlier visit, behind those who asked before."""
    reclamation = await _whose(tx, cmd.reclamation_id, by)
    booked = await current_appointment(tx, Case.of(reclamation))
    if booked is None or booked.status != "booked":
        raise NothingBooked(reference=reclamation.reference)
    id = EarlierVisit.id_of(reclamation.id)
    wish = await tx.load(EarlierVisit, id, by) if await tx.exists(EarlierVisit, id) else None
    if wish and wish.status != "ended":
        return wish
    if wish:
        wish.wait(by, tx.now)
    else:
        wish = tx.add(
            EarlierVisit(
                id=id,
                client_id=reclamation.client_id,
                reclamation_id=reclamation.id,
                reclamation_reference=reclamation.reference,
                status="waiting",
                asked_at=tx.now,
                zone=booked.zone,
            )
        )
    tx.emit(wish, EarlierVisitChanged())
    tx.remind(offer_earlier, booked.technician_id, tx.now)
    return wish


@calendar.command(StopWaiting)
async def stop_waiting(cmd: StopWaiting, tx: Tx, by: Actor) -> EarlierVisit:
    """Wait no longer; what was offered is free again."""
    reclamation = await _whose(tx, cmd.reclamation_id, by)
    await tx.lock(f"appointment of {Case.of(reclamation).id}")
    wish = await tx.load(EarlierVisit, EarlierVisit.id_of(reclamation.id), by)
    await end_wish(tx, reclamation.id, by)
    return wish


async def _whose(tx: Tx, id: UUID, by: Actor) -> ReclamationView:
    """The réclamation, if the caller sees it; else 404, once waiting for it is over."""
    return await tx.view(ReclamationView, id, by, NoSuch(kind=label(ReclamationView.kind()), id=id))
