"""Invoices and their numbers."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Dialect, Numeric, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.law.jurisdiction import Jurisdiction
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, Base, JsonColumn
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.files import StoredFile
from sav_contracts.interventions.credit_note import PaperKind
from sav_contracts.interventions.invoice import (
    NOTHING,
    Agreed,
    Buyer,
    DeductedDeposit,
    InvoiceStatus,
    InvoiceView,
    Lack,
    Seller,
    Unestimated,
)
from sav_contracts.interventions.line import Discount, InvoiceLine, LineGiven, Supply, VatTotal
from sav_contracts.money import Currency, as_money
from sav_interventions.above_estimate import check_explained
from sav_interventions.billing import itemised
from sav_interventions.lifecycle import INVOICE

SERIES, CREDITS = "FAC", "AVO"
FIRST_SERIES: dict[PaperKind, str] = {"invoice": SERIES, "credit_note": CREDITS}
# The previous hash of the first paper ever of a kind.
GENESIS = "0" * 64


class Money(TypeDecorator[Decimal]):
    """Amounts, read back in the form in which they are hashed, whatever the scale of the column."""

    impl = Numeric(15, 3)
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else as_money(value)


MONEY = Money()


class MoreThanBalance(WrongField):
    field: str = "amount"
    balance: Decimal
    currency: str
    en = "at most the balance of {balance} {currency}"
    fr = "au plus le solde de {balance} {currency}"


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


class SupplyUnknown(Conflict):
    """Nobody has said where it was supplied; or the draft is older than what its VAT is computed from now."""

    code = "supply_unknown"
    en = "Say what was supplied and where, so that its VAT is known: complete the draft first (supply)"
    fr = "Indiquez ce qui a été fourni et où, pour que sa TVA soit connue : complétez d’abord le brouillon (supply)"


class SuppliedAbroad(Conflict):
    """The firm's law says nothing about the VAT of what is supplied there."""

    code = "supplied_abroad"
    country: str
    en = "It was supplied in {country}, whose VAT is not known here: correct the draft first (supply), or invoice it elsewhere"
    fr = "La fourniture a eu lieu dans un pays ({country}) dont la TVA n’est pas connue ici : corrigez d’abord le brouillon (supply), ou facturez-la ailleurs"


class BusinessUnnamed(Conflict):
    """An invoice to a business names it by its numbers."""

    code = "business_unnamed"
    en = "The buyer is a business without its number: give buyer_siren, or buyer_tax_number where it has no SIREN"
    fr = "L’acheteur est un professionnel sans numéro : indiquez buyer_siren, ou buyer_tax_number s’il n’a pas de SIREN"


class TaxNumberMissing(Conflict):
    """Who owes the VAT of building work instead of the firm is named by the number for it (CGI, 283, 2 nonies)."""

    code = "tax_number_missing"
    en = "The buyer owes the VAT of subcontracted work: give its VAT number (buyer_tax_number), or say that it is not subcontracted"
    fr = "L’acheteur doit la TVA des travaux sous-traités : indiquez son numéro de TVA (buyer_tax_number), ou que les travaux ne sont pas sous-traités"


class DepositsExceed(Conflict):
    """The deposits are more than the invoice that would deduct them, or than what the client agreed to pay."""

    code = "deposits_exceed"
    deposits: Decimal
    total: Decimal
    currency: str
    en = "The deposits of {deposits} {currency} are more than the total of {total} {currency}: correct the draft, or credit a deposit first"
    fr = "Les acomptes de {deposits} {currency} dépassent le total de {total} {currency} : corrigez le brouillon, ou établissez d’abord un avoir"


class MoreThanInvoiced(Conflict):
    """The deposits that an invoice deducted leave less to credit than its lines amount to."""

    code = "more_than_invoiced"
    left: Decimal
    currency: str
    en = "Less the deposits, {left} {currency} is left to credit: credit the whole, then the deposit"
    fr = "Acomptes déduits, il reste {left} {currency} à créditer : créditez la totalité, puis l’acompte"


class Series(Base):
    """The last number drawn in a series, its day, and the hash of its paper. Issuing locks the row.

    Of each kind of paper at most one series is not `over`: the one in use, which gives the numbers.
    """

    __tablename__ = "invoice_series"

    series: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[PaperKind] = mapped_column(default="invoice")
    day: Mapped[date]
    last: Mapped[int]
    hash: Mapped[str]
    over: Mapped[bool] = mapped_column(default=False)

    @classmethod
    async def in_use(cls, tx: Tx, kind: PaperKind, on: date) -> "Series":
        """The series in use, locked until the end of the transaction; made for the first paper ever."""
        first = insert(cls).values(series=FIRST_SERIES[kind], kind=kind, day=on, last=0, hash=GENESIS)
        await tx.session.execute(first.on_conflict_do_nothing())
        used = select(cls).where(~cls.over, cls.kind == kind).with_for_update()
        return (await tx.session.execute(used)).scalar_one()

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
    """What a client owes for a visit or a purchase, or the deposit for one.

    Once issued, only its status, payments, credit, reminders and document change.
    """

    __tablename__ = "invoice"
    lifecycle = INVOICE

    client_id: Mapped[UUID]
    intervention_id: Mapped[UUID | None]
    reclamation_id: Mapped[UUID | None]
    reclamation_reference: Mapped[str | None]
    order_id: Mapped[UUID | None]
    order_reference: Mapped[str | None]
    number: Mapped[str | None]
    status: Mapped[InvoiceStatus]
    currency: Mapped[Currency]
    seller: Mapped[Seller] = mapped_column(JsonColumn(Seller))
    buyer: Mapped[Buyer] = mapped_column(JsonColumn(Buyer))
    supplied_on: Mapped[date]
    issued_on: Mapped[date | None]
    issued_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    lines: Mapped[list[InvoiceLine]] = mapped_column(JsonColumn(list[InvoiceLine]))
    vat: Mapped[list[VatTotal]] = mapped_column(JsonColumn(list[VatTotal]))
    net: Mapped[Decimal] = mapped_column(MONEY)
    tax: Mapped[Decimal] = mapped_column(MONEY)
    stamp: Mapped[Decimal | None] = mapped_column(MONEY)
    discount: Mapped[Discount | None] = mapped_column(JsonColumn(Discount))
    # None on those from before it was recorded.
    supply: Mapped[Supply | None] = mapped_column(JsonColumn(Supply))
    lacks: Mapped[list[Lack]] = mapped_column(JsonColumn(list[Lack]), default=[])
    paid: Mapped[Decimal] = mapped_column(MONEY)
    deposit: Mapped[bool] = mapped_column(default=False)
    deposits: Mapped[list[DeductedDeposit]] = mapped_column(JsonColumn(list[DeductedDeposit]), default=list)
    deducted: Mapped[Decimal] = mapped_column(MONEY, default=NOTHING)
    deducted_in: Mapped[UUID | None]
    # Of a deposit: the whole that was agreed, of which it is a part.
    whole: Mapped[Decimal | None] = mapped_column(MONEY)
    credited: Mapped[Decimal] = mapped_column(MONEY, default=NOTHING)
    overdue: Mapped[bool] = mapped_column(default=False)
    reminders: Mapped[int] = mapped_column(default=0)
    # When the next timer about its due day runs; None: none is set.
    reminded_at: Mapped[datetime | None]
    # Whether a manager wrote the lines; reactions do not overwrite them then.
    edited: Mapped[bool] = mapped_column(default=False)
    agreed: Mapped[Agreed | None] = mapped_column(JsonColumn(Agreed))
    unestimated: Mapped[Unestimated | None] = mapped_column(JsonColumn(Unestimated))
    mentions: Mapped[list[str]] = mapped_column(JsonColumn(list[str]))
    document: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    hash: Mapped[str | None]
    previous_hash: Mapped[str | None]
    reason: Mapped[str | None]

    @property
    def total(self) -> Decimal:
        return as_money(self.net + self.tax + (self.stamp or 0))

    @property
    def payable(self) -> Decimal:
        """What it asks for: the total less the deposits that it deducts."""
        return as_money(self.total - (self.deducted or 0))

    @property
    def decimals_of(self) -> Currency:
        """Whose decimals its amounts have: before supplies were recorded, two were counted with in every currency."""
        return self.currency if self.supply else "EUR"

    @property
    def balance(self) -> Decimal:
        return max(self._left, NOTHING)

    @property
    def overpaid(self) -> Decimal:
        """What its client paid and was credited beyond what it asks for."""
        return max(-self._left, NOTHING)

    @property
    def _left(self) -> Decimal:
        return as_money(self.payable - self.paid - (self.credited or 0))

    def itemise(
        self,
        lines: Sequence[LineGiven | InvoiceLine],
        law: Jurisdiction,
        supply: Supply,
        discount: Discount | None = None,
    ) -> None:
        """Sets the lines and computes the totals, by the law of the day and the place of the supply."""
        made = itemised(lines, discount, supply, law)
        self.lines, self.vat, self.net, self.tax, self.stamp = made[:5]
        self.supply, self.discount = supply, discount

    def check_complete(self, by: Actor) -> None:
        """Raises where it may not be issued. Checked before the series is locked, so that a refusal blocks nobody."""
        INVOICE.check(self.status, "issued", by)
        # Not the total: a stamp alone is not owed.
        if self.net == 0:
            raise NothingToPay
        if not self.buyer.address:
            raise BuyerIncomplete
        if "siren" in self.lacks:
            raise BusinessUnnamed
        if "tax_number" in self.lacks:
            raise TaxNumberMissing
        if self.supply is None or "place" in self.lacks:
            raise SupplyUnknown
        if "place_abroad" in self.lacks:
            raise SuppliedAbroad(country=self.supply.country)
        check_explained(self)

    def deduct(self, deposits: list[DeductedDeposit]) -> None:
        """Names the deposits that were invoiced before, and takes them off; raises `DepositsExceed`."""
        self.deposits = deposits
        self.deducted = as_money(sum((deposit.total for deposit in deposits), NOTHING))
        if self.payable < 0:
            raise DepositsExceed(deposits=self.deducted, total=self.total, currency=self.currency)

    def issue(self, series: Series, on: date, mentions: list[str], due: timedelta, by: Actor) -> None:
        """Sets its number, dates, mentions and hash; what the hash covers is immutable from then.

        It is to be paid within `due`; one of which the deposits leave nothing is paid at once.
        """
        self.move("issued", by)
        self.number, self.issued_on = series.draw(on)
        self.due_on = self.issued_on + due
        self.mentions = mentions
        self.previous_hash, self.hash = series.hash, self.digest(series.hash)
        series.hash = self.hash

    def digest(self, previous: str, with_order: bool = True) -> str:
        """SHA-256 over the previous hash and the printed content: changing or removing an invoice is noticed."""
        content: list[Any] = [
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
        later = {
            "discount": self.discount,
            "stamp": self.stamp,
            "supply": self.supply,
            "deposit": self.deposit or None,
            "deposits": self.deposits or None,
            "order": self.order_reference if with_order else None,
        }
        if added := {name: value for name, value in later.items() if value is not None}:
            content.append(added)
        # What older invoices do not have is left out, also where fields are None: that keeps their hashes.
        return hashlib.sha256(previous.encode() + to_json(content, exclude_none=True)).hexdigest()

    def pay(self, amount: Decimal, by: Actor) -> None:
        """Counts money for it; raises `MoreThanBalance` where it exceeds the balance."""
        if amount > self.balance:
            raise MoreThanBalance(balance=self.balance, currency=self.currency)
        self._count(self.paid + amount, by)

    def reopen(self, amount: Decimal, by: Actor = SYSTEM) -> None:
        """Counts money for it no longer: it was paid back, or taken back by the payer's bank."""
        self._count(self.paid - amount, by)

    def _count(self, paid: Decimal, by: Actor) -> None:
        self.paid = paid
        # One that is credited stays so, whatever is paid back.
        becomes: InvoiceStatus = "paid" if self.balance == 0 else "issued" if paid == 0 else "partly_paid"
        if self.status not in {"credited", becomes}:
            self.move(becomes, by)

    def check_creditable(self, by: Actor) -> None:
        """Raises `IllegalMove` where nothing can be credited: a draft is changed or discarded."""
        INVOICE.check(self.status, "credited", by)

    def credit(self, amount: Decimal, whole: bool, by: Actor) -> None:
        """Counts a credit note. After one for all that is left the invoice is `credited`; a part may leave it paid."""
        if self.credited + amount > self.payable:
            left = self.payable - self.credited
            raise MoreThanInvoiced(left=left, currency=self.currency)
        self.credited += amount
        if whole:
            self.move("credited", by)
        else:
            self.follow_balance(by)

    def follow_balance(self, by: Actor) -> None:
        """Moves it to `paid` where nothing is left to pay."""
        if self.balance == 0 and self.status != "paid":
            self.move("paid", by)

    def discard(self, reason: str, by: Actor = SYSTEM) -> None:
        """Discards a draft; the record is kept."""
        self.move("discarded", by)
        self.reason = reason
