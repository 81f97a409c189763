"""What is computed about products."""

from sqlalchemy import text

from sav_catalog.app import catalog
from sav_catalog.model import Product
from sav_chassis.errors import NotFound
from sav_chassis.tx import Tx, sees
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.product import GetWarranty, Warranty

WORKS_ON = text(
    """SELECT true FROM view WHERE kind IN ('reclamation', 'intervention')
    AND technician_id = :technician_id AND product_id = :product_id AND open LIMIT 1"""
)


@catalog.query(GetWarranty)
async def get_warranty(query: GetWarranty, tx: Tx, by: Actor) -> Warranty:
    """What is paid for a fault on that day; without one, on the day it is in UTC.

    A technician is answered while an open réclamation or intervention of theirs names the product.
    """
    product = await tx.session.get(Product, query.product_id)
    if product is None or not (sees(by, product) or await _works_on(tx, by, product)):
        raise NotFound(f"there is no product {query.product_id}")
    return product.view().warranty(query.on or tx.now.date())


async def _works_on(tx: Tx, by: Actor, product: Product) -> bool:
    whose = {"technician_id": by.id, "product_id": product.id}
    return by.role is Role.TECHNICIAN and bool(await tx.session.scalar(WORKS_ON, whose))
