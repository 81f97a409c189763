"""Timers of claims."""

from uuid import UUID

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Client, Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.client import ClientChanged
from sav_contracts.claims.reclamation import ReclamationClosed


@claims.timer
async def close_after_a_while(id: UUID, tx: Tx) -> str | None:
    """Closes a réclamation that is still resolved when its time is over."""
    reclamation = await tx.load(Reclamation, id, SYSTEM)
    if reclamation.status != "resolved":
        return f"obsolete: the réclamation is {reclamation.status}"
    reclamation.move("closed", SYSTEM)
    tx.emit(reclamation, ReclamationClosed())
    return None


@claims.timer
async def tell_client(id: UUID, tx: Tx) -> None:
    """Emits the client profile's view after a migration changed its row."""
    tx.emit(await tx.load(Client, id, SYSTEM), ClientChanged())
