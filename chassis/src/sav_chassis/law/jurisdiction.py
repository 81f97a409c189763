"""What a country's law requires on an invoice, as data; each rule with the days on which it holds."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from sav_contracts.interventions.invoice import Buyer, Seller
from sav_contracts.interventions.line import InvoiceLine, Supply, Works
from sav_contracts.money import Currency, VatClass, as_money

# What was sold.
Nature = Literal["goods", "services", "both"]
MAINLAND = "mainland"
# The highest first.
CLASSES: tuple[VatClass, ...] = get_args(VatClass)


class NoRate(Exception):
    """The jurisdiction's data have no rate for so early a day."""


class Rule(BaseModel):
    """Holds from the day `since` on; `reference` is where the law says so."""

    model_config = ConfigDict(frozen=True)

    since: date
    reference: str | None = None


class Rate(Rule):
    """The VAT rate of a class in an area, in percent."""

    vat_class: VatClass
    rate: Decimal
    area: str = MAINLAND
    mention: str | None = None


class VatRule(Rule):
    """Which class such a supply usually has, and which others the law allows it. What it does not say may be anything."""

    works: tuple[Works, ...] | None = None
    areas: tuple[str, ...] | None = None
    older_dwelling: bool | None = None
    fossil_heating: bool | None = None
    energy_saving: bool | None = None
    certified: bool | None = None
    usual: VatClass
    allows: tuple[VatClass, ...]

    def holds(self, supply: Supply, area: str) -> bool:
        """Whether it is about such a supply."""
        return (
            self.since <= (supply.agreed_on or supply.on)
            and (self.works is None or supply.works in self.works)
            and (self.areas is None or area in self.areas)
            and self.older_dwelling in (None, supply.older_dwelling)
            # What may be such a boiler is taxed as one.
            and self.fossil_heating in (None, supply.fossil_heating is not False)
            and self.energy_saving in (None, supply.energy_saving)
            and self.certified in (None, supply.certified)
        )


class Area(BaseModel):
    """Where other rates hold, by the first characters of postcodes and by codes of countries."""

    model_config = ConfigDict(frozen=True)

    area: str
    postcodes: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    reference: str | None = None


class Stamp(Rule):
    """A duty on each invoice, outside the base of VAT."""

    amount: Decimal


class Jurisdiction(BaseModel):
    """A country's currency, time zone, rates, rules and mentions. Of the `rules`, the first one that holds counts."""

    model_config = ConfigDict(frozen=True)

    currency: Currency
    zone: str
    due_days: int
    countries: tuple[str, ...]
    rates: list[Rate]
    rules: list[VatRule]
    mentions: list[str]
    # What stands on invoices to private persons only, and to businesses only; of these also what was sold.
    private_mentions: list[str] = []
    business_mentions: list[str] = []
    # What estimates for private persons say of the guarantees by law, and of when the work is done where nothing is agreed.
    estimate_mentions: list[str] = []
    usual_schedule: str | None = None
    nature_mentions: dict[Nature, str] = {}
    # On these, where services are sold by a firm that pays VAT when it invoices them.
    debits_mention: str | None = None
    areas: list[Area] = []
    # The area of building work for a firm that was itself engaged by somebody, and what such work is.
    subcontracted: str | None = None
    subcontracted_works: tuple[Works, ...] = ()
    stamps: list[Stamp] = []
    # Since when an invoice for a business names its SIREN.
    siren_since: date | None = None

    def mentions_on(self, seller: Seller, buyer: Buyer, nature: Nature) -> list[str]:
        """The mentions of an invoice of this to this buyer."""
        if not buyer.is_business:
            return [*self.mentions, *self.private_mentions]
        sold = self.nature_mentions.get(nature)
        debits = self.debits_mention if seller.vat_on_debits and nature != "goods" else None
        return [*self.mentions, *self.business_mentions, *(one for one in (sold, debits) if one)]

    def mentions_on_estimate(self, buyer: Buyer) -> list[str]:
        """The mentions of an estimate for this buyer: what a business owes when it pays late stands on invoices only."""
        if buyer.is_business:
            return self.mentions
        return [*self.mentions, *self.estimate_mentions, *self.private_mentions]

    def area(self, supply: Supply) -> str:
        """The area by whose rates a supply is taxed."""
        if self.subcontracted and self.taker_owes(supply):
            return self.subcontracted
        for one in self.areas:
            of_country = supply.country in one.countries
            if of_country or (supply.country in self.countries and _begins(supply.postcode, one.postcodes)):
                return one.area
        return MAINLAND

    def taker_owes(self, supply: Supply) -> bool:
        """Whether the VAT is owed by the taker: building work for a business that was itself engaged for it."""
        engaged = supply.subcontracted and supply.buyer == "business"
        return engaged and supply.works in self.subcontracted_works

    def is_abroad(self, supply: Supply) -> bool:
        """Whether the data know nothing about the place of a supply."""
        known = {*self.countries, *(country for area in self.areas for country in area.countries)}
        return supply.country not in known

    def allowed(self, wanted: VatClass | None, supply: Supply) -> VatClass:
        """The class that is wanted where the law allows it, else the usual one of such a supply."""
        area = self.area(supply)
        rule = next(rule for rule in self.rules if rule.holds(supply, area))
        return wanted if wanted in rule.allows else rule.usual

    def vat_class(self, wanted: VatClass | None, supply: Supply) -> VatClass:
        """The class of a line: of those with the rate of the allowed one the first, so that each rate is rounded once."""
        area = self.area(supply)
        rate = self.rate(self.allowed(wanted, supply), supply.on, area).rate
        return next(one for one in CLASSES if self.rate(one, supply.on, area).rate == rate)

    def mention(self, lines: Iterable[InvoiceLine], supply: Supply) -> str | None:
        """What stands on an invoice beside the rate of these lines: the mention of each class that has it."""
        area = self.area(supply)
        rates = [self.rate(self.allowed(line.wanted, supply), supply.on, area) for line in lines]
        return " ".join(dict.fromkeys(rate.mention for rate in rates if rate.mention)) or None

    def rate(self, vat_class: VatClass, on: date, area: str = MAINLAND) -> Rate:
        """The rate of a class on a day; in an area without one, the mainland's. Raises `NoRate` before the first known one."""
        known = [
            rate
            for rate in self.rates
            if (rate.vat_class, rate.area) == (vat_class, area) and rate.since <= on
        ]
        if known:
            return max(known, key=lambda rate: rate.since)
        if area != MAINLAND:
            return self.rate(vat_class, on)
        raise NoRate(f"no {vat_class} rate is known for {on}")

    def stamp(self, on: date) -> Decimal | None:
        """The duty on an invoice of that day."""
        known = [stamp for stamp in self.stamps if stamp.since <= on]
        return as_money(max(known, key=lambda stamp: stamp.since).amount) if known else None


def _begins(postcode: str | None, with_one_of: Sequence[str]) -> bool:
    return postcode is not None and postcode.startswith(tuple(with_one_of))


@cache
def jurisdiction(code: str) -> Jurisdiction:
    """The jurisdiction of an ISO 3166 country code."""
    return Jurisdiction.model_validate_json(
        (files("sav_chassis.law") / "jurisdictions" / f"{code}.json").read_text()
    )
