"""What is left of invoices; for admins alone."""

from decimal import Decimal
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from sav_contracts.messages import Changed, Event, Message, RecordedLine, View
from sav_contracts.money import Amount, Currency, Difference
from sav_contracts.visibility import NOTHING, Visible


class PartMargin(Message):
    """A billed part: what is billed for it, excluding VAT, and what it cost; None where that was not known."""

    description: RecordedLine = Field(examples=["Circulateur 25-60 (CIR-25-60)"])
    amount: Amount = Field(examples=["186.40"])
    cost: Amount | None = Field(examples=["112.00"])
    # What credit notes gave back of `amount`.
    credited: Amount = Field(default=Decimal("0.00"), examples=["0.00"])

    @property
    def is_taken_back(self) -> bool:
        """Whether all that was billed for it is credited."""
        return self.credited != 0 and self.credited == self.amount


class InvoiceMarginView(View):
    """What is left of an invoice when its parts are paid for, as they cost on the day when it was issued.

    `net` is what is billed, excluding VAT, without discounts, what a warranty pays and what was credited; the parts cost
    their whole price. A part whose line is credited as a whole is taken back, or billed anew: it counts no longer.
    """

    visible: ClassVar[Visible] = Visible(manager=NOTHING)

    invoice_id: UUID
    invoice_number: str = Field(examples=["FAC-2026-000001"])
    currency: Currency
    parts: list[PartMargin]
    net: Amount = Field(examples=["248.40"])
    cost: Amount = Field(examples=["112.00"])
    margin: Difference = Field(examples=["136.40"])
    # Parts whose cost was not known: the margin is smaller than it says.
    unknown: Annotated[int, Field(ge=0)] = 0

    @property
    def parent(self) -> UUID:
        return self.invoice_id

    def for_client(self) -> None:
        return None


class InvoiceMarginCounted(Event[InvoiceMarginView]):
    """An invoice was issued, and what is left of it is known."""

    makes_timeline_line: ClassVar[bool] = False


InvoiceMarginChanged = Changed[InvoiceMarginView]
