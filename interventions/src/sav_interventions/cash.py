"""Of which debts nothing may be paid in cash, as data."""

from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy import select

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_contracts.interventions.payment import PaymentMethod
from sav_contracts.money import Currency
from sav_interventions.concluded import debt_by_contract, debt_of
from sav_interventions.model import Invoice
from sav_interventions.model.payment import ClientCredit
from sav_interventions.settings import billing

# Whom a limit is for: private persons who proved that they pay their taxes abroad, or anybody.
Payer = Literal["any", "private_abroad"]
ZERO = Decimal("0.00")


class CashRefused(Conflict):
    """The law refuses cash for a part of a larger debt, too."""

    code = "cash_refused"
    most: Decimal
    currency: Currency
    en = "A debt of more than {most} {currency} must not be paid in cash, not even in part"
    fr = "Une dette de plus de {most} {currency} ne peut pas être réglée en espèces, même en partie"


class CashLimit(BaseModel):
    """The most that a debt may be to be paid in cash, from the day `since`; `reference` is where the law says so."""

    model_config = ConfigDict(frozen=True)

    since: date
    most: Decimal
    payer: Payer
    reference: str


def cash_limit(on: date, payer: Payer = "any") -> Decimal | None:
    """The limit on a day in the firm's jurisdiction; None where it has none."""
    known = [limit for limit in _limits()[billing().jurisdiction] if limit.since <= on]
    own = [limit for limit in known if limit.payer == payer] or known
    return max(own, key=lambda limit: limit.since).most if own else None


async def check_cash(
    method: PaymentMethod, amount: Decimal, invoice: Invoice, tx: Tx, on: date, *, abroad: bool = False
) -> None:
    """Raises `CashRefused` where the debt that an invoice is a part of is too large for cash, or the cash is.

    What is more than its balance stays with the firm: it counts as cash on account does.
    """
    if method != "cash":
        return
    await tx.lock(f"cash of {invoice.client_id}")
    more = max(amount - invoice.balance, ZERO)
    on_account = await _debt_on_account(more, invoice.client_id, tx) if more else ZERO
    private = invoice.buyer.kind != "business"
    payer: Payer = "private_abroad" if abroad and private else "any"
    _check(max(await debt_of(invoice, tx), amount, on_account), invoice.currency, on, payer)


async def check_cash_on_account(
    method: PaymentMethod,
    amount: Decimal,
    client_id: UUID,
    currency: Currency,
    tx: Tx,
    on: date,
    *,
    abroad: bool = False,
) -> None:
    """Raises `CashRefused` for money on account: of a debt not known yet, as much is known as was agreed or paid for it."""
    if method != "cash":
        return
    await tx.lock(f"cash of {client_id}")
    debt = await _debt_on_account(amount, client_id, tx)
    _check(debt, currency, on, "private_abroad" if abroad else "any")


async def _debt_on_account(amount: Decimal, client_id: UUID, tx: Tx) -> Decimal:
    """With the cash that no invoice of the client has used, or what they agreed to where that is more."""
    return max(amount + await _kept(client_id, tx), await debt_by_contract(client_id, tx))


def _check(debt: Decimal, currency: Currency, on: date, payer: Payer) -> None:
    most = cash_limit(on, payer)
    if most is not None and debt > most:
        raise CashRefused(most=most, currency=currency)


async def _kept(client_id: UUID, tx: Tx) -> Decimal:
    """What a client paid in cash, on account or beyond an invoice, and no invoice has used yet."""
    kept = select(ClientCredit.remaining).where(
        ClientCredit.client_id == client_id, ClientCredit.method == "cash"
    )
    return sum((await tx.session.scalars(kept)).all(), ZERO)


@cache
def _limits() -> dict[str, list[CashLimit]]:
    text = (files("sav_interventions") / "payment_rules" / "cash.json").read_text()
    return TypeAdapter(dict[str, list[CashLimit]]).validate_json(text)
