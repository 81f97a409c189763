"""Invoices and their payments."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.files import StoredFile
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Reason,
    RecordedLine,
    Reference,
    View,
)
from sav_contracts.money import Amount, Currency, Percent, VatClass, decimal_places
from sav_contracts.times import Day
from sav_contracts.visibility import Own, Visible

InvoiceStatus = Literal["draft", "issued", "partly_paid", "paid", "credited", "discarded"]
PaymentStatus = Literal[
    "initiated", "captured", "failed", "expired", "partly_refunded", "refunded", "disputed"
]
PaymentMethod = Literal["cash", "cheque", "transfer", "card"]


class Seller(Message):
    """Who issues an invoice, with the data that the law requires (Code de commerce, L441-9)."""

    name: str = Field(examples=["Confort SAV"])
    address: str = Field(examples=["12 avenue Berthelot, 69007 Lyon"])
    registration: str = Field(examples=["RCS Lyon 123 456 789"])
    vat_number: str = Field(examples=["FR12123456789"])


DEMONSTRATION = Seller(
    name="SAV Démonstration SARL",
    address="1 rue de l'Exemple, 75001 Paris",
    registration="SIREN 000 000 000",
    vat_number="FR00000000000",
)


class Buyer(Message):
    """Who is invoiced."""

    name: Personal[str] = Field(examples=["Léa Bernard"])
    address: Personal[str] | None = Field(examples=["3 rue des Lilas, 69003 Lyon"])


class LineRecorded(Message):
    """The text of an invoice's line, as recorded."""

    kind: Literal["labour", "part", "travel", "other"] = Field(examples=["part"])
    description: RecordedLine = Field(examples=["Circulateur 25-60"])
    quantity: Annotated[Decimal, Field(gt=0, max_digits=9, decimal_places=2)]
    unit: Literal["hour", "piece", "km"] = Field(examples=["piece"])
    unit_price: Amount = Field(examples=["186.40"])
    covered: Percent = 0
    vat_class: VatClass = Field(examples=["intermediate"])


class LineGiven(LineRecorded):
    """A line of a draft as a manager writes it."""

    description: Line = Field(examples=["Circulateur 25-60"])


class InvoiceLine(LineRecorded):
    """One line. `amount` is `quantity` times `unit_price`, less the share that a warranty pays; all excluding VAT."""

    amount: Amount = Field(examples=["186.40"])


class VatTotal(Message):
    """The amounts taxed at one rate (in percent), and the mention that the law requires."""

    vat_class: VatClass = Field(examples=["intermediate"])
    rate: Decimal = Field(examples=["10"])
    base: Amount = Field(examples=["186.40"])
    vat: Amount = Field(examples=["18.64"])
    mention: str | None = Field(
        examples=["Travaux dans un logement achevé depuis plus de deux ans (CGI, art. 279-0 bis)."]
    )


class InvoiceForClient(View):
    """An issued invoice as its client sees it."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"))

    client_id: PersonId
    intervention_id: UUID | None
    reclamation_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    # None while it is a draft: issuing it draws the number.
    number: Annotated[str | None, ComparedAs(Reference)] = Field(examples=["FAC-2026-000001"])
    status: InvoiceStatus
    currency: Currency
    seller: Seller
    buyer: Buyer
    supplied_on: date = Field(examples=["2026-03-05"])
    issued_on: date | None = Field(examples=["2026-03-06"])
    due_on: date | None = Field(examples=["2026-04-05"])
    lines: list[InvoiceLine]
    vat: list[VatTotal]
    net: Amount = Field(examples=["186.40"])
    tax: Amount = Field(examples=["18.64"])
    total: Amount = Field(examples=["205.04"])
    paid: Amount = Field(examples=["0.00"])
    balance: Amount = Field(examples=["205.04"])
    mentions: list[str] = Field(examples=[["Pas d'escompte pour paiement anticipé."]])
    # The PDF, once it has been made.
    document: StoredFile | None


class InvoiceView(InvoiceForClient):
    """An invoice as managers see it. `hash` chains it to the one before it in its series."""

    hash: str | None = Field(examples=["4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c4be19f3c"])
    previous_hash: str | None = Field(
        examples=["a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6a07d52e6"]
    )
    reason: str | None = Field(examples=["Geste commercial."])

    def for_client(self) -> InvoiceForClient | None:
        return None if self.status in {"draft", "discarded"} else self.narrowed_to(InvoiceForClient)

    def is_open(self) -> bool:
        return self.status in {"draft", "issued", "partly_paid"}

    def timeline_roots(self) -> frozenset[UUID]:
        named = {self.id, self.intervention_id, self.reclamation_id}
        return frozenset(root for root in named if root)


class PaymentView(View):
    """A payment of an invoice."""

    visible: ClassVar[Visible] = Visible.with_each(InvoiceView)

    invoice_id: UUID
    invoice_number: str = Field(examples=["FAC-2026-000001"])
    reclamation_id: UUID | None
    method: PaymentMethod = Field(examples=["transfer"])
    amount: Amount = Field(examples=["205.04"])
    currency: Currency
    received_on: date = Field(examples=["2026-03-20"])
    reference: str | None = Field(examples=["VIR 2026-03-20 BERNARD"])
    status: PaymentStatus

    @property
    def parent(self) -> UUID:
        return self.invoice_id

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset(root for root in (self.invoice_id, self.reclamation_id) if root)


class ChangeInvoice(Command[InvoiceView]):
    """Complete a draft: its lines, or its buyer."""

    invoice_id: UUID
    lines: Annotated[list[LineGiven], Field(min_length=1, max_length=60)] | None = None
    buyer_name: Personal[Line] | None = Field(default=None, examples=["Léa Bernard"])
    buyer_address: Personal[Line] | None = Field(default=None, examples=["3 rue des Lilas, 69003 Lyon"])


class DiscardInvoice(Command[InvoiceView]):
    """Discard a draft. It is kept, and no number is lost."""

    invoice_id: UUID
    reason: Reason = Field(examples=["Geste commercial."])


class IssueInvoice(Command[InvoiceView]):
    """Issue a draft: it gets its number and can no longer be changed."""

    invoice_id: UUID


class RecordPayment(Command[PaymentView]):
    """Record a payment for an issued invoice, up to its balance."""

    invoice_id: UUID
    method: PaymentMethod
    amount: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2), decimal_places(2)] = Field(
        examples=["205.04"]
    )
    # Default: today.
    received_on: Day | None = None
    reference: Line | None = Field(default=None, examples=["VIR 2026-03-20 BERNARD"])


class InvoiceDrafted(Event[InvoiceView]):
    """An amount that no warranty pays waits to be invoiced."""


InvoiceChanged = Changed[InvoiceView]


class InvoiceDiscarded(Event[InvoiceView]):
    """A draft was discarded."""

    reason: str = Field(examples=["Geste commercial."])


class InvoiceIssued(Event[InvoiceView]):
    """An invoice got its number and no longer changes."""

    client_sees: ClassVar[bool] = True


class PaymentRecorded(Event[PaymentView]):
    """A payment was received."""

    client_sees: ClassVar[bool] = True


class InvoicePaid(Event[InvoiceView]):
    """An invoice is paid in full."""

    client_sees: ClassVar[bool] = True
