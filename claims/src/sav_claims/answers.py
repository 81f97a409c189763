"""What follows when a client writes, or sends photos, about a réclamation."""

from sav_chassis.tx import Tx
from sav_claims.model import Reclamation
from sav_claims.timers import close_later
from sav_contracts.actor import Actor, Role
from sav_contracts.claims.reclamation import ReclamationMoved


async def answered_by_client(reclamation: Reclamation, tx: Tx, by: Actor) -> bool:
    """Brings it back to where it was before the client was asked; whether it did.

    Whatever stores a comment or photo calls it, with the réclamation loaded. What is resolved closes later then: its
    client has not agreed by silence.
    """
    if by.role is Role.CLIENT and reclamation.status == "resolved":
        await close_later(reclamation, tx)
    back = reclamation.before_waiting
    if by.role is not Role.CLIENT or reclamation.status != "awaiting_client" or back is None:
        return False
    reclamation.move(back, by)
    reclamation.reason = None
    tx.emit(reclamation, ReclamationMoved(before="awaiting_client", after=back))
    return True
