"""Amounts of money: decimals with two places, three where there are thousandths. The field next to them names the currency."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticKnownError

Currency = Literal["EUR", "TND"]
# Decimal places of each currency (ISO 4217).
PLACES: dict[Currency, int] = {"EUR": 2, "TND": 3}
CENT, THOUSANDTH = Decimal("0.01"), Decimal("0.001")


def places(currency: Currency) -> int:
    """How many decimal places the amounts of a currency have."""
    return PLACES[currency]


def smallest(currency: Currency) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR, 0.001 for TND."""
    return Decimal(1).scaleb(-places(currency))


def rounded(amount: Decimal, currency: Currency) -> Decimal:
    """To the decimals of the currency, halves away from zero, in the form of `as_money`."""
    return as_money(amount.quantize(smallest(currency), ROUND_HALF_UP))


def as_money(amount: Decimal) -> Decimal:
    """The amount in the one form in which it is kept and hashed: `5.00`, `5.50`, `5.125`."""
    fine = amount.quantize(THOUSANDTH)
    cents = fine.quantize(CENT)
    return (cents if cents == fine else fine) + 0


def is_too_fine(amount: Decimal, currency: Currency) -> bool:
    """Whether an amount has more decimals than its currency."""
    return amount != rounded(amount, currency)


def check_places(amount: Decimal, currency: Currency) -> Decimal:
    """The amount; raises pydantic's own error where it is finer than its currency."""
    if is_too_fine(amount, currency):
        raise PydanticKnownError("decimal_max_places", {"decimal_places": places(currency)})
    return amount


def decimal_places(number: int) -> AfterValidator:
    """Reads every spelling (`10`, `1E+1`, `0E-400`, `-0`) with this many decimal places."""
    last = Decimal(1).scaleb(-number)
    return AfterValidator(lambda given: given.quantize(last) + 0)


_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


# The context in which what somebody sent is read. Events and views are read without: any spelling may be in a log.
SENT = {"sent": True}


def _plain(given: Any, info: ValidationInfo) -> Any:
    if info.context == SENT and isinstance(given, str) and not _PLAIN.fullmatch(given):
        raise PydanticKnownError("decimal_parsing")
    return given


# A text of a caller is a number only as people write it: no exponent (`1e3`), no plus, no digits of other scripts.
Plain = BeforeValidator(_plain)
Amount = Annotated[Decimal, Field(ge=0, max_digits=13, decimal_places=3), AfterValidator(as_money), Plain]
# What two amounts differ by.
Difference = Annotated[Decimal, AfterValidator(as_money)]
# The share of a line that a cover pays.
Percent = Annotated[int, Field(ge=0, le=100)]
# The share of a price that a discount takes off, in percent.
Share = Annotated[Decimal, Field(gt=0, le=100, max_digits=5, decimal_places=2), decimal_places(2), Plain]
# The class of tax. The jurisdiction's data gives its rate on a date.
VatClass = Literal["standard", "intermediate", "reduced"]
