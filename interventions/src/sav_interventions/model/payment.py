"""Payments of invoices, clients' credits, and the ledger in which every movement of money is entered."""

import hashlib
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, Base, JsonColumn
from sav_contracts.files import StoredFile
from sav_contracts.interventions.client_credit import ClientCreditView, CreditOrigin
from sav_contracts.interventions.closing import ClosingView, EntryKind, MethodTotal, Period
from sav_contracts.interventions.payment import PaymentMethod, PaymentStatus, PaymentView
from sav_contracts.money import Currency
from sav_interventions.lifecycle import PAYMENT
from sav_interventions.model.invoice import MONEY
from sav_interventions.online.provider import NewsKind


class Payment(Aggregate[PaymentView], Stateful[PaymentStatus]):
    """Money for an invoice. `amount` never changes; what is paid back of it is counted beside."""

    __tablename__ = "payment"
    lifecycle = PAYMENT

    invoice_id: Mapped[UUID]
    invoice_number: Mapped[str]
    reclamation_id: Mapped[UUID | None]
    method: Mapped[PaymentMethod]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[Currency]
    received_on: Mapped[date]
    reference: Mapped[str | None]
    status: Mapped[PaymentStatus]
    credited: Mapped[Decimal] = mapped_column(MONEY, default=Decimal("0.00"))
    refunded: Mapped[Decimal] = mapped_column(MONEY, default=Decimal("0.00"))
    disputed: Mapped[Decimal] = mapped_column(MONEY, default=Decimal("0.00"))
    client_credit_id: Mapped[UUID | None]
    checkout_url: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    # What the provider calls the checkout and the money that came of it. `provider_refunded`: what it knows as paid back.
    provider: Mapped[str | None]
    checkout: Mapped[str | None]
    charge: Mapped[str | None]
    provider_refunded: Mapped[Decimal] = mapped_column(MONEY, default=Decimal("0.00"))

    @property
    def counted(self) -> Decimal:
        """What of it counts as paid of its invoice."""
        if self.status not in {"captured", "partly_refunded", "refunded", "disputed"}:
            return Decimal("0.00")
        return self.amount - self.credited - self.refunded - self.disputed


class ClientCredit(Aggregate[ClientCreditView]):
    """What a client has paid and no invoice has used yet."""

    __tablename__ = "client_credit"

    client_id: Mapped[UUID]
    origin: Mapped[CreditOrigin]
    payment_id: Mapped[UUID | None]
    invoice_id: Mapped[UUID | None]
    invoice_number: Mapped[str | None]
    method: Mapped[PaymentMethod]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    refunded: Mapped[Decimal] = mapped_column(MONEY, default=Decimal("0.00"))
    remaining: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[Currency]
    received_on: Mapped[date]
    reference: Mapped[str | None]
    disputed: Mapped[Decimal] = mapped_column(MONEY, default=Decimal("0.00"))
    held: Mapped[bool] = mapped_column(default=False)


class Ledger(Base):
    """Where the ledger is: its last entry, the day of that, its hash, and the last closed day. Entering locks the row."""

    __tablename__ = "ledger"

    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]
    day: Mapped[date]
    hash: Mapped[str]
    closed_until: Mapped[date | None]


class Entry(Base):
    """A movement of money. It is never changed or removed, which the database refuses; another entry corrects it."""

    __tablename__ = "ledger_entry"

    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    entered_on: Mapped[date]
    received_on: Mapped[date]
    kind: Mapped[EntryKind]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[Currency]
    method: Mapped[PaymentMethod]
    client_id: Mapped[UUID]
    payment_id: Mapped[UUID | None]
    client_credit_id: Mapped[UUID | None]
    invoice_number: Mapped[str | None]
    reference: Mapped[str | None]
    previous_hash: Mapped[str]
    hash: Mapped[str]

    @property
    def content(self) -> str:
        """What its hash covers, separated by tabs; no field holds one. Amounts have three decimals."""
        return "\t".join(
            [
                str(self.number),
                self.entered_on.isoformat(),
                self.received_on.isoformat(),
                self.kind,
                f"{self.amount:.3f}",
                self.currency,
                self.method,
                str(self.client_id),
                str(self.payment_id or ""),
                str(self.client_credit_id or ""),
                self.invoice_number or "",
                self.reference or "",
            ]
        )

    def digest(self) -> str:
        """SHA-256 over the previous hash and its content: changing or removing an entry is noticed."""
        return hashlib.sha256((self.previous_hash + self.content).encode()).hexdigest()


class MissingEntries(Base):
    """Entries that were made before a restore and are not in the backup. It is a link of the ledger's chain of hashes.

    `sure` is false where nobody knew the last one: then so many numbers are left out, whether they were used or not.
    """

    __tablename__ = "ledger_missing"

    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    sure: Mapped[bool]
    # Days until this one may have been closed before the restore, with entries that are missing here.
    closed_until: Mapped[date]
    at: Mapped[datetime]
    previous_hash: Mapped[str]
    hash: Mapped[str]

    def digest(self) -> str:
        """SHA-256 over the previous hash and what is missing."""
        content = [self.first, self.last, self.sure, self.closed_until, self.at]
        return hashlib.sha256(self.previous_hash.encode() + to_json(content)).hexdigest()

    def __str__(self) -> str:
        return (
            f"entries {self.first} to {self.last} of the ledger of payments{'' if self.sure else ', if they were made'}; "
            f"days until {self.closed_until} are closed again without them"
        )


class Closing(Aggregate[ClosingView]):
    """A closed period of the ledger."""

    __tablename__ = "closing"

    period: Mapped[Period]
    first_day: Mapped[date]
    last_day: Mapped[date]
    currency: Mapped[Currency]
    entries: Mapped[int]
    received: Mapped[Decimal] = mapped_column(MONEY)
    paid_back: Mapped[Decimal] = mapped_column(MONEY)
    total: Mapped[Decimal] = mapped_column(MONEY)
    perpetual: Mapped[Decimal] = mapped_column(MONEY)
    methods: Mapped[list[MethodTotal]] = mapped_column(JsonColumn(list[MethodTotal]))
    last_entry: Mapped[int]
    ledger_hash: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str]
    archive: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    again: Mapped[bool] = mapped_column(default=False)

    @property
    def content(self) -> str:
        """What its hash covers, separated by tabs."""
        return "\t".join(
            [
                self.period,
                self.first_day.isoformat(),
                self.last_day.isoformat(),
                self.currency,
                str(self.entries),
                *(f"{sum:.3f}" for sum in (self.received, self.paid_back, self.total, self.perpetual)),
                *(f"{one.method}={one.received:.3f}-{one.paid_back:.3f}" for one in self.methods),
                str(self.last_entry),
                self.ledger_hash,
                *(["again"] if self.again else []),
            ]
        )

    def digest(self) -> str:
        """SHA-256 over the hash of the closing before and its content."""
        return hashlib.sha256((self.previous_hash + self.content).encode()).hexdigest()


class ProviderNews(Base):
    """News of a payment provider that came: each counts once.

    With `kind`, it is about a charge that was not known yet: it is taken as soon as that is.
    """

    __tablename__ = "provider_news"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[NewsKind | None]
    charge: Mapped[str | None]
    amount: Mapped[Decimal | None] = mapped_column(MONEY)
