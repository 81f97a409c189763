"""Covers follow the repairs that they pay."""

from typing import Literal
from uuid import UUID

from sqlalchemy import select

from sav_catalog.app import catalog
from sav_catalog.covers import names_another_unit
from sav_catalog.model import Product
from sav_catalog.repairs import recount
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import ProductChanged, WarrantyChanged
from sav_contracts.claims.reclamation import (
    ReclamationClosed,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationReopened,
)
from sav_contracts.interventions.visit import (
    InterventionClosed,
    InterventionMoved,
    InterventionPlanned,
    WarrantyDecided,
)
from sav_contracts.messages import Event


@catalog.on(ReclamationQualified, since="2026-11-29")
@catalog.on(ReclamationMoved, since="2026-11-29")
@catalog.on(ReclamationClosed, since="2026-11-29")
@catalog.on(ReclamationReopened)
@catalog.on(InterventionPlanned, since="2026-11-29")
@catalog.on(InterventionMoved, since="2026-11-29")
@catalog.on(WarrantyDecided, since="2026-11-29")
@catalog.on(InterventionClosed, since="2026-11-29")
async def follow_repairs(
    event: ReclamationQualified
    | ReclamationMoved
    | ReclamationClosed
    | ReclamationReopened
    | InterventionPlanned
    | InterventionMoved
    | WarrantyDecided
    | InterventionClosed,
    tx: Tx,
) -> str | None:
    """A repair under the legal guarantee prolongs it; the days until a unit works again suspend its covers."""
    record = event.state
    # Also the product that it is no longer about.
    former = event.previous_product_id if isinstance(event, ReclamationQualified) else None
    ids = {id for id in (record.product_id, former) if id}
    if not ids:
        return "about no registered product"
    await tx.copies(type(record)).as_new_as(record)
    # Whatever event comes last computes from all records, so their order does not matter.
    for product in await _units(ids, tx):
        if _tells_of_another_unit(event, product):
            continue
        before = product.repairs
        if await recount(product, tx):
            repaired = product.id in ids and product.replaced_by_id is None
            cause: Literal["repaired", "suspended"] = "repaired" if repaired else "suspended"
            tx.emit(product, WarrantyChanged(cause=cause, until=product.covered_until()))
        elif product.repairs != before:
            tx.emit(product, ProductChanged())
    return None if tx.has_emitted else "no cover learns anything from it"


async def _units(ids: set[UUID], tx: Tx) -> list[Product]:
    """These units, and after each the one that took its place, whose id is later; locked in the order of their ids."""
    known, following = set(ids), ids
    while following:
        after = select(Product.replaced_by_id).where(Product.id.in_(following))
        following = {id for id in await tx.session.scalars(after) if id} - known
        known |= following
    units = [await tx.load(Product, id, SYSTEM) for id in sorted(known)]
    just_now = {unit.replaced_by_id for unit in units if unit.replaced_by_id} - known
    return units + [await tx.load(Product, id, SYSTEM) for id in sorted(just_now)]


def _tells_of_another_unit(event: Event, product: Product) -> bool:
    """Whether `put_new_unit_in_place` counts its repairs, and tells what becomes of the covers."""
    if product.replaced_by_id or not isinstance(event, InterventionClosed):
        return False
    return names_another_unit(event.state, product.serial)
