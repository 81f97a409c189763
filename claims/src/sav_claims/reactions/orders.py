"""Orders follow their stock, and the end of their réclamation."""

from collections.abc import Sequence

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.arrival import go_on
from sav_claims.lifecycle import ORDER
from sav_claims.model import Reclamation
from sav_claims.orders import PartsOrder
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.catalog.reservation import StockReleased, StockReserved, StockShort, StockUsed
from sav_contracts.claims.order import (
    NEEDS_STOCK,
    OrderCancelled,
    OrderChanged,
    OrderMoved,
    OrderReceived,
    OrderRefused,
)
from sav_contracts.claims.reclamation import OVER, ReclamationClosed, ReclamationMoved, TechnicianAssigned


@claims.on(StockReserved, since="2026-11-29")
@claims.on(StockShort, since="2026-11-29")
@claims.on(StockUsed, since="2026-11-29")
@claims.on(StockReleased, since="2026-11-29")
async def follow_stock(event: StockReserved | StockShort | StockUsed | StockReleased, tx: Tx) -> str | None:
    """The lines of an order show what became of their reservations; it is reserved, or back-ordered, as they are."""
    reservation = event.state
    if reservation.for_kind != "order":
        return "not for an order"
    order = await tx.load(PartsOrder, reservation.for_id, SYSTEM)
    if not order.follow(reservation):
        return "known"
    before, after = order.status, order.stocked()
    if before in NEEDS_STOCK and ORDER.allows(before, after, SYSTEM):
        order.move(after, SYSTEM)
        tx.emit(order, OrderMoved(before=before, after=after))
    else:
        tx.emit(order, OrderChanged())
    return None


@claims.on(ReclamationMoved, since="2026-11-29")
@claims.on(ReclamationClosed, since="2026-11-29")
async def cancel_orders(event: ReclamationMoved | ReclamationClosed, tx: Tx) -> str | None:
    """Cancels the orders for a repair that is over, unless they were shipped."""
    if event.state.is_open():
        return "the réclamation goes on"
    reclamation = await tx.load(Reclamation, event.state.id, SYSTEM)
    if reclamation.status not in OVER:
        return f"obsolete: the réclamation is {reclamation.status}"
    for order in await _not_shipped(reclamation, tx):
        order.move("cancelled", SYSTEM)
        tx.emit(order, OrderCancelled(by=Role.SYSTEM))
    return None if tx.has_emitted else "nothing is ordered for it"


@claims.on(TechnicianAssigned, since="2026-11-29")
async def hand_over_orders(event: TechnicianAssigned, tx: Tx) -> str | None:
    """What was ordered for a repair and not shipped yet goes to the technician who has the repair now."""
    reclamation = await tx.load(Reclamation, event.state.id, SYSTEM)
    if reclamation.technician_id is None:
        return "obsolete: it is nobody's by now"
    for order in await _not_shipped(reclamation, tx):
        if order.technician_id != reclamation.technician_id:
            order.technician_id = reclamation.technician_id
            tx.emit(order, OrderChanged())
    return None if tx.has_emitted else "nothing is ordered by another technician"


async def _not_shipped(reclamation: Reclamation, tx: Tx) -> Sequence[PartsOrder]:
    """The open orders for a repair, locked; without those that were shipped."""
    found = await tx.session.scalars(
        select(PartsOrder)
        .where(PartsOrder.reclamation_id == reclamation.id, PartsOrder.status.in_({*NEEDS_STOCK, "placed"}))
        .order_by(PartsOrder.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


@claims.on(OrderReceived)
@claims.on(OrderRefused)
@claims.on(OrderCancelled)
async def wait_no_longer(event: OrderReceived | OrderRefused | OrderCancelled, tx: Tx) -> str | None:
    """A réclamation that waits for parts goes on when its last order has arrived, or nothing is ordered any more."""
    order = event.state
    if order.reclamation_id is None:
        return "a purchase"
    reclamation = await tx.load(Reclamation, order.reclamation_id, SYSTEM)
    gone_on = await go_on(tx, reclamation, nothing_comes=True)
    return None if gone_on else "it did not wait for this, or not for this only"
