"""What the VAT of a visit or a purchase depends on."""

from collections.abc import Iterable, Sequence
from datetime import date

from sav_chassis.errors import WrongField
from sav_chassis.law.jurisdiction import Jurisdiction
from sav_chassis.tx import Tx
from sav_contracts import address
from sav_contracts.address import postcode_in
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.interventions.line import BuyerKind, InvoiceLine, LineGiven, Supply, SupplyGiven, Works
from sav_contracts.interventions.visit import Purpose
from sav_interventions.model import Intervention
from sav_interventions.settings import billing

WORKS: dict[Purpose, Works] = {
    "diagnostic": "diagnosis",
    "repair": "repair",
    "maintenance": "maintenance",
    "install": "install",
}


class NotSubcontracted(WrongField):
    field: str = "supply.subcontracted"
    en = "only building work is subcontracted, no sale and no diagnosis, and only by a business"
    fr = "seuls des travaux sont sous-traités, ni une vente ni un diagnostic, et seulement par un professionnel"


def check_subcontracted(supply: Supply, law: Jurisdiction) -> None:
    """Raises `NotSubcontracted` where the taker cannot owe the VAT, whatever somebody says."""
    if law.subcontracted and supply.subcontracted and not law.taker_owes(supply):
        raise NotSubcontracted


class StaysASale(WrongField):
    field: str = "supply.works"
    en = "what was ordered and sent is a sale without fitting"
    fr = "ce qui a été commandé et expédié est une vente sans pose"


class StaysADiagnosis(WrongField):
    field: str = "supply.works"
    en = "the visit was a mere diagnosis: nothing was built in"
    fr = "l’intervention était un simple diagnostic\N{NO-BREAK SPACE}: rien n’a été posé"


class SentElsewhere(WrongField):
    field: str = "supply.postcode"
    en = "it was sent to the buyer's address: another place with other rates is not where it was supplied"
    fr = "la commande a été expédiée à l’adresse de l’acheteur\N{NO-BREAK SPACE}: elle n’a pas été fournie dans un lieu où d’autres taux s’appliquent"


def check_is_of_order(supply: Supply, before: Supply | None, law: Jurisdiction) -> None:
    """Raises where somebody says of a purchase what its rates would not be; its place is said where nobody knows it yet."""
    if supply.works != "sale":
        raise StaysASale
    if before and before.postcode and law.area(supply) != law.area(before):
        raise SentElsewhere


class NoPostcodeThere(WrongField):
    field: str = "supply.postcode"
    country: str
    en, fr = address.NoPostcodeThere.en, address.NoPostcodeThere.fr


def as_said(supply: Supply, said: SupplyGiven | None) -> Supply:
    """The supply with what somebody says of it; raises `NoPostcodeThere`, since a postcode decides the rate."""
    if said is None:
        return supply
    changed = said.changing(supply)
    if changed.postcode is None or not (said.postcode or said.country):
        return changed
    postcode = postcode_in(changed.country, changed.postcode)
    if postcode is None:
        raise NoPostcodeThere(country=changed.country)
    return changed.model_copy(update={"postcode": postcode})


async def as_named(supply: Supply, lines: Sequence[LineGiven | InvoiceLine], tx: Tx) -> Supply:
    """The supply, which includes a boiler that burns fossil fuel where a line names one, whatever somebody says."""
    ids = [line.article_id for line in lines if line.article_id]
    named = await tx.copies(ArticleView).where(id=ids).all() if ids else []
    if not any(article.is_fossil_boiler for article in named):
        return supply
    return supply.model_copy(update={"fossil_heating": True})


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
    burns = any_fossil_boiler(articles)
    if works == "install" and product is None:
        # What is installed is only known in words.
        burns = burns or None
    return Supply(
        on=on,
        country=place.country if place else billing().law.countries[0],
        postcode=place.postcode if place else None,
        address=place.on_one_line if place else None,
        works=works,
        older_dwelling=place is not None and place.dwelling_over_two_years,
        fossil_heating=burns,
        energy_saving=works == "install" and any(article.vat_class == "reduced" for article in articles),
        buyer=buyer_kind(product),
    )


def any_fossil_boiler(articles: Iterable[ArticleView]) -> bool | None:
    """Whether one of them is a boiler that can burn fossil fuel for space heating; None where nobody has said it."""
    said = {article.is_fossil_boiler for article in articles}
    return True if True in said else None if None in said else False
