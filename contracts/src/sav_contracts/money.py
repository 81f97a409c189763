"""Amounts of money: decimal, with two places, in the currency that stands beside them."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

Currency = Literal["EUR", "TND"]


def _in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


# However it was written (`10`, `10.0`), it is read with two places.
Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2), AfterValidator(_in_cents)]
# What share of a line a cover pays.
Percent = Annotated[int, Field(ge=0, le=100)]
# How a thing is taxed; which rate that is on a date stands in the jurisdiction's data.
VatClass = Literal["standard", "intermediate", "reduced"]
