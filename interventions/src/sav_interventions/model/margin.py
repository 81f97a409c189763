"""What is left of invoices."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.interventions.margin import InvoiceMarginView, PartMargin
from sav_contracts.money import Currency, as_money
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.invoice import MONEY, Invoice


class InvoiceMargin(Aggregate[InvoiceMarginView]):
    """What is left of an invoice when its parts are paid for, as they cost when it was issued."""

    __tablename__ = "invoice_margin"

    invoice_id: Mapped[UUID]
    invoice_number: Mapped[str]
    currency: Mapped[Currency]
    parts: Mapped[list[PartMargin]] = mapped_column(JsonColumn(list[PartMargin]))
    net: Mapped[Decimal] = mapped_column(MONEY)
    cost: Mapped[Decimal] = mapped_column(MONEY)
    margin: Mapped[Decimal] = mapped_column(MONEY)
    unknown: Mapped[int]

    def count(self, invoice: Invoice, notes: Sequence[CreditNote]) -> None:
        """Sets what is left of the invoice after all its credit notes."""
        credited: defaultdict[int, Decimal] = defaultdict(Decimal)
        for line in [line for note in notes for line in note.lines]:
            credited[line.line] += line.amount
        numbers = [number for number, line in enumerate(invoice.lines, 1) if line.kind == "part"]
        self.parts = [
            part.model_copy(update={"credited": as_money(credited[number])})
            for number, part in zip(numbers, self.parts, strict=True)
        ]
        whole = any(note.whole for note in notes)
        counted = [part for part in self.parts if not (whole or part.is_taken_back)]
        self.net = as_money(invoice.net - sum((note.net for note in notes), Decimal(0)))
        self.cost = as_money(sum((part.cost for part in counted if part.cost is not None), Decimal(0)))
        self.margin = as_money(self.net - self.cost)
        self.unknown = sum(part.cost is None for part in counted)
