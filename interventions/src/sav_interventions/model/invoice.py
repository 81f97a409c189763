"""Invoices, their numbers, and what was paid of them."""

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict, Invalid
from sav_chassis.model import Aggregate, Base, Kept
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
# What the hash of the first invoice of a series stands on.
GENESIS = "0" * 64
MONEY = Numeric(12, 2)


class NothingToPay(Conflict):
    """An invoice of nothing could never be paid."""

    code = "nothing_to_pay"


class BuyerIncomplete(Conflict):
    """An invoice needs to say to whom it is addressed."""

    code = "buyer_incomplete"


class Series(Base):
    """The last number drawn in a series, on which day, and the hash of its invoice. Locked by whoever issues."""

    __tablename__ = "invoice_series"

    series: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date]
    last: Mapped[int]
    hash: Mapped[str]

    def draw(self, on: date) -> tuple[str, date]:
        """The next number and its day, which never goes back whatever the clocks say; every year begins at 1."""
        if on.year > self.day.year:
            self.last = 0
        self.day = max(on, self.day)
        self.last += 1
        return f"{self.series}-{self.day.year}-{self.last:06}", self.day


class Invoice(Aggregate):
    """What a client owes for a visit. Once issued it never changes, but for what is paid of it."""

    __tablename__ = "invoice"

    client_id: Mapped[UUID]
    intervention_id: Mapped[UUID | None]
    reclamation_id: Mapped[UUID | None]
    reclamation_reference: Mapped[str | None]
    number: Mapped[str | None]
    status: Mapped[InvoiceStatus]
    currency: Mapped[Currency]
    seller: Mapped[Seller] = mapped_column(Kept(Seller))
    buyer: Mapped[Buyer] = mapped_column(Kept(Buyer))
    supplied_on: Mapped[date]
    issued_on: Mapped[date | None]
    due_on: Mapped[date | None]
    lines: Mapped[list[InvoiceLine]] = mapped_column(Kept(list[InvoiceLine]))
    vat: Mapped[list[VatTotal]] = mapped_column(Kept(list[VatTotal]))
    net: Mapped[Decimal] = mapped_column(MONEY)
    tax: Mapped[Decimal] = mapped_column(MONEY)
    paid: Mapped[Decimal] = mapped_column(MONEY)
    # Whether a manager wrote the lines, which nothing overwrites from then on.
    edited: Mapped[bool] = mapped_column(default=False)
    mentions: Mapped[list[str]] = mapped_column(Kept(list[str]))
    document: Mapped[StoredFile | None] = mapped_column(Kept(StoredFile))
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
        """These are the lines; the totals follow, at the rates of the day of supply."""
        self.lines, self.vat = lines, vat_of(lines, self.supplied_on, law)
        self.net = net_of(lines)
        self.tax = sum((total.vat for total in self.vat), Decimal("0.00"))

    def check_complete(self, by: Actor) -> None:
        """Whether it may be issued; before the series is locked, so that a refusal holds nobody up."""
        INVOICE.check(self.status, "issued", by)
        if self.total == 0:
            raise NothingToPay("the lines amount to nothing: complete the draft first, or discard it")
        if not self.buyer.address:
            raise BuyerIncomplete("the buyer has no address: complete the draft first")

    def issue(self, series: Series, on: date, law: Jurisdiction, by: Actor) -> None:
        """Gets its number, date and hash; immutable from then."""
        self.move("issued", by)
        self.number, self.issued_on = series.draw(on)
        self.due_on = self.issued_on + timedelta(days=law.due_days)
        self.mentions = law.mentions
        self.previous_hash, self.hash = series.hash, self.digest(series.hash)
        series.hash = self.hash

    def digest(self, previous: str) -> str:
        """SHA-256 over what is on the paper and the hash before: none can be changed or taken out unnoticed."""
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
        # Fields are only ever added, and are None in older rows: left out, those keep their hash.
        return hashlib.sha256(previous.encode() + to_json(content, exclude_none=True)).hexdigest()

    def pay(self, amount: Decimal, by: Actor) -> None:
        """Counts a payment; what is more than the balance is refused."""
        becomes: InvoiceStatus = "paid" if amount == self.balance else "partly_paid"
        if becomes != self.status:
            self.move(becomes, by)
        if amount > self.balance:
            raise Invalid.field("amount", f"at most the balance of {self.balance} {self.currency}")
        self.paid += amount

    def discard(self, reason: str, by: Actor = SYSTEM) -> None:
        """Given up as a draft; it is kept."""
        self.move("discarded", by)
        self.reason = reason

    def move(self, to: InvoiceStatus, by: Actor) -> None:
        INVOICE.check(self.status, to, by)
        self.status = to

    def view(self) -> InvoiceView:
        return InvoiceView.model_validate(self, from_attributes=True)


class Payment(Aggregate):
    """What was received for an invoice."""

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

    def view(self) -> PaymentView:
        return PaymentView.model_validate(self, from_attributes=True)
