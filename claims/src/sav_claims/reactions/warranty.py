"""Reactions to decisions about warranty."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import UNDER_WAY
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import ProductVerified, ProductView, WarrantyChanged
from sav_contracts.claims.reclamation import (
    ReclamationChanged,
)
from sav_contracts.interventions.visit import (
    WarrantyDecided,
)


@claims.on(ProductVerified)
@claims.on(WarrantyChanged)
async def decide_again(event: ProductVerified | WarrantyChanged, tx: Tx) -> str | None:
    """Decides the product's réclamations under way by its new covers, except where a manager has decided."""
    product = event.state
    await tx.copies(ProductView).as_new_as(product)
    # Qualifying takes this lock too: from here on it uses this copy or a newer one; its earlier decisions are found.
    await tx.lock(f"product {product.id}")
    waiting = await tx.session.scalars(
        select(Reclamation)
        .where(Reclamation.product_id == product.id, Reclamation.status.in_(UNDER_WAY))
        .order_by(Reclamation.id)
        .with_for_update()
    )
    for reclamation in waiting:
        warranty = reclamation.warranty_by_rule(product)
        if not reclamation.by_manager and reclamation.warranty != warranty:
            reclamation.decide(warranty)
            tx.emit(reclamation, ReclamationChanged())
    return None if tx.has_emitted else "no réclamation waits for it"


@claims.on(WarrantyDecided)
async def follow_the_manager(event: WarrantyDecided, tx: Tx) -> str | None:
    """A manager's decision for a visit also holds for its réclamation, where the client reads it."""
    warranty = event.state.warranty
    if warranty is None or warranty.decided_at is None:
        return "decided by rule, as here"
    reclamation = await tx.load(Reclamation, event.state.reclamation_id, SYSTEM)
    if not warranty.overrules(reclamation.warranty):
        return "known"
    reclamation.decide(warranty)
    tx.emit(reclamation, ReclamationChanged())
    return None
