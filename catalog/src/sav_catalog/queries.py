"""Computed queries about products."""

from sav_catalog.app import catalog
from sav_catalog.model import Product
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import GetWarranty
from sav_contracts.catalog.warranty import Warranty


@catalog.query(GetWarranty)
async def get_warranty(query: GetWarranty, tx: Tx, by: Actor) -> Warranty:
    """What the warranty pays for a fault on the day `on`; without one, today at the product's place."""
    product = (await tx.read(Product, query.product_id, by)).view()
    return product.warranty(query.on or product.place.day(tx.now))
