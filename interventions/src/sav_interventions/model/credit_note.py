"""Credit notes: they correct an issued invoice, and never change themselves."""

import hashlib
from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.files import StoredFile
from sav_contracts.interventions.credit_note import CreditedLine, CreditNoteView
from sav_contracts.interventions.invoice import Buyer, DeductedDeposit, Seller
from sav_contracts.interventions.line import VatTotal
from sav_contracts.money import Currency, as_money
from sav_interventions.model.invoice import MONEY, Series


class CreditNote(Aggregate[CreditNoteView]):
    """What is given back of an issued invoice. Only its document is added later."""

    __tablename__ = "credit_note"

    invoice_id: Mapped[UUID]
    invoice_number: Mapped[str]
    invoice_issued_on: Mapped[date]
    client_id: Mapped[UUID]
    intervention_id: Mapped[UUID | None]
    reclamation_id: Mapped[UUID | None]
    reclamation_reference: Mapped[str | None]
    number: Mapped[str]
    whole: Mapped[bool]
    currency: Mapped[Currency]
    seller: Mapped[Seller] = mapped_column(JsonColumn(Seller))
    buyer: Mapped[Buyer] = mapped_column(JsonColumn(Buyer))
    issued_on: Mapped[date]
    lines: Mapped[list[CreditedLine]] = mapped_column(JsonColumn(list[CreditedLine]))
    vat: Mapped[list[VatTotal]] = mapped_column(JsonColumn(list[VatTotal]))
    net: Mapped[Decimal] = mapped_column(MONEY)
    tax: Mapped[Decimal] = mapped_column(MONEY)
    stamp: Mapped[Decimal | None] = mapped_column(MONEY)
    deposits: Mapped[list[DeductedDeposit]] = mapped_column(JsonColumn(list[DeductedDeposit]))
    deducted: Mapped[Decimal] = mapped_column(MONEY)
    reason: Mapped[str]
    document: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    hash: Mapped[str]
    previous_hash: Mapped[str]

    @property
    def total(self) -> Decimal:
        return as_money(self.net + self.tax + (self.stamp or 0))

    @property
    def amount(self) -> Decimal:
        return as_money(self.total - self.deducted)

    def issue(self, series: Series, on: date) -> None:
        """Sets its number, day and hash; it never changes from then."""
        self.number, self.issued_on = series.draw(on)
        self.previous_hash, self.hash = series.hash, self.digest(series.hash)
        series.hash = self.hash

    def digest(self, previous: str) -> str:
        """SHA-256 over the previous hash and the printed content."""
        content = [
            self.number,
            self.issued_on,
            self.invoice_number,
            self.invoice_issued_on,
            self.whole,
            self.seller,
            self.buyer,
            self.lines,
            self.vat,
            str(self.net),
            str(self.tax),
            self.currency,
            self.deposits,
            self.reason,
            self.stamp,
        ]
        return hashlib.sha256(previous.encode() + to_json(content, exclude_none=True)).hexdigest()
