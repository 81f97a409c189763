"""Reactions to reservations of parts, and to a réclamation that waits for parts."""

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.arrival import go_on
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.reservation import StockReleased, StockReserved, StockShort, StockUsed
from sav_contracts.claims.reclamation import (
    ReclamationChanged,
    ReclamationMoved,
)


@claims.on(StockReserved)
@claims.on(StockShort)
@claims.on(StockUsed)
@claims.on(StockReleased)
async def follow_reservation(
    event: StockReserved | StockShort | StockUsed | StockReleased, tx: Tx
) -> str | None:
    """The lines of the parts list show what became of their reservations; when all are there, work goes on."""
    reservation = event.state
    if reservation.for_kind != "reclamation":
        return "not for a réclamation"
    reclamation = await tx.load(Reclamation, reservation.for_id, SYSTEM)
    if not reclamation.follow(reservation):
        return "known, or no longer listed"
    if not await go_on(tx, reclamation):
        tx.emit(reclamation, ReclamationChanged())
    return None


@claims.on(ReclamationMoved, since="2026-11-29")
async def wait_for_nothing(event: ReclamationMoved, tx: Tx) -> str | None:
    """A réclamation that would wait for parts that are all there goes on at once: no news of stock would end the wait."""
    if event.after != "awaiting_parts":
        return "it waits for no parts"
    reclamation = await tx.load(Reclamation, event.state.id, SYSTEM)
    return None if await go_on(tx, reclamation) else "it waits for parts"
