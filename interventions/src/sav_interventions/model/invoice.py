"""Invoices, their numbers and their payments."""

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, Base, JsonColumn
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.files import StoredFile
from sav_contracts.interventions.invoice import (
    Buyer,
    InvoiceLine,
    InvoiceStatus,
    InvoiceView,
    PaymentMethod,
    PaymentStatus,
    PaymentView,
    Seller,
    VatTotal,
)
from sav_contracts.money import Currency
from sav_interventions.billing import net_of, vat_of
from sav_interventions.jurisdiction import Jurisdiction
from sav_interventions.lifecycle import INVOICE

SERIES = "FAC"
# The previous hash of the first invoice ever.
GENESIS = "0" * 64
MONEY = Numeric(12, 2)


class MoreThanBalance(WrongField):
    field: str = "amount"
    balance: Decimal
    currency: str
    en = "at most the balance of {balance} {currency}"
    fr = "au plus le solde de {balance} {currency}"


class NothingToPay(Conflict):
    """The total is zero: such an invoice could never be paid."""

    code = "nothing_to_pay"
    en = "The lines amount to nothing: complete the draft first, or discard it"
    fr = "Le total des lignes est nul : complétez d’abord le brouillon, ou abandonnez-le"


class BuyerIncomplete(Conflict):
    """An invoice needs its buyer's address."""

    code = "buyer_incomplete"
    en = "The buyer has no address: complete the draft first"
    fr = "L’acheteur n’a pas d’adresse : complétez d’abord le brouillon"


class Series(Base):
    """The last number drawn in a series, its day, and the hash of its invoice. Issuing locks the row.

    At most one series is not `over`: the one in use, which gives the numbers.
    """

    __tablename__ = "invoice_series"

    series: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date]
    last: Mapped[int]
    hash: Mapped[str]
    over: Mapped[bool] = mapped_column(default=False)

    def draw(self, on: date) -> tuple[str, date]:
        """The next number and its day. The day never goes back, even if clocks do; every year begins at 1."""
        if on.year > self.day.year:
            self.last = 0
        self.day = max(on, self.day)
        self.last += 1
        return f"{self.series}-{self.day.year}-{self.last:06}", self.day


class MissingNumbers(Base):
    """A gap in the numbers after a restore: issued, but not in the backup. It is a link of the chain of hashes.

    `last` is None where it is unknown, because another series was begun.
    """

    __tablename__ = "invoice_missing"

    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int | None]
    at: Mapped[datetime]
    previous_hash: Mapped[str]
    hash: Mapped[str]

    def digest(self) -> str:
        """SHA-256 over the previous hash and the missing numbers."""
        content = [self.series, self.year, self.first, self.last, self.at]
        return hashlib.sha256(self.previous_hash.encode() + to_json(content)).hexdigest()

    def __str__(self) -> str:
        first = f"{self.series}-{self.year}-{self.first:06}"
        if self.last is None:
            return f"{first} and what followed, if they were issued"
        return first if self.last == self.first else f"{first} to {self.series}-{self.year}-{self.last:06}"


class Invoice(Aggregate[InvoiceView], Stateful[InvoiceStatus]):
    """What a client owes for a visit. Once issued, only its status, payments and document change."""

    __tablename__ = "invoice"
    lifecycle = INVOICE

    client_id: Mapped[UUID]
    intervention_id: Mapped[UUID | None]
    reclamation_id: Mapped[UUID | None]
    reclamation_reference: Mapped[str | None]
    number: Mapped[str | None]
    status: Mapped[InvoiceStatus]
    currency: Mapped[Currency]
    seller: Mapped[Seller] = mapped_column(JsonColumn(Seller))
    buyer: Mapped[Buyer] = mapped_column(JsonColumn(Buyer))
    supplied_on: Mapped[date]
    issued_on: Mapped[date | None]
    due_on: Mapped[date | None]
    lines: Mapped[list[InvoiceLine]] = mapped_column(JsonColumn(list[InvoiceLine]))
    vat: Mapped[list[VatTotal]] = mapped_column(JsonColumn(list[VatTotal]))
    net: Mapped[Decimal] = mapped_column(MONEY)
    tax: Mapped[Decimal] = mapped_column(MONEY)
    paid: Mapped[Decimal] = mapped_column(MONEY)
    # Whether a manager wrote the lines; reactions do not overwrite them then.
    edited: Mapped[bool] = mapped_column(default=False)
    mentions: Mapped[list[str]] = mapped_column(JsonColumn(list[str]))
    document: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    hash: Mapped[str | None]
    previous_hash: Mapped[str | None]
    reason: Mapped[str | None]

    @property
    def total(self) -> Decimal:
        return self.net + self.tax

    @property
    def balance(self) -> Decimal:
        return self.total - self.paid

    def itemise(self, lines: list[InvoiceLine], law: Jurisdiction) -> None:
        """Sets the lines and computes the totals, at the rates of the day of supply."""
        self.lines, self.vat = lines, vat_of(lines, self.supplied_on, law)
        self.net = net_of(lines)
        self.tax = sum((total.vat for total in self.vat), Decimal("0.00"))

    def check_complete(self, by: Actor) -> None:
        """Raises where it may not be issued. Checked before the series is locked, so that a refusal blocks nobody."""
        INVOICE.check(self.status, "issued", by)
        if self.total == 0:
            raise NothingToPay
        if not self.buyer.address:
            raise BuyerIncomplete

    def issue(self, series: Series, on: date, law: Jurisdiction, by: Actor) -> None:
        """Sets its number, dates, mentions and hash; what the hash covers is immutable from then."""
        self.move("issued", by)
        self.number, self.issued_on = series.draw(on)
        self.due_on = self.issued_on + timedelta(days=law.due_days)
        self.mentions = law.mentions
        self.previous_hash, self.hash = series.hash, self.digest(series.hash)
        series.hash = self.hash

    def digest(self, previous: str) -> str:
        """SHA-256 over the previous hash and the printed content: changing or removing an invoice is noticed."""
        content = [
            self.number,
            self.issued_on,
            self.due_on,
            self.supplied_on,
            self.reclamation_reference,
            self.seller,
            self.buyer,
            self.lines,
            self.vat,
            str(self.net),
            str(self.tax),
            self.currency,
            self.mentions,
        ]
        # Fields are only added, and are None in older rows; leaving None out keeps the older hashes.
        return hashlib.sha256(previous.encode() + to_json(content, exclude_none=True)).hexdigest()

    def pay(self, amount: Decimal, by: Actor) -> None:
        """Counts a payment; raises `MoreThanBalance` where it exceeds the balance."""
        becomes: InvoiceStatus = "paid" if amount == self.balance else "partly_paid"
        if becomes != self.status:
            self.move(becomes, by)
        if amount > self.balance:
            raise MoreThanBalance(balance=self.balance, currency=self.currency)
        self.paid += amount

    def discard(self, reason: str, by: Actor = SYSTEM) -> None:
        """Discards a draft; the record is kept."""
        self.move("discarded", by)
        self.reason = reason


class Payment(Aggregate[PaymentView]):
    """A payment received for an invoice."""

    __tablename__ = "payment"

    invoice_id: Mapped[UUID]
    invoice_number: Mapped[str]
    reclamation_id: Mapped[UUID | None]
    method: Mapped[PaymentMethod]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[Currency]
    received_on: Mapped[date]
    reference: Mapped[str | None]
    status: Mapped[PaymentStatus]
