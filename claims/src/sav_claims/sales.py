"""What a client buys: in which currency, taxed where, and until when they may withdraw (Code de la consommation, L221-18)."""

from datetime import date
from zoneinfo import ZoneInfo

from sav_chassis.errors import Conflict
from sav_chassis.law.withdrawal import delivered, right_to_withdraw
from sav_chassis.tx import Tx
from sav_claims.model import Client
from sav_claims.orders import PartsOrder
from sav_claims.settings import firm
from sav_contracts.address import Address
from sav_contracts.interventions.estimate import Withdrawal
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


def day_there(home: Address | None, tx: Tx) -> date:
    """Today's date where the buyer is; where no address is known, where the firm is."""
    zone = ZoneInfo(zone_of(home.country, home.postcode)) if home else firm().zone
    return tx.now.astimezone(zone).date()


async def home_of(order: PartsOrder, tx: Tx) -> Address | None:
    """Where the buyer of an order is."""
    buyer = await tx.session.get(Client, order.client_id)
    return first_address(buyer) if buyer else None


async def count_from_receipt(order: PartsOrder, tx: Tx) -> None:
    """The days to withdraw from a purchase count from its receipt, which is today."""
    if order.withdrawal:
        home = await home_of(order, tx)
        order.withdrawal = delivered(order.withdrawal, day_there(home, tx), home)
