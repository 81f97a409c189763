"""Lines of estimates, invoices and credit notes, what is taken off them, and what their VAT depends on."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.address import Postcode
from sav_contracts.country import Country
from sav_contracts.messages import Line, Message, Personal, RecordedLine
from sav_contracts.money import Amount, Percent, Share, VatClass
from sav_contracts.wrong_value import WrongValue

LineKind = Literal["labour", "part", "travel", "fixed", "other"]
Unit = Literal["hour", "piece", "km", "flat"]
# `sale` is without fitting. `diagnosis` is one that nothing else is billed with.
Works = Literal["repair", "maintenance", "install", "improvement", "sale", "diagnosis"]
BuyerKind = Literal["private", "business"]
Quantity = Annotated[Decimal, Field(gt=0, max_digits=9, decimal_places=2)]


class HowMuch(WrongValue):
    code = "how_much"
    en = "quantity or minutes: say how much of it"
    fr = "quantity ou minutes : indiquez la quantité"


class MinutesOfLabour(WrongValue):
    code = "minutes_of_labour"
    en = "minutes: only labour by the hour has minutes"
    fr = "minutes : seule la main-d’œuvre à l’heure se compte en minutes"


class PercentOrAmount(WrongValue):
    code = "percent_or_amount"
    en = "percent or amount: say one of them"
    fr = "percent ou amount : indiquez l’un des deux"


class LineRecorded(Message):
    """What is billed on one line, as recorded.

    Where `minutes` are known the amount follows from them, and `quantity` shows them as hours, rounded.
    """

    kind: LineKind = Field(examples=["part"])
    description: RecordedLine = Field(examples=["Circulateur 25-60"])
    quantity: Quantity
    unit: Unit = Field(examples=["piece"])
    unit_price: Amount = Field(examples=["186.40"])
    covered: Percent = 0
    minutes: Annotated[int, Field(ge=1, le=100_000)] | None = Field(default=None, examples=[75])
    # What this line is reduced by, in percent.
    discount: Share | None = Field(default=None, examples=["5.00"])
    # Of which article of the catalogue a part is, where that is known.
    article_id: UUID | None = None


def _without_default(schema: dict[str, Any]) -> None:
    """Only a flat price is for one of it where nobody says how much."""
    schema.pop("default")


class LineGiven(LineRecorded):
    """A line as somebody writes it. It says its `quantity`, or the `minutes` of labour by the hour, or has a `flat` price.

    Without `vat_class` the law's usual one of such works; a lower one only where allowed.
    """

    description: Line = Field(examples=["Circulateur 25-60"])
    quantity: Quantity = Field(default=Decimal(1), examples=["2"], json_schema_extra=_without_default)
    vat_class: VatClass | None = Field(default=None, examples=["standard"])

    @model_validator(mode="after")
    def _says_how_much(self) -> "LineGiven":
        if self.minutes and (self.kind, self.unit) != ("labour", "hour"):
            raise MinutesOfLabour().error()
        if "quantity" not in self.model_fields_set and not self.minutes and self.unit != "flat":
            raise HowMuch().error()
        return self


class InvoiceLine(LineRecorded):
    """One line with its amount: without its discount and the share that a warranty pays, excluding VAT."""

    vat_class: VatClass = Field(examples=["intermediate"])
    amount: Amount = Field(examples=["186.40"])
    # What a warranty pays of it, excluding VAT.
    covered_amount: Amount | None = Field(default=None, examples=["0.00"])
    # The class that the catalogue or a manager said; None where the law's usual one was to be found.
    wanted: VatClass | None = Field(default=None, examples=["standard"])


class VatTotal(Message):
    """The amounts taxed at one rate (in percent), and the mention that the law requires.

    `base` is without the `allowance`, the share of a discount on the whole that falls on this rate.
    """

    vat_class: VatClass = Field(examples=["intermediate"])
    rate: Decimal = Field(examples=["10"])
    base: Amount = Field(examples=["186.40"])
    vat: Amount = Field(examples=["18.64"])
    mention: str | None = Field(
        examples=["Travaux dans un logement achevé depuis plus de deux ans (CGI, art. 279-0 bis)."]
    )
    allowance: Amount | None = Field(default=None, examples=["9.81"])


class Discount(Message):
    """What is taken off the whole, excluding VAT, as recorded: a percentage or an amount."""

    label: RecordedLine = Field(examples=["Remise fidélité"])
    percent: Share | None = Field(default=None, examples=["5.00"])
    amount: Amount | None = Field(default=None, examples=["50.00"])


class DiscountGiven(Discount):
    """What is taken off the whole, as somebody writes it."""

    label: Line = Field(examples=["Remise fidélité"])
    amount: Annotated[Amount, Field(gt=0)] | None = Field(default=None, examples=["50.00"])

    @model_validator(mode="after")
    def _is_one(self) -> "DiscountGiven":
        if (self.percent is None) == (self.amount is None):
            raise PercentOrAmount().error()
        return self


class Supply(Message):
    """What the VAT depends on: when, where, for whom and what is done."""

    on: date = Field(examples=["2026-03-05"])
    country: str = "FR"
    # None where the place is not known.
    postcode: str | None = Field(default=None, examples=["69003"])
    # The place as it stands on papers of which the buyer has another address.
    address: Personal[str] | None = Field(default=None, examples=["3 rue des Lilas, 69003 Lyon"])
    works: Works = Field(default="repair", examples=["repair"])
    # Dwellings completed more than two years ago.
    older_dwelling: bool = False
    # The supply or fitting of a boiler that can burn fossil fuel for space heating; None where nobody has said it yet.
    fossil_heating: bool | None = False
    energy_saving: bool = False
    # Whether the client certified what a lower rate depends on.
    certified: bool = False
    buyer: BuyerKind = "private"
    # Building work for a firm that was itself engaged by somebody.
    subcontracted: bool = False
    # When an estimate was accepted and a deposit was paid, where the law keeps the rate of that day.
    agreed_on: date | None = Field(default=None, examples=["2025-02-20"])


class SupplyGiven(Message):
    """What somebody says of a supply; what is left out stays as it is.

    `country` and `postcode` say where it is supplied, which decides the rates; `address` is the place as it is printed.
    `works` is what is done: a purchase stays a `sale`, and a visit that only found out what to do a `diagnosis`.
    `older_dwelling`: completed more than two years ago. `fossil_heating`: it includes a boiler that can burn fossil fuel for
    heating. `energy_saving`: works that save energy. `subcontracted`: building work for a firm that was itself engaged.
    """

    country: Country | None = Field(default=None, examples=["FR"])
    postcode: Postcode | None = Field(default=None, examples=["69003"])
    address: Personal[Line] | None = Field(default=None, examples=["3 rue des Lilas, 69003 Lyon"])
    works: Works | None = Field(default=None, examples=["repair"])
    older_dwelling: bool | None = None
    fossil_heating: bool | None = None
    energy_saving: bool | None = None
    subcontracted: bool | None = None

    def changing(self, supply: Supply) -> Supply:
        """The supply with what is said here.

        Another place has another address. Where works become an installation, what is installed is to be said too.
        """
        said = self.model_dump(exclude_none=True)
        if self.works == "install" != supply.works:
            said = {"fossil_heating": supply.fossil_heating or None} | said
        moved = any(
            said.get(name, was) != was
            for name, was in supply.model_dump(include={"country", "postcode"}).items()
        )
        return supply.model_copy(update=({"address": None} if moved else {}) | said)
