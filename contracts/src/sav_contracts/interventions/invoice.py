"""Invoices and their payments."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.files import StoredFile
from sav_contracts.messages import Command, Event, Line, Message, Personal, PersonId, Reason, Scope, View
from sav_contracts.money import Amount, Currency, Percent, VatClass

InvoiceStatus = Literal["draft", "issued", "partly_paid", "paid", "credited", "discarded"]
PaymentStatus = Literal[
    "initiated", "captured", "failed", "expired", "partly_refunded", "refunded", "disputed"
]
PaymentMethod = Literal["cash", "cheque", "transfer", "card"]


class Seller(Message):
    """Who invoices: what the law wants to read about them (Code de commerce, L441-9)."""

    name: str
    address: str
    registration: str
    vat_number: str


class Buyer(Message):
    """Who is invoiced."""

    name: Personal[str]
    address: Personal[str] | None


class LineGiven(Message):
    """A line of a draft as a manager writes it."""

    kind: Literal["labour", "part", "travel", "other"]
    description: Line
    quantity: Annotated[Decimal, Field(gt=0, max_digits=9, decimal_places=2)]
    unit: Literal["hour", "piece", "km"]
    unit_price: Amount
    covered: Percent = 0
    vat_class: VatClass


class InvoiceLine(LineGiven):
    """One line: `quantity` times `unit_price`, less the share that a warranty covers, is `amount`; all excluding VAT."""

    amount: Amount


class VatTotal(Message):
    """What is taxed at one rate (in percent), and the mention that the law wants beside it."""

    vat_class: VatClass
    rate: Decimal
    base: Amount
    vat: Amount
    mention: str | None


class InvoiceForClient(View):
    """An invoice as its client sees it, from its issue on."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    intervention_id: UUID | None
    reclamation_id: UUID | None
    reclamation_reference: str | None
    # None while it is a draft: the number is drawn when it is issued.
    number: str | None
    status: InvoiceStatus
    currency: Currency
    seller: Seller
    buyer: Buyer
    supplied_on: date
    issued_on: date | None
    due_on: date | None
    lines: list[InvoiceLine]
    vat: list[VatTotal]
    net: Amount
    tax: Amount
    total: Amount
    paid: Amount
    balance: Amount
    mentions: list[str]
    # The PDF, once it is made.
    document: StoredFile | None


class InvoiceView(InvoiceForClient):
    """An invoice as managers see it. `hash` chains it to the one before it in its series."""

    hash: str | None
    previous_hash: str | None
    reason: str | None

    def for_client(self) -> InvoiceForClient | None:
        return None if self.status in {"draft", "discarded"} else self.part(InvoiceForClient)

    def is_open(self) -> bool:
        return self.status in {"draft", "issued", "partly_paid"}

    def roots(self) -> frozenset[UUID]:
        named = {self.id, self.intervention_id, self.reclamation_id}
        return frozenset(root for root in named if root)


class PaymentView(View):
    """A payment of an invoice."""

    scope: ClassVar[Scope] = Scope.CHILD

    invoice_id: UUID
    invoice_number: str
    reclamation_id: UUID | None
    method: PaymentMethod
    amount: Amount
    currency: Currency
    received_on: date
    reference: str | None
    status: PaymentStatus

    @property
    def parent(self) -> UUID:
        return self.invoice_id

    def roots(self) -> frozenset[UUID]:
        return frozenset(root for root in (self.invoice_id, self.reclamation_id) if root)


class ChangeInvoice(Command[InvoiceView]):
    """Complete a draft: its lines, or whom it is addressed to."""

    invoice_id: UUID
    lines: Annotated[list[LineGiven], Field(min_length=1, max_length=60)] | None = None
    buyer_name: Personal[Line] | None = None
    buyer_address: Personal[Line] | None = None


class DiscardInvoice(Command[InvoiceView]):
    """Give a draft up; no number is lost, and it is kept."""

    invoice_id: UUID
    reason: Reason


class IssueInvoice(Command[InvoiceView]):
    """Issue a draft: it gets its number and cannot be changed any more."""

    invoice_id: UUID


class RecordPayment(Command[PaymentView]):
    """Record what was received for an issued invoice, at most its balance."""

    invoice_id: UUID
    method: PaymentMethod
    amount: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
    # Today where it is not said.
    received_on: date | None = None
    reference: Line | None = None


class InvoiceDrafted(Event):
    """An amount outside warranty waits to be invoiced."""

    state: InvoiceView


class InvoiceChanged(Event):
    """A draft was completed, a payment counted, or the PDF made."""

    tells: ClassVar[bool] = False

    state: InvoiceView


class InvoiceDiscarded(Event):
    """A draft was given up."""

    state: InvoiceView
    reason: str


class InvoiceIssued(Event):
    """An invoice has its number; it does not change any more."""

    client_sees: ClassVar[bool] = True

    state: InvoiceView


class PaymentRecorded(Event):
    """A payment was received."""

    client_sees: ClassVar[bool] = True

    state: PaymentView


class PaymentChanged(Event):
    """What is known of a payment is shown anew."""

    tells: ClassVar[bool] = False

    state: PaymentView


class InvoicePaid(Event):
    """An invoice is paid in full."""

    client_sees: ClassVar[bool] = True

    state: InvoiceView
