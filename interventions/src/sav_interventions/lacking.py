"""What a draft of an invoice lacks; staff are told when it is made, not when somebody issues it."""

from collections.abc import Iterable, Iterator

from sav_chassis.errors import Conflict
from sav_chassis.law.jurisdiction import Jurisdiction
from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_contracts.interventions.invoice import Buyer, Lack, Seller
from sav_contracts.interventions.line import BuyerKind, Supply
from sav_contracts.labels import labels
from sav_contracts.sentences import Text
from sav_interventions.above_estimate import above
from sav_interventions.deposits import exceed
from sav_interventions.model.invoice import Invoice
from sav_interventions.settings import billing

# What an estimate has to say (arrêté du 24 janvier 2017): whose it is, for whom, and where the work is done. Of the rest
# the dearer case is estimated.
NEEDED: frozenset[Lack] = frozenset({"buyer_address", "place", "place_abroad", "seller_email", "mediator"})


class EstimateLacks(Conflict):
    """The law asks for what this estimate does not say; it is written again with that. What the firm says is a setting."""

    code = "estimate_lacks"
    lacks: Text
    en = "The estimate lacks what the law asks for: {lacks}. Write it again once that is known"
    fr = "Il manque au devis des mentions obligatoires : {lacks}. Rédigez-le de nouveau quand elles sont connues"


@settles(Invoice)
async def say_what_it_lacks(invoice: Invoice, tx: Tx) -> None:
    """Nothing is lacking once it is no draft any more."""
    lacks: list[Lack] = []
    if invoice.status == "draft":
        lacks.extend(lacking(invoice.buyer, invoice.supply, billing().law))
        if beyond := above(invoice):
            lacks.append(beyond)
        if await exceed(invoice, tx):
            lacks.append("deposits_exceed")
    invoice.lacks = lacks


def lacking(buyer: Buyer, supply: Supply | None, law: Jurisdiction) -> Iterator[Lack]:
    """What is still to be known of a buyer and a supply."""
    if not buyer.address:
        yield "buyer_address"
    if supply is None:
        return
    if (
        supply.buyer == "business"
        and law.siren_since
        and supply.on >= law.siren_since
        and not (buyer.siren or buyer.tax_number)
    ):
        yield "siren"
    if law.taker_owes(supply) and not buyer.tax_number:
        yield "tax_number"
    if law.areas and supply.postcode is None:
        yield "place"
    if law.areas and law.is_abroad(supply):
        yield "place_abroad"
    if supply.fossil_heating is None and any(rule.fossil_heating is not None for rule in law.rules):
        yield "what_it_heats"
    certified = supply.model_copy(update={"certified": True})
    if law.vat_class(None, supply) != law.vat_class(None, certified):
        yield "certification"


def lacking_of_firm(seller: Seller, buyer: BuyerKind, country: str) -> Iterator[Lack]:
    """What a firm in France has not said of itself (`SAV_SELLER`), and its estimates have to say."""
    if country != "FR":
        return
    if not seller.email:
        yield "seller_email"
    # Code de la consommation, L616-1.
    if buyer == "private" and not seller.mediator:
        yield "mediator"


def check_may_be_sent(lacks: Iterable[Lack]) -> None:
    """Raises `EstimateLacks` where an estimate does not say what the law asks for."""
    if missing := [lack for lack in lacks if lack in NEEDED]:
        raise EstimateLacks(lacks=labels(missing))
