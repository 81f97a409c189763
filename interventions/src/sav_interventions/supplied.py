"""What the VAT of a visit or a purchase depends on."""

from collections.abc import Iterable
from datetime import date

from sav_chassis.tx import Tx
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.interventions.line import BuyerKind, Supply, Works
from sav_contracts.interventions.visit import Purpose
from sav_interventions.model import Intervention
from sav_interventions.settings import billing

WORKS: dict[Purpose, Works] = {
    "diagnostic": "diagnosis",
    "repair": "repair",
    "maintenance": "maintenance",
    "install": "install",
}


def works_of(visit: Intervention) -> Works:
    """What kind of works a visit was. One for a diagnosis on which parts were built in was a repair."""
    parts = visit.work is not None and bool(visit.work.parts)
    return "repair" if parts and visit.purpose == "diagnostic" else WORKS[visit.purpose]


def buyer_kind(product: ProductView | None) -> BuyerKind:
    """Who buys work on a unit; where nothing else is known, a private person."""
    return "private" if product is None or product.consumer else "business"


def place_of(product: ProductView | None, visit: Intervention) -> Place | None:
    """Where a visit is: at its unit, whose place may have been corrected since it was planned."""
    return product.place if product else visit.place


async def supply_of(
    visit: Intervention, product: ProductView | None, place: Place | None, on: date, tx: Tx
) -> Supply:
    """What the VAT of a visit depends on; the client's certification is still to come."""
    works = works_of(visit)
    fitted = [part.article_id for part in visit.work.parts] if visit.work else []
    if product and works == "install":
        fitted.append(product.article_id)
    articles = [await tx.view(ArticleView, id) for id in sorted(set(fitted))]
    return Supply(
        on=on,
        country=place.country if place else billing().law.countries[0],
        postcode=place.postcode if place else None,
        address=place.on_one_line if place else None,
        works=works,
        older_dwelling=place is not None and place.dwelling_over_two_years,
        fossil_heating=any_fossil_boiler(articles),
        energy_saving=works == "install" and any(article.vat_class == "reduced" for article in articles),
        buyer=buyer_kind(product),
    )


def any_fossil_boiler(articles: Iterable[ArticleView]) -> bool | None:
    """Whether one of them is a boiler that can burn fossil fuel for space heating; None where nobody has said it."""
    said = {article.is_fossil_boiler for article in articles}
    return True if True in said else None if None in said else False
