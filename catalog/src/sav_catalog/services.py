"""Units follow what is said of their article: until when their next service is due."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from sav_catalog.app import catalog
from sav_catalog.model import Article, Product
from sav_chassis.tx import EffectRun, Tx
from sav_contracts.catalog.product import ProductChanged

# What decides about the services of its units.
DECIDES = ("fuel", "heats", "power_kw")
# Units that are locked in one transaction.
AT_ONCE = 200


def replan_services(tx: Tx, article: Article, changes: Mapping[str, Any]) -> None:
    """Plans the services of all its units anew after the commit, where the changes decide about these."""
    if any(name in changes and changes[name] != getattr(article, name) for name in DECIDES):
        tx.later(plan_services, article.id)


@catalog.effect
async def plan_services(id: UUID, run: EffectRun) -> None:
    """Plans the services of all units of an article; a run that was cut off begins anew."""
    last: UUID | None = UUID(int=0)
    while last:
        async with run() as tx:
            last = await _plan(tx, id, last)


async def _plan(tx: Tx, article_id: UUID, after: UUID) -> UUID | None:
    """Plans those of the next units by id; returns the last one, or None where that was all."""
    article = await tx.session.get_one(Article, article_id)
    found = select(Product).where(Product.article_id == article_id, Product.id > after)
    units = (await tx.session.scalars(found.order_by(Product.id).limit(AT_ONCE).with_for_update())).all()
    for unit in units:
        before = unit.next_service_due
        unit.plan_service(article, tx.now)
        if unit.next_service_due != before:
            tx.emit(unit, ProductChanged())
    return units[-1].id if len(units) == AT_ONCE else None
