"""Amounts in commands whose currency only their record knows."""

from decimal import Decimal

from sav_chassis.errors import WrongField
from sav_contracts.money import Currency, is_too_fine, places


class TooManyDecimals(WrongField):
    places: int
    en = "at most {places} decimal places are expected"
    fr = "au plus {places} décimales sont attendues"


def check_decimals(written: Decimal, currency: Currency, field: str) -> None:
    """Raises `TooManyDecimals`, naming the field, where an amount is finer than its currency."""
    if is_too_fine(written, currency):
        raise TooManyDecimals(field=field, places=places(currency))
