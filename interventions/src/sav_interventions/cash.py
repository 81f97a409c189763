"""Of which debts nothing may be paid in cash, as data."""

from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, TypeAdapter

from sav_chassis.errors import Conflict
from sav_contracts.interventions.payment import PaymentMethod
from sav_contracts.money import Currency
from sav_interventions.settings import billing


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
    reference: str


def cash_limit(on: date) -> Decimal | None:
    """The limit on a day in the firm's jurisdiction; None where it has none."""
    known = [limit for limit in _limits()[billing().jurisdiction] if limit.since <= on]
    return max(known, key=lambda limit: limit.since).most if known else None


def check_cash(method: PaymentMethod, debt: Decimal, currency: Currency, on: date) -> None:
    """Raises `CashRefused` where the debt is too large to be paid in cash."""
    most = cash_limit(on)
    if method == "cash" and most is not None and debt > most:
        raise CashRefused(most=most, currency=currency)


@cache
def _limits() -> dict[str, list[CashLimit]]:
    text = (files("sav_interventions") / "payment_rules" / "cash.json").read_text()
    return TypeAdapter(dict[str, list[CashLimit]]).validate_json(text)
