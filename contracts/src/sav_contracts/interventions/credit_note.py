"""Credit notes: what corrects an issued invoice, in whole or in part."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.files import StoredFile
from sav_contracts.interventions.invoice import (
    NOTHING,
    Buyer,
    DeductedDeposit,
    InvoiceView,
    Seller,
)
from sav_contracts.interventions.line import LineKind, VatTotal
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Message,
    PersonId,
    Reason,
    RecordedLine,
    Reference,
    View,
)
from sav_contracts.money import Amount, Currency, VatClass
from sav_contracts.visibility import Visible

# As many lines as an invoice has at most.
LineNumber = Annotated[int, Field(ge=1, le=60, examples=[2])]


class CreditGiven(Message):
    """A line of the invoice to credit. `amount`: how much of it, excluding VAT; default: all that is left of it."""

    line: LineNumber
    amount: Annotated[Amount, Field(gt=0)] | None = Field(default=None, examples=["48.90"])


class CreditedLine(Message):
    """What is credited of a line of the invoice, excluding VAT, before its share of a discount on the whole."""

    line: int = Field(examples=[2])
    kind: LineKind = Field(examples=["part"])
    description: RecordedLine = Field(examples=["Circulateur 25-60"])
    vat_class: VatClass = Field(examples=["intermediate"])
    amount: Amount = Field(examples=["48.90"])


class CreditNoteForClient(View):
    """A credit note as its client sees it. `vat` are the credited amounts by rate, the shares of a discount taken off."""

    visible: ClassVar[Visible] = Visible.with_each(InvoiceView)

    invoice_id: UUID
    invoice_number: Annotated[str, ComparedAs(Reference)] = Field(examples=["FAC-2026-000001"])
    invoice_issued_on: date = Field(examples=["2026-03-06"])
    client_id: PersonId
    intervention_id: UUID | None
    reclamation_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    number: Annotated[str, ComparedAs(Reference)] = Field(examples=["AVO-2026-000001"])
    # Whether nothing of the invoice is left after it.
    whole: bool
    currency: Currency
    seller: Seller
    buyer: Buyer
    issued_on: date = Field(examples=["2026-03-12"])
    lines: list[CreditedLine]
    vat: list[VatTotal]
    net: Amount = Field(examples=["46.45"])
    tax: Amount = Field(examples=["4.65"])
    # The duty on the invoice, where the whole is credited.
    stamp: Amount | None = Field(default=None, examples=["1.00"])
    total: Amount = Field(examples=["51.10"])
    # The deposits that the invoice deducted: they stay, so they are taken off what is credited.
    deposits: list[DeductedDeposit] = Field(default=[])
    deducted: Amount = Field(default=NOTHING, examples=["0.00"])
    # What the client owes less: the total less the deposits, including VAT.
    amount: Amount = Field(examples=["51.10"])
    reason: str = Field(examples=["Pièce reprise."])
    # The PDF, once it has been made.
    document: StoredFile | None

    @property
    def parent(self) -> UUID:
        return self.invoice_id

    def timeline_roots(self) -> frozenset[UUID]:
        named = (self.id, self.invoice_id, self.intervention_id, self.reclamation_id)
        return frozenset(root for root in named if root)


class CreditNoteView(CreditNoteForClient):
    """A credit note as managers see it. `hash` chains it to the one before it in its series."""

    hash: str = Field(examples=["4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c"])
    previous_hash: str = Field(examples=["a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6"])

    def for_client(self) -> CreditNoteForClient:
        return self.narrowed_to(CreditNoteForClient)


class CreditInvoice(Command[CreditNoteView]):
    """Credit an issued invoice: these lines, or, where none are named, all that is left of it.

    The invoice stays as it is; it is `credited` once nothing of it is left.
    """

    invoice_id: UUID
    lines: Annotated[list[CreditGiven], Field(min_length=1, max_length=60)] | None = None
    reason: Reason = Field(examples=["Pièce reprise."])


class CreditNoteIssued(Event[CreditNoteView]):
    """A credit note corrects an invoice."""

    client_sees: ClassVar[bool] = True

    # What was paid of the invoice beyond what is left of it: it is the client's credit now. Older events do not say it.
    overpaid: Amount | None = Field(default=None, examples=["51.10"])
    # The order or the estimate from which the client withdrew, where that alone is the reason: nobody typed one.
    withdrawn_from: str | None = Field(default=None, examples=["CMD-2026-000001"])


CreditNoteChanged = Changed[CreditNoteView]

# The kinds of papers that have a series of numbers of their own.
PaperKind = Literal["invoice", "credit_note"]
