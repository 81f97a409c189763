"""What the law of a country wants on an invoice: data, with the day since which it holds."""

from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from sav_contracts.money import Currency, VatClass


class NoRate(Exception):
    """The jurisdiction's data do not go back that far."""


class Rate(BaseModel):
    """What a class is taxed at from `since` on, in percent."""

    model_config = ConfigDict(frozen=True)

    vat_class: VatClass
    since: date
    rate: Decimal
    mention: str | None = None


class Jurisdiction(BaseModel):
    """A country's currency, time, rates and mentions; `older_dwelling` is how work on one is taxed, where less."""

    model_config = ConfigDict(frozen=True)

    currency: Currency
    zone: str
    due_days: int
    older_dwelling: VatClass | None
    rates: list[Rate]
    mentions: list[str]

    def rate(self, vat_class: VatClass, on: date) -> Rate:
        """The rate of a class on a day; `NoRate` before the first one known."""
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
