"""What a draft of an invoice lacks; staff are told when it is made, not when somebody issues it."""

from collections.abc import Iterator

from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_contracts.interventions.invoice import Buyer, Lack
from sav_contracts.interventions.line import Supply
from sav_interventions.jurisdiction import Jurisdiction
from sav_interventions.model.invoice import Invoice
from sav_interventions.settings import billing


@settles(Invoice)
async def say_what_it_lacks(invoice: Invoice, tx: Tx) -> None:
    """Nothing is lacking once it is no draft any more."""
    draft = invoice.status == "draft"
    invoice.lacks = list(lacking(invoice.buyer, invoice.supply, billing().law)) if draft else []


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
    if law.areas and supply.postcode is None:
        yield "place"
    if law.areas and law.is_abroad(supply):
        yield "place_abroad"
    if supply.fossil_heating is None:
        yield "what_it_heats"
    certified = supply.model_copy(update={"certified": True})
    if law.vat_class(None, supply) != law.vat_class(None, certified):
        yield "certification"
