"""What a country's law requires on an invoice, as data; VAT rates with the day from which they hold."""

from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from sav_contracts.money import Currency, VatClass


class NoRate(Exception):
    """The jurisdiction's data have no rate for so early a day."""


class Rate(BaseModel):
    """The VAT rate of a class from the day `since`, in percent."""

    model_config = ConfigDict(frozen=True)

    vat_class: VatClass
    since: date
    rate: Decimal
    mention: str | None = None


class Jurisdiction(BaseModel):
    """A country's currency, time zone, rates and mentions; `older_dwelling` is the class of work on one, if lower."""

    model_config = ConfigDict(frozen=True)

    currency: Currency
    zone: str
    due_days: int
    older_dwelling: VatClass | None
    rates: list[Rate]
    mentions: list[str]

    def rate(self, vat_class: VatClass, on: date) -> Rate:
        """The rate of a class on a day; raises `NoRate` before the first known one."""
        known = [rate for rate in self.rates if rate.vat_class == vat_class and rate.since <= on]
        if not known:
            raise NoRate(f"no {vat_class} rate is known for {on}")
        return max(known, key=lambda rate: rate.since)


@cache
def jurisdiction(code: str) -> Jurisdiction:
    """The jurisdiction of an ISO 3166 country code."""
    return Jurisdiction.model_validate_json(
        (files("sav_interventions") / "jurisdictions" / f"{code}.json").read_text()
    )
