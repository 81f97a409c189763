"""Warranties follow the products that catalog verifies."""

from uuid import UUID

from sqlalchemy import select, text

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts.catalog import NO_PRODUCT, ProductVerified, ProductView, Warranty
from sav_contracts.claims import ReclamationView
from sav_contracts.interventions import WarrantyDecided
from sav_interventions.app import interventions
from sav_interventions.lifecycle import DID_NOT_HAPPEN
from sav_interventions.model import Intervention

LOCK_PRODUCT = text("SELECT pg_advisory_xact_lock(hashtextextended(:product_id, 1))")


async def decided(tx: Tx, reclamation: ReclamationView) -> Warranty:
    """What a manager decided for the réclamation, else what the product's covers say of the day of the fault.

    `NotYet` before the copy of the product is here: being late is no reason to call it unknown.
    """
    if reclamation.warranty and reclamation.warranty.why == "decided_by_manager":
        return reclamation.warranty
    if reclamation.product_id is None:
        return NO_PRODUCT
    await _one_at_a_time(tx, reclamation.product_id)
    product = await tx.view(ProductView, reclamation.product_id)
    return product.warranty(on=reclamation.created_at.date())


@interventions.on(ProductVerified)
async def decide_again(event: ProductVerified, tx: Tx) -> str | None:
    """Visits that still ask who pays get the answer of the verified product."""
    product = event.state
    # From here on no visit is planned by an older copy, so none is left behind that this does not find.
    if (await tx.view(ProductView, product.id)).version < product.version:
        raise NotYet(product.kind(), product.id)
    await _one_at_a_time(tx, product.id)
    for visit in await _visits_of(tx, product.id):
        warranty = product.warranty(on=visit.reported_on)
        if visit.is_undecided() and visit.warranty != warranty:
            visit.decide(warranty)
            tx.emit(WarrantyDecided, visit, decision=warranty.decision)
    return None if tx.announced else "no visit learns anything from it"


async def _visits_of(tx: Tx, product_id: UUID) -> list[Intervention]:
    """Those for which somebody may still have to pay."""
    query = select(Intervention).where(
        Intervention.product_id == product_id,
        Intervention.status.not_in(DID_NOT_HAPPEN),
    )
    return list(await tx.session.scalars(query.order_by(Intervention.id).with_for_update()))


async def _one_at_a_time(tx: Tx, product_id: UUID) -> None:
    """Planning a visit of a product and deciding its visits again happen one after the other."""
    await tx.session.execute(LOCK_PRODUCT, {"product_id": str(product_id)})
