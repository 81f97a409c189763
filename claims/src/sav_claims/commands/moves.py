"""Moving réclamations from state to state."""

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Reclamation
from sav_claims.timers import close_after_a_while
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import (
    MoveReclamation,
    ReclamationClosed,
)


@claims.command(MoveReclamation)
async def move_reclamation(cmd: MoveReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Close a resolved réclamation."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    reclamation.move(cmd.to, by)
    tx.forget(close_after_a_while, reclamation.id)
    tx.emit(reclamation, ReclamationClosed(reason=cmd.reason))
    return reclamation
