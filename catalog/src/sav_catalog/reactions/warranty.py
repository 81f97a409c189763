"""Covers follow the repairs that they pay."""

from uuid import UUID

from sav_catalog.app import catalog
from sav_catalog.covers import covered_repairs
from sav_catalog.model import Product
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import ProductChanged, WarrantyChanged
from sav_contracts.claims.reclamation import (
    ReclamationClosed,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationReopened,
    ReclamationView,
)
from sav_contracts.interventions.visit import (
    InterventionClosed,
    InterventionMoved,
    InterventionPlanned,
    InterventionView,
    WarrantyDecided,
)


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
    products = [await tx.load(Product, id, SYSTEM) for id in sorted(ids)]
    for product in products:
        await _follow(product, record.id, tx)
    return None if tx.has_emitted else "no cover learns anything from it"


async def _follow(product: Product, told: UUID, tx: Tx) -> None:
    """Computes the product's repairs anew; that of the réclamation which was told is dropped if it is another's now."""
    about: dict[str, UUID] = {"product_id": product.id}
    reclamations = await tx.copies(ReclamationView).where(**about).all()
    visits = await tx.copies(InterventionView).where(**about).all()
    replaced = product.serial if product.replaced_by_id else None
    repairs = covered_repairs(reclamations, visits, product.place, replaced)
    before = product.repairs
    changed = product.follow(repairs, {told, *(reclamation.id for reclamation in reclamations)})
    if changed:
        tx.emit(product, WarrantyChanged(cause="repaired", until=product.covered_until()))
    elif product.repairs != before:
        tx.emit(product, ProductChanged())
