"""What is left of invoices; for admins alone."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from sav_contracts.messages import Event, Message, RecordedLine, View
from sav_contracts.money import Amount, Currency, Difference
from sav_contracts.visibility import NOTHING, Visible


class PartMargin(Message):
    """A billed part: what is billed for it, excluding VAT, and what it cost; None where that was not known."""

    description: RecordedLine = Field(examples=["Circulateur 25-60 (CIR-25-60)"])
    amount: Amount = Field(examples=["186.40"])
    cost: Amount | None = Field(examples=["112.00"])


class InvoiceMarginView(View):
    """What is left of an invoice when its parts are paid for, as they cost on the day when it was issued.

    `net` is what is billed, excluding VAT, without discounts and what a warranty pays; the parts cost their whole price.
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
