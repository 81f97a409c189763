"""Amounts of money: decimals with two places. The field next to them names the currency."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

Currency = Literal["EUR", "TND"]


def decimal_places(number: int) -> AfterValidator:
    """Reads every spelling (`10`, `1E+1`, `0E-400`, `-0`) with this many decimal places."""
    last = Decimal(1).scaleb(-number)
    return AfterValidator(lambda given: given.quantize(last) + 0)


Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2), decimal_places(2)]
# What two amounts differ by.
Difference = Annotated[Decimal, decimal_places(2)]
# The share of a line that a cover pays.
Percent = Annotated[int, Field(ge=0, le=100)]
# The class of tax. The jurisdiction's data gives its rate on a date.
VatClass = Literal["standard", "intermediate", "reduced"]
