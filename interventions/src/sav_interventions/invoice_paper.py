"""What stands on the paper of an invoice, a deposit invoice or a credit note, and how its reader writes that."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sav_chassis.law.jurisdiction import Nature
from sav_chassis.written import day, money, number
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.invoice import Seller
from sav_contracts.messages import View
from sav_contracts.money import Currency, VatClass
from sav_interventions.nature import nature_of

# What a paper is, by its number in UNTDID 1001.
Code = Literal["380", "381", "386"]
UNITS: dict[str, dict[Locale, str]] = {
    "hour": {"fr": "h", "en": "h"},
    "km": {"fr": "km", "en": "km"},
    "flat": {"fr": "forfait", "en": "flat rate"},
}
# What a price is for.
EACH: dict[str, dict[Locale, str]] = UNITS | {"piece": {"fr": "pièce", "en": "piece"}, "flat": {}}
NBSP = "\N{NO-BREAK SPACE}"
# What XML 1.0 cannot express.
ILLEGIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TOWN = re.compile(r"(?P<postcode>\d{4,5}) (?P<city>\S.*)")


class Part(BaseModel):
    """Reads what it needs of a view; what a kind of view lacks has its default."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class PaperBuyer(Part):
    """Who is invoiced; of a business also its numbers."""

    name: str
    address: str | None = None
    kind: str | None = None
    siren: str | None = None
    tax_number: str | None = None

    @property
    def is_business(self) -> bool:
        return self.kind == "business"


class PaperLine(Part):
    """One line. Where `minutes` are known the amount follows from them; a line of a credit note has only its amount."""

    kind: str
    description: str
    quantity: Decimal = Decimal(1)
    unit: str = "flat"
    unit_price: Decimal | None = None
    minutes: int | None = None
    covered: int = 0
    covered_amount: Decimal | None = None
    discount: Decimal | None = None
    vat_class: VatClass
    amount: Decimal

    @property
    def gross(self) -> Decimal:
        """Before what a warranty pays and the line's discount."""
        if self.unit_price is None:
            return self.amount
        much, parts = (Decimal(self.minutes), 60) if self.minutes else (self.quantity, 1)
        # Divided last, as where the amount is computed: a third of an hour is no decimal.
        return (self.unit_price * much / parts).quantize(Decimal("0.01"), ROUND_HALF_UP)


class PaperVat(Part):
    """The amounts taxed at one rate; `base` is without the `allowance`."""

    vat_class: VatClass
    rate: Decimal
    base: Decimal
    vat: Decimal
    mention: str | None = None
    allowance: Decimal | None = None

    def plus(self, other: "PaperVat") -> "PaperVat":
        """Both together, which are taxed at the same rate."""
        mentions = dict.fromkeys(each.mention for each in (self, other) if each.mention)
        taken = [each.allowance for each in (self, other) if each.allowance is not None]
        more = {"mention": " ".join(mentions) or None, "allowance": sum(taken, Decimal(0)) if taken else None}
        return self.model_copy(update={"base": self.base + other.base, "vat": self.vat + other.vat} | more)


class PaperDiscount(Part):
    """What is taken off the whole."""

    label: str


class PaperDeposit(Part):
    """A deposit invoice that a final invoice deducts."""

    number: str
    issued_on: date
    total: Decimal


class PaperSupply(Part):
    """What was supplied, and where."""

    works: str = "repair"
    country: str = "FR"
    address: str | None = None


class InvoicePaper(Part):
    """Read from the view of an issued invoice or of a credit note (which alone has `invoice_number`)."""

    number: str
    currency: Currency
    seller: Seller
    buyer: PaperBuyer
    issued_on: date
    supplied_on: date | None = None
    due_on: date | None = None
    reclamation_reference: str | None = None
    order_reference: str | None = None
    lines: list[PaperLine]
    vat: list[PaperVat]
    discount: PaperDiscount | None = None
    stamp: Decimal | None = None
    net: Decimal
    tax: Decimal
    total: Decimal
    deposit: bool = False
    deposits: list[PaperDeposit] = []
    deducted: Decimal = Decimal("0.00")
    mentions: list[str] = []
    supply: PaperSupply | None = None
    # Of a credit note: the invoice that it corrects, and why.
    invoice_number: str | None = None
    invoice_issued_on: date | None = None
    reason: str | None = None

    @classmethod
    def of(cls, view: View) -> "InvoicePaper":
        """What stands on the paper of this invoice or credit note."""
        return cls.model_validate(view)

    @property
    def legible(self) -> "InvoicePaper":
        """The same without characters that no file may hold, which only records from before they were refused have."""
        return InvoicePaper.model_validate(_legible(self.model_dump()))

    @property
    def code(self) -> Code:
        if self.invoice_number:
            return "381"
        return "386" if self.deposit else "380"

    @property
    def payable(self) -> Decimal:
        """What it asks for, or gives back: the total without the deposits that were paid before."""
        return self.total - self.deducted

    @property
    def country(self) -> str:
        return self.supply.country if self.supply else "FR"

    @property
    def done_on(self) -> date | None:
        """When it was supplied; None of a deposit, which is asked for before (CGI, annexe II, 242 nonies A, I, 10°)."""
        return None if self.deposit else self.supplied_on

    @property
    def delivered_to(self) -> str | None:
        """Where it was supplied, if the business that is invoiced has another address."""
        there = self.supply.address if self.supply and self.buyer.is_business else None
        return there if there != self.buyer.address else None

    @property
    def on_debits(self) -> bool:
        """Whether the VAT of services to a business is due with the invoice, by the seller's choice."""
        return self.nature != "goods" and self.buyer.is_business and bool(self.seller.vat_on_debits)

    @property
    def nature(self) -> Nature:
        return nature_of(self.supply, self.lines)

    @property
    def by_rate(self) -> list[PaperVat]:
        """The totals of each rate once: overseas two classes can have the same."""
        found: dict[Decimal, PaperVat] = {}
        for total in self.vat:
            found[total.rate] = found[total.rate].plus(total) if total.rate in found else total
        return list(found.values())

    def rate_of(self, line: PaperLine) -> PaperVat:
        """The rate at which a line is taxed."""
        [found] = [total for total in self.vat if total.vat_class == line.vat_class]
        return found


def _legible(value: Any) -> Any:
    if isinstance(value, str):
        return ILLEGIBLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {name: _legible(one) for name, one in value.items()}
    return [_legible(one) for one in value] if isinstance(value, list) else value


def parted(address: str) -> tuple[str, str | None, str | None]:
    """Street, postcode and town of an address as invoices keep it, `3 rue des Lilas, 69003 Lyon`; all as street where it
    is written in another way."""
    street, comma, last = address.rpartition(", ")
    town = TOWN.fullmatch(last)
    return (street, town["postcode"], town["city"]) if comma and town else (address, None, None)


def facts(paper: InvoicePaper, locale: Locale) -> dict[str, Any]:
    """What the template prints: every amount, number and day as the reader writes it."""

    def amount(value: Decimal) -> str:
        return money(value, paper.currency, locale)

    def on(value: date | None) -> str | None:
        return day(value, locale) if value else None

    allowances = [total.allowance for total in paper.vat if total.allowance]
    return {
        "code": paper.code,
        "number": paper.number,
        "issued_on": on(paper.issued_on),
        "supplied_on": on(paper.done_on),
        "due_on": on(paper.due_on),
        "delivered_to": _two_lines(paper.delivered_to) if paper.delivered_to else None,
        "reclamation": paper.reclamation_reference,
        "order": paper.order_reference,
        "invoice": [paper.invoice_number, on(paper.invoice_issued_on)] if paper.invoice_number else None,
        "reason": paper.reason if paper.invoice_number else None,
        "seller": paper.seller.model_dump(mode="json"),
        "buyer": {"name": paper.buyer.name, "address": _two_lines(paper.buyer.address or "")}
        | {"siren": _in_threes(paper.buyer.siren), "tax_number": paper.buyer.tax_number},
        "lines": [line_facts(line, paper.rate_of(line).rate, paper.currency, locale) for line in paper.lines],
        "gross": amount(sum((line.amount for line in paper.lines), Decimal(0))),
        "discount": [paper.discount.label if paper.discount else None, amount(-sum(allowances, Decimal(0)))]
        if allowances
        else None,
        "net": amount(paper.net),
        "vat": [
            [number(total.rate, locale), amount(total.base), amount(total.vat), total.mention]
            for total in paper.by_rate
        ],
        "stamp": amount(paper.stamp) if paper.stamp else None,
        "total": amount(paper.total),
        "deposits": [[one.number, on(one.issued_on), amount(-one.total)] for one in paper.deposits],
        "payable": amount(paper.payable),
        "mentions": paper.mentions,
        "business": paper.buyer.is_business,
    }


def line_facts(line: PaperLine, rate: Decimal, currency: Currency, locale: Locale) -> dict[str, Any]:
    """What is printed of a line, also on an estimate."""
    each = "" if line.unit_price is None else EACH[line.unit].get(locale)
    return {
        "description": line.description,
        "quantity": _quantity(line, locale) if line.unit_price is not None else None,
        "unit_price": None
        if line.unit_price is None
        else money(line.unit_price, currency, locale) + (f"/{each}" if each else ""),
        "covered": number(Decimal(line.covered), locale) if line.covered else None,
        "discount": number(line.discount, locale) if line.discount else None,
        "rate": number(rate, locale),
        "amount": money(line.amount, currency, locale),
    }


def _quantity(line: PaperLine, locale: Locale) -> str:
    if line.minutes:
        hours, minutes = divmod(line.minutes, 60)
        said = [f"{hours}{NBSP}h"] * bool(hours) + [f"{minutes}{NBSP}min"] * bool(minutes)
        return NBSP.join(said)
    unit = UNITS.get(line.unit, {}).get(locale)
    if line.unit == "flat" and line.quantity == 1 and unit:
        return unit
    return number(line.quantity, locale) + (f"{NBSP}{unit}" if unit else "")


def _two_lines(address: str) -> Sequence[str]:
    """The street, then the rest: as an address stands in a window of an envelope."""
    street, comma, last = address.rpartition(", ")
    return [street, last] if comma else [address]


def _in_threes(digits: str | None) -> str | None:
    return NBSP.join(digits[at : at + 3] for at in range(0, len(digits), 3)) if digits else None
