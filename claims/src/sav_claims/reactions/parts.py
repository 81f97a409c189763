"""Reactions to reservations of parts."""

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.reservation import StockReleased, StockReserved, StockShort, StockUsed
from sav_contracts.claims.parts_list import PartsArrived
from sav_contracts.claims.reclamation import (
    ReclamationChanged,
)


@claims.on(StockReserved)
@claims.on(StockShort)
@claims.on(StockUsed)
@claims.on(StockReleased)
async def follow_reservation(
    event: StockReserved | StockShort | StockUsed | StockReleased, tx: Tx
) -> str | None:
    """The lines of the parts list show what became of their reservations; tells when all awaited parts are there."""
    reservation = event.state
    if reservation.for_kind != "reclamation":
        return "not for a réclamation"
    reclamation = await tx.load(Reclamation, reservation.for_id, SYSTEM)
    if not reclamation.follow(reservation):
        return "known, or no longer listed"
    tx.emit(reclamation, PartsArrived() if reclamation.parts_have_arrived() else ReclamationChanged())
    return None
