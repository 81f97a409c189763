"""The end of a réclamation's wait for parts: when all are there, it goes on by itself."""

from typing import NamedTuple

from sav_chassis.tx import Tx
from sav_claims.lifecycle import UNDER_WAY
from sav_claims.model import Reclamation
from sav_claims.orders import ON_THE_WAY, orders_of
from sav_claims.possible_moves import visit_on_site
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.parts_list import PartsArrived
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationStatus


class Awaited(NamedTuple):
    """What a réclamation has of the parts that it needs."""

    # Something of its list waits for a manager or for stock, or an order for it is on its way.
    missing: bool
    # Its list has parts that are not built in yet, or its technician has ordered ones.
    some: bool


async def awaited(tx: Tx, reclamation: Reclamation) -> Awaited:
    """What there is to wait for, by the réclamation's parts list and by the orders for it."""
    orders = await orders_of(tx, reclamation.id)
    on_the_way = any(order.status in ON_THE_WAY for order in orders)
    # What a former technician received is in their van.
    received = any(order.at_hand and order.technician_id == reclamation.technician_id for order in orders)
    return Awaited(
        missing=on_the_way or not reclamation.has_its_parts(),
        some=reclamation.needs_parts or received,
    )


async def go_on(tx: Tx, reclamation: Reclamation, nothing_comes: bool = False) -> bool:
    """Ends the wait for parts where all are there, and tells it; false where it waits on, or did not wait.

    Where nothing is listed or ordered it waits on, unless `nothing_comes`: what was ordered was refused or cancelled, what was listed is not needed any more.
    """
    waits = reclamation.status == "awaiting_parts"
    if reclamation.status not in UNDER_WAY or not (waits or reclamation.parts_awaited):
        return False
    parts = await awaited(tx, reclamation)
    if parts.missing or not (parts.some or (waits and nothing_comes)):
        return False
    reclamation.parts_awaited = False
    to = await _leave(tx, reclamation) if waits else "in_progress"
    if parts.some:
        tx.emit(reclamation, PartsArrived(return_visit=to != "in_progress"))
    return True


async def _leave(tx: Tx, reclamation: Reclamation) -> ReclamationStatus:
    """Back to the visit that is still open; else a return visit is needed, by somebody else if its technician left."""
    to: ReclamationStatus = "assigned" if reclamation.technician_id else "qualified"
    if await visit_on_site(reclamation, tx):
        to = "in_progress"
    reclamation.move(to, SYSTEM)
    tx.emit(reclamation, ReclamationMoved(before="awaiting_parts", after=to))
    return to
