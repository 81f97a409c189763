"""What claims does when its time has come."""

from uuid import UUID

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.claims import ReclamationClosed


@claims.timer
async def close_after_a_while(id: UUID, tx: Tx) -> str | None:
    """A resolved réclamation whose client says nothing is closed."""
    reclamation = await tx.load(Reclamation, id, SYSTEM)
    if reclamation.status != "resolved":
        return f"obsolete: the réclamation is {reclamation.status}"
    reclamation.move("closed", SYSTEM)
    tx.emit(ReclamationClosed, reclamation)
    return None
