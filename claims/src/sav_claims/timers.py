"""Timers of claims."""

from uuid import UUID

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Client, Draft, Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.policy import CutOffs
from sav_contracts.claims.client import ClientChanged
from sav_contracts.claims.reclamation import ReclamationClosed


@claims.timer
async def close_after_a_while(id: UUID, tx: Tx) -> str | None:
    """Closes a réclamation that is still resolved when its time is over."""
    reclamation = await tx.load(Reclamation, id, SYSTEM)
    if reclamation.status != "resolved":
        return f"obsolete: the réclamation is {reclamation.status}"
    reclamation.close(SYSTEM, tx.now)
    reclamation.reason = None
    tx.emit(reclamation, ReclamationClosed())
    return None


async def close_later(reclamation: Reclamation, tx: Tx) -> None:
    """Closes it in some days: no reply from the client counts as agreement."""
    tx.remind(close_after_a_while, reclamation.id, tx.now + (await tx.policy(CutOffs)).closes_after)


@claims.timer
async def tell_client(id: UUID, tx: Tx) -> None:
    """Emits the client profile's view after a migration changed its row."""
    tx.emit(await tx.load(Client, id, SYSTEM), ClientChanged())


@claims.timer
async def drop_old_draft(id: UUID, tx: Tx) -> str | None:
    """Drops an unfinished réclamation that its author has left for a while; the id is its author's."""
    draft = await tx.session.get(Draft, id, with_for_update=True)
    if draft is None or draft.kept_until > tx.now:
        return "obsolete: it is gone, or was saved again"
    await tx.session.delete(draft)
    return None
