"""Warranties follow the products that catalog verifies."""

from uuid import UUID

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.catalog.product import ProductVerified, ProductView, WarrantyChanged
from sav_contracts.catalog.warranty import NO_PRODUCT, Warranty
from sav_contracts.claims.reclamation import ReclamationQualified, ReclamationView
from sav_contracts.interventions.visit import InterventionChanged, WarrantyDecided
from sav_interventions.app import interventions
from sav_interventions.lifecycle import DID_NOT_HAPPEN, OVER
from sav_interventions.model import Intervention
from sav_interventions.reactions.billing import adapt_draft
from sav_interventions.who_pays import by_covers


async def warranty_for(tx: Tx, reclamation: ReclamationView) -> Warranty:
    """What a manager decided for the réclamation; else what the product's covers pay on the day it was reported.

    Raises `NotYet` while the copy of the product has not arrived: late is not unknown.
    """
    if reclamation.warranty and reclamation.warranty.why == "decided_by_manager":
        return reclamation.warranty
    if reclamation.product_id is None:
        return NO_PRODUCT
    await tx.lock(f"product {reclamation.product_id}")
    product = await tx.view(ProductView, reclamation.product_id)
    return product.warranty_at(reclamation.created_at)


@interventions.on(ProductVerified)
@interventions.on(WarrantyChanged)
async def decide_again(event: ProductVerified | WarrantyChanged, tx: Tx) -> str | None:
    """Decides by the product's new covers for its visits, except where one is over; a manager's shares stay."""
    product = event.state
    # Planning takes this lock too: from then on it uses this copy or a newer one; visits planned before are found.
    await tx.copies(ProductView).as_new_as(product)
    await tx.lock(f"product {product.id}")
    for visit in await _visits_of(tx, product.id):
        warranty = visit.warranty_after(by_covers(visit, product), isinstance(event, ProductVerified))
        if warranty and visit.warranty != warranty:
            visit.decide(warranty)
            tx.emit(visit, WarrantyDecided(decision=warranty.decision, reason=warranty.reason))
            await adapt_draft(visit, tx)
    return None if tx.has_emitted else "no visit learns anything from it"


@interventions.on(ReclamationQualified)
async def follow_the_manager(event: ReclamationQualified, tx: Tx) -> str | None:
    """A manager's decision for the réclamation holds for its visits, except where one has a later decision.

    So does the product that the manager named.
    """
    await _name_product(event.state, tx)
    warranty = event.state.warranty
    if warranty is None or warranty.decided_at is None:
        return None if tx.has_emitted else "no manager decided who pays"
    found = select(Intervention).where(
        Intervention.reclamation_id == event.state.id, Intervention.status.not_in(DID_NOT_HAPPEN)
    )
    for visit in await tx.session.scalars(found.order_by(Intervention.id).with_for_update()):
        if warranty.overrules(visit.warranty):
            visit.decide(warranty)
            tx.emit(visit, WarrantyDecided(decision=warranty.decision, reason=warranty.reason))
            await adapt_draft(visit, tx)
    return None if tx.has_emitted else "no visit learns anything from it"


async def _name_product(reclamation: ReclamationView, tx: Tx) -> None:
    """Visits that are not over are for the product that the réclamation names now: its covers and its trade decide."""
    if reclamation.product_id is None:
        return
    warranty = await warranty_for(tx, reclamation)
    found = select(Intervention).where(
        Intervention.reclamation_id == reclamation.id,
        Intervention.status.not_in(OVER),
        Intervention.product_id.is_distinct_from(reclamation.product_id),
    )
    for visit in await tx.session.scalars(found.order_by(Intervention.id).with_for_update()):
        visit.product_id = reclamation.product_id
        visit.skills_needed = reclamation.skills_needed
        by_now = visit.warranty_after(warranty, proven=False)
        if by_now and visit.warranty != by_now:
            visit.decide(by_now)
            tx.emit(visit, WarrantyDecided(decision=by_now.decision, reason=by_now.reason))
        else:
            tx.emit(visit, InterventionChanged())


async def _visits_of(tx: Tx, product_id: UUID) -> list[Intervention]:
    """The product's visits for which somebody may have to pay, locked."""
    query = select(Intervention).where(
        Intervention.product_id == product_id,
        Intervention.status.not_in(DID_NOT_HAPPEN),
    )
    return list(await tx.session.scalars(query.order_by(Intervention.id).with_for_update()))
