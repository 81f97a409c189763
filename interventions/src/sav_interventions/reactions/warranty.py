"""Warranties follow the products that catalog verifies."""

from uuid import UUID

from sqlalchemy import select

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts.catalog.product import NO_PRODUCT, ProductVerified, ProductView, Warranty
from sav_contracts.claims import ReclamationQualified, ReclamationView
from sav_contracts.interventions.visit import WarrantyDecided
from sav_interventions.app import interventions
from sav_interventions.lifecycle import DID_NOT_HAPPEN
from sav_interventions.model import Intervention


async def decided(tx: Tx, reclamation: ReclamationView) -> Warranty:
    """What a manager decided for the réclamation, else what the product's covers say of the day of the fault.

    `NotYet` before the copy of the product is here: being late is no reason to call it unknown.
    """
    if reclamation.warranty and reclamation.warranty.why == "decided_by_manager":
        return reclamation.warranty
    if reclamation.product_id is None:
        return NO_PRODUCT
    await tx.alone(f"product {reclamation.product_id}")
    product = await tx.view(ProductView, reclamation.product_id)
    return product.warranty(on=reclamation.created_at.date())


@interventions.on(ProductVerified)
async def decide_again(event: ProductVerified, tx: Tx) -> str | None:
    """Visits that still ask who pays get the answer of the verified product."""
    product = event.state
    # From here on no visit is planned by an older copy, so none is left behind that this does not find.
    if (await tx.view(ProductView, product.id)).version < product.version:
        raise NotYet(product.kind(), product.id)
    await tx.alone(f"product {product.id}")
    for visit in await _visits_of(tx, product.id):
        warranty = product.warranty(on=visit.reported_on)
        if visit.is_undecided() and visit.warranty != warranty:
            visit.decide(warranty)
            tx.emit(WarrantyDecided, visit, decision=warranty.decision)
    return None if tx.announced else "no visit learns anything from it"


@interventions.on(ReclamationQualified)
async def follow_the_manager(event: ReclamationQualified, tx: Tx) -> str | None:
    """What a manager decides for the réclamation holds for its visits, unless they decided later for one of them."""
    warranty = event.state.warranty
    if warranty is None or warranty.decided_at is None:
        return "no manager decided who pays"
    found = select(Intervention).where(
        Intervention.reclamation_id == event.state.id, Intervention.status.not_in(DID_NOT_HAPPEN)
    )
    for visit in await tx.session.scalars(found.order_by(Intervention.id).with_for_update()):
        if warranty.overrules(visit.warranty):
            visit.decide(warranty)
            tx.emit(WarrantyDecided, visit, decision=warranty.decision, reason=warranty.reason)
    return None if tx.announced else "no visit learns anything from it"


async def _visits_of(tx: Tx, product_id: UUID) -> list[Intervention]:
    """Those for which somebody may still have to pay."""
    query = select(Intervention).where(
        Intervention.product_id == product_id,
        Intervention.status.not_in(DID_NOT_HAPPEN),
    )
    return list(await tx.session.scalars(query.order_by(Intervention.id).with_for_update()))
