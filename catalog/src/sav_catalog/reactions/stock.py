"""Stock follows the visits that use it, and the réclamations and orders that need it."""

from collections import Counter
from uuid import UUID

from sav_catalog.app import catalog
from sav_catalog.stock import Need, release_repair, reserve, stock_of
from sav_chassis.tx import Tx
from sav_contracts.claims.order import (
    NEEDS_STOCK,
    SHIPPED_ALREADY,
    OrderCancelled,
    OrderShipped,
    OrderValidated,
    OrderView,
    OrderWithdrawn,
)
from sav_contracts.claims.parts_list import PartsValidated
from sav_contracts.claims.reclamation import ReclamationClosed, ReclamationMoved, ReclamationView
from sav_contracts.interventions.estimate import EstimateWithdrawn
from sav_contracts.interventions.visit import InterventionClosed, InterventionView


@catalog.on(InterventionClosed, since="2026-11-29")
async def consume_parts(event: InterventionClosed, tx: Tx) -> str | None:
    """Takes the used parts out of the stock, also after an incomplete visit. A closed visit's work is final."""
    visit = event.state
    used: Counter[UUID] = Counter()
    for part in visit.work.parts if visit.work else ():
        used[part.article_id] += part.quantity
    for article_id in sorted(used):
        async with stock_of(tx, article_id) as stock:
            await stock.build_in(visit.reclamation_id, used[article_id], visit.called)
    return None if used else "no part was used"


@catalog.on(PartsValidated)
async def reserve_parts(event: PartsValidated, tx: Tx) -> str | None:
    """Reserves the parts of a validated list, or back-orders them; what is not in it any more is released."""
    reclamation = await tx.copies(ReclamationView).as_new_as(event.state)
    if not reclamation.is_open():
        return f"obsolete: the réclamation is {reclamation.status}"
    if reclamation.parts_validated > event.edition:
        return "obsolete: another list was validated since"
    await reserve(tx, _need(reclamation), event.lines)
    return None if tx.has_emitted else "nothing changes"


@catalog.on(ReclamationMoved, since="2026-11-29")
@catalog.on(ReclamationClosed, since="2026-11-29")
async def release_parts(event: ReclamationMoved | ReclamationClosed, tx: Tx) -> str | None:
    """Releases what was reserved for a réclamation that is over, however it ended; what was shipped leaves the stock."""
    if event.state.is_open():
        return "the réclamation goes on"
    reclamation = await tx.copies(ReclamationView).as_new_as(event.state)
    if reclamation.is_open():
        return "obsolete: the réclamation was opened again"
    await release_repair(tx, reclamation.id, over=True)
    return None if tx.has_emitted else "nothing is reserved for it"


@catalog.on(EstimateWithdrawn, since="2026-11-30")
async def return_reserved_parts(event: EstimateWithdrawn, tx: Tx) -> str | None:
    """Gives back to the stock what was reserved for work from which the client withdrew, unless it is done all the same."""
    if event.state.reclamation_id is None:
        return "nothing is reserved for a visit without a réclamation"
    if event.begun:
        return "the work had begun: what it needs stays until its visit is over"
    visits = (
        await tx.copies(InterventionView).where(reclamation_id=event.state.reclamation_id, open=True).all()
    )
    if any(one.warranty and one.warranty.decision == "covered" for one in visits):
        return "a warranty pays for a visit: it takes place, and needs them"
    await release_repair(tx, event.state.reclamation_id, over=False)
    return None if tx.has_emitted else "nothing is reserved for it"


@catalog.on(OrderValidated)
async def reserve_order(event: OrderValidated, tx: Tx) -> str | None:
    """Reserves the lines of an order, or back-orders them."""
    order = await tx.copies(OrderView).as_new_as(event.state)
    if order.status not in NEEDS_STOCK:
        return f"obsolete: the order is {order.status}"
    if order.reclamation_id and await _is_over(tx, order.reclamation_id):
        return "obsolete: the réclamation is over"
    need = Need("order", order.id, order.reference, order.reclamation_id)
    await reserve(tx, need, [line.needed() for line in order.lines])
    return None if tx.has_emitted else "nothing changes"


@catalog.on(OrderCancelled)
@catalog.on(OrderWithdrawn)
async def release_order(event: OrderCancelled | OrderWithdrawn, tx: Tx) -> str | None:
    """Releases what was reserved for an order that is cancelled, or ends its waiting."""
    order = event.state
    if order.status in SHIPPED_ALREADY:
        return "it has left the stock: whoever takes it back records its return"
    await reserve(tx, Need("order", order.id, order.reference, order.reclamation_id), ())
    return None if tx.has_emitted else "nothing is reserved for it"


@catalog.on(OrderShipped)
async def consume_order(event: OrderShipped, tx: Tx) -> str | None:
    """A purchase leaves the stock; what is shipped for a repair stays reserved until a visit builds it in, or it is over."""
    order = event.state
    if order.reclamation_id:
        # The end of the réclamation asks the copy which orders were shipped.
        await tx.copies(OrderView).as_new_as(order)
        if not await _is_over(tx, order.reclamation_id):
            return "the work takes it out of the stock"
    for line in sorted(order.lines, key=lambda line: line.article_id):
        async with stock_of(tx, line.article_id) as stock:
            await stock.ship(order.id, line.quantity, order.reference)
    return None


async def _is_over(tx: Tx, reclamation_id: UUID) -> bool:
    """Whether the réclamation is known to be over; one that was not heard of yet is not."""
    reclamation = await tx.copies(ReclamationView).one(reclamation_id)
    return reclamation is not None and not reclamation.is_open()


def _need(reclamation: ReclamationView) -> Need:
    return Need("reclamation", reclamation.id, reclamation.reference, reclamation.id)
