"""Reactions to decisions about warranty."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import ProductVerified, ProductView, WarrantyChanged
from sav_contracts.claims.reclamation import ReclamationChanged, ReclamationStatus
from sav_contracts.interventions.visit import WarrantyDecided

# Other states in which its coverage was decided and still matters.
WAS_QUALIFIED: tuple[ReclamationStatus, ...] = ("resolved", "reopened")


@claims.on(ProductVerified)
@claims.on(WarrantyChanged)
async def decide_again(event: ProductVerified | WarrantyChanged, tx: Tx) -> str | None:
    """Decides the product's réclamations under way by its new covers.

    Where a manager has decided, the shares stay; covers that pay them are named.
    """
    product = event.state
    await tx.copies(ProductView).as_new_as(product)
    for reclamation in await _all_of(product.id, tx):
        warranty = reclamation.warranty_by_rule(product)
        if reclamation.by_manager and reclamation.warranty:
            warranty = reclamation.warranty.by_covers_of(warranty)
        decided = reclamation.is_qualified or reclamation.status in WAS_QUALIFIED
        if decided and reclamation.warranty != warranty:
            reclamation.decide(warranty)
            tx.emit(reclamation, ReclamationChanged())
    return None if tx.has_emitted else "no réclamation waits for it"


async def _all_of(product_id: UUID, tx: Tx) -> Sequence[Reclamation]:
    """The réclamations of a product, locked before the product as qualifying does.

    Once the product is locked, qualifying uses this copy of it or a newer one, and its earlier decisions are found.
    """
    theirs = Reclamation.product_id == product_id
    ids = select(Reclamation.id).where(theirs).order_by(Reclamation.id)
    await tx.session.execute(ids.with_for_update())
    await tx.lock(f"product {product_id}")
    # Some may have been given this product since. Whoever has one of these may wait for the product: this tries again.
    found = await tx.session.scalars(
        select(Reclamation).where(theirs).order_by(Reclamation.id).with_for_update(nowait=True)
    )
    return found.all()


@claims.on(WarrantyDecided)
async def follow_the_manager(event: WarrantyDecided, tx: Tx) -> str | None:
    """A manager's decision for a visit also holds for its réclamation, where the client reads it."""
    warranty = event.state.warranty
    if warranty is None or warranty.decided_at is None:
        return "decided by rule, as here"
    if event.state.reclamation_id is None:
        return "the visit is for no réclamation"
    reclamation = await tx.load(Reclamation, event.state.reclamation_id, SYSTEM)
    if not warranty.overrules(reclamation.warranty):
        return "known"
    reclamation.decide(warranty)
    tx.emit(reclamation, ReclamationChanged())
    return None
