"""The repairs of a unit follow all that is known of its réclamations and visits."""

from uuid import UUID

from sav_catalog.covers import covered_repairs, until_replaced
from sav_catalog.model import Product
from sav_chassis.tx import Tx
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView


async def recount(product: Product, tx: Tx) -> bool:
    """Computes its repairs anew, with those of the unit whose place it took; returns whether the end of a cover changed."""
    about: dict[str, UUID] = {"product_id": product.id}
    reclamations = await tx.copies(ReclamationView).where(**about).all()
    visits = await tx.copies(InterventionView).where(**about).all()
    own = covered_repairs(reclamations, visits, product.place, product.serial, product.replaced_on)
    if product.replaces_id is None:
        return product.follow(own)
    # Not locked: whoever changes the repairs of that one counts those of this one after it.
    before = await tx.session.get_one(Product, product.replaces_id)
    inherited = until_replaced(before.repairs, before.replaced_on or product.delivery_date)
    its_own = {repair.reclamation_id for repair in own}
    return product.follow([*own, *(repair for repair in inherited if repair.reclamation_id not in its_own)])
