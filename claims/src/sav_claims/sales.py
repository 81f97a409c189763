"""What a client buys: in which currency, taxed where, and until when they may withdraw (Code de la consommation, L221-18)."""

from datetime import date
from zoneinfo import ZoneInfo

from sav_chassis.errors import Conflict
from sav_chassis.law.sale import sale
from sav_chassis.law.withdrawal import delivered, right_to_withdraw
from sav_chassis.tx import Tx
from sav_claims.model import Client
from sav_claims.orders import PartsOrder
from sav_claims.settings import firm
from sav_contracts.address import Address
from sav_contracts.interventions.estimate import Withdrawal
from sav_contracts.interventions.line import Supply
from sav_contracts.money import Currency
from sav_contracts.time_zone import zone_of


class NotInvoiced(Conflict):
    """What a client buys is invoiced when it is shipped, in the firm's currency."""

    code = "not_invoiced"
    priced: str
    ours: str
    en = "This is priced in {priced}, and invoices are in {ours}: it cannot be sold by an order"
    fr = (
        "Le prix est en {priced} alors que les factures sont en {ours} : la vente par commande est impossible"
    )


class NotInvoicedThere(Conflict):
    """Goods are sent to the buyer's address; the firm's law says nothing about the VAT of what is sold in that country."""

    code = "not_invoiced_there"
    country: str
    en = "Your address is in {country}, and the VAT of that country is not known here: it cannot be sold by an order"
    fr = (
        "Votre adresse est dans un pays ({country}) dont la TVA n’est pas connue ici\N{NO-BREAK SPACE}: "
        "la vente par commande est impossible"
    )


def sale_to(buyer: Client, tx: Tx) -> Supply:
    """What the VAT of goods depends on that this client buys today; raises `NotInvoicedThere`."""
    law = firm().law
    supply = sale(first_address(buyer), today(tx), law)
    if law.areas and law.is_abroad(supply):
        raise NotInvoicedThere(country=supply.country)
    return supply


def check_invoiced(currency: Currency) -> None:
    """Raises `NotInvoiced` where nothing can be sold in this currency."""
    if currency != firm().currency:
        raise NotInvoiced(priced=currency, ours=firm().currency)


def first_address(client: Client) -> Address | None:
    """Where what they buy is sent and billed: the first address of their profile."""
    return client.addresses[0] if client.addresses else None


def today(tx: Tx) -> date:
    """Today's date where the firm is."""
    return tx.now.astimezone(firm().zone).date()


def right_of_buyer(on: date) -> Withdrawal:
    """Whether somebody who buys on that day may withdraw. Clients are taken for consumers: nobody says otherwise."""
    return right_to_withdraw(
        firm().jurisdiction, on, setting="at_distance", consumer=True, urgency=None, supplies=True
    )


def ordered_on(order: PartsOrder) -> date:
    """The date of an order where the firm is."""
    return order.created_at.astimezone(firm().zone).date()


def right_of(order: PartsOrder) -> Withdrawal | None:
    """The right to withdraw from an order; None from one for a repair."""
    if order.withdrawal is None and order.purpose == "purchase":
        # From before it was recorded: nobody was told of the right, so that its days have not begun (L221-20).
        return right_of_buyer(ordered_on(order))
    return order.withdrawal


def zone_there(home: Address | None) -> ZoneInfo:
    """The zone where the buyer is; where no address is known, where the firm is."""
    return ZoneInfo(zone_of(home.country, home.postcode)) if home else firm().zone


async def buyer_of(order: PartsOrder, tx: Tx) -> Client:
    """The client of an order, not locked."""
    return await tx.session.get_one(Client, order.client_id)


async def count_from_receipt(order: PartsOrder, tx: Tx) -> None:
    """The days to withdraw from a purchase count from its receipt, which is today."""
    if order.withdrawal:
        home = first_address(await buyer_of(order, tx))
        order.withdrawal = delivered(order.withdrawal, tx.now.astimezone(zone_there(home)).date(), home)
