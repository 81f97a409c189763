"""Technicians, their visits and reports, and the invoices that follow."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog import Coverage, Warranty
from sav_contracts.claims import Slot
from sav_contracts.files import Image, StoredFile
from sav_contracts.messages import (
    Command,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Prose,
    Reason,
    Scope,
    View,
)
from sav_contracts.money import Amount, Currency, Percent, VatClass

InterventionStatus = Literal[
    "planned",
    "accepted",
    "declined",
    "en_route",
    "on_site",
    "in_progress",
    "paused",
    "completed",
    "incomplete",
    "no_access",
    "cancelled",
]
InterventionMove = Literal[
    "accepted",
    "declined",
    "en_route",
    "on_site",
    "in_progress",
    "paused",
    "completed",
    "incomplete",
    "no_access",
    "cancelled",
]
Purpose = Literal["diagnostic", "repair", "maintenance", "install"]
# Why work stopped: for a while, or for this visit.
Cause = Literal["parts", "access", "approval", "estimate_refused", "stopped_for_safety", "other"]
ReportStatus = Literal[
    "draft", "signed", "signature_refused", "submitted", "validated", "sent_back", "archived"
]
InvoiceStatus = Literal["draft", "issued", "partly_paid", "paid", "credited", "discarded"]
PaymentStatus = Literal[
    "initiated", "captured", "failed", "expired", "partly_refunded", "refunded", "disputed"
]
PaymentMethod = Literal["cash", "cheque", "transfer", "card"]

OPEN_VISIT: frozenset[InterventionStatus] = frozenset(
    {"planned", "accepted", "en_route", "on_site", "in_progress", "paused"}
)


class TechnicianView(View):
    """A technician's card; no contacts."""

    scope: ClassVar[Scope] = Scope.ROOT

    technician_id: PersonId
    name: Personal[str]
    active: bool


class Labour(Message):
    """Work that was done, in minutes."""

    description: Line
    minutes: Annotated[int, Field(ge=1, le=1440)]


class PartUsed(Message):
    """An article that was built in, with its serial number where it has one."""

    article_id: UUID
    quantity: Annotated[int, Field(ge=1, le=999)]
    serial: Annotated[Line, Field(max_length=60)] | None = None


class PartPriced(PartUsed):
    """A part that was used, at the price it had when the work was recorded (excluding VAT)."""

    reference: str
    name: str
    unit_price: Amount
    vat_class: VatClass


class Work(Message):
    """What was found and done on a visit; `labour_rate` per hour and `travel_rate` per kilometre, excluding VAT."""

    solution: str
    labour: list[Labour]
    parts: list[PartPriced]
    travel_km: Decimal
    readings: dict[str, str]
    failed_serial: str | None
    replacement_serial: str | None
    labour_rate: Amount
    travel_rate: Amount
    currency: Currency

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.labour)


class InterventionForClient(View):
    """A visit as the client sees it: being planned, under way or over."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    technician_id: PersonId
    reclamation_id: UUID
    reclamation_reference: str
    status: InterventionStatus
    slot: Slot | None
    purpose: Purpose = "repair"
    product_id: UUID | None = None
    warranty: Warranty | None = None
    # Which visit it continues, where that one could not be completed.
    follows_id: UUID | None = None
    # When the work ended.
    done_at: datetime | None = None
    # When its report was validated.
    closed_at: datetime | None = None


class InterventionView(InterventionForClient):
    """A visit as staff see it."""

    reason: str | None
    # Which assignment of the réclamation it was planned for.
    assignment: int = 0
    cause: Cause | None = None
    work: Work | None = None

    def for_client(self) -> InterventionForClient:
        plainer: dict[str, InterventionStatus] = {"accepted": "planned", "declined": "cancelled"}
        warranty = self.warranty.for_client() if self.warranty else None
        return self.part(InterventionForClient).model_copy(
            update={"status": plainer.get(self.status, self.status), "warranty": warranty}
        )

    def is_open(self) -> bool:
        return self.status in OPEN_VISIT

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.id, self.reclamation_id} | ({self.product_id} if self.product_id else set()))


class ReportView(View):
    """The report of a visit. Its client reads it once it is validated."""

    scope: ClassVar[Scope] = Scope.CHILD

    intervention_id: UUID
    reclamation_id: UUID
    # 1, 2, … : a correction of a validated report is a new one.
    edition: int
    findings: str
    work_done: str
    recommendations: str | None
    signed_by: Personal[str] | None
    signature: StoredFile | None
    signed_at: datetime | None
    signature_refused: str | None
    status: ReportStatus
    # Why it was sent back.
    reason: str | None

    @property
    def parent(self) -> UUID:
        return self.intervention_id

    def for_client(self) -> "ReportView | None":
        return self.model_copy(update={"reason": None}) if self.status in {"validated", "archived"} else None

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.intervention_id, self.reclamation_id})


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


class MoveIntervention(Command[InterventionView]):
    """Accept, decline, be on the way, arrive, start, pause, go on, complete, or say why it could not be done."""

    intervention_id: UUID
    to: InterventionMove
    cause: Cause | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "MoveIntervention":
        if self.to in {"paused", "incomplete"} and self.cause is None:
            raise ValueError("cause: say why the work stops")
        return self


class RecordWork(Command[InterventionView]):
    """Describe what was done on a visit under way: solution, time, parts, travel, readings; again replaces it."""

    intervention_id: UUID
    solution: Prose
    labour: Annotated[list[Labour], Field(min_length=1, max_length=20)]
    parts: Annotated[list[PartUsed], Field(max_length=40, default_factory=list)]
    travel_km: Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=1)] = Decimal(0)
    readings: Annotated[dict[Line, Line], Field(max_length=30, default_factory=dict)]
    failed_serial: Annotated[Line, Field(max_length=60)] | None = None
    replacement_serial: Annotated[Line, Field(max_length=60)] | None = None


class DecideWarranty(Command[InterventionView]):
    """Decide who pays for a visit, in percent, where it is unknown or out of goodwill."""

    intervention_id: UUID
    parts: Percent
    labour: Percent
    travel: Percent
    reason: Reason


class WriteReport(Command[ReportView]):
    """Write the report of a visit, or write it again before it is submitted."""

    intervention_id: UUID
    findings: Prose
    work_done: Prose
    recommendations: Prose | None = None


class SignReport(Command[ReportView]):
    """The client signs on site, or refuses to, which is written down with the reason."""

    intervention_id: UUID
    signed_by: Personal[Line] | None = None
    signature: Image | None = None
    refused: Reason | None = None

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> "SignReport":
        if (self.refused is None) == (self.signature is None or self.signed_by is None):
            raise ValueError("signature and signed_by, or refused")
        return self


class SubmitReport(Command[ReportView]):
    """Hand the signed report in."""

    intervention_id: UUID


class ValidateReport(Command[ReportView]):
    """Validate the report: the visit is closed."""

    intervention_id: UUID


class SendBackReport(Command[ReportView]):
    """Send the report back to be completed."""

    intervention_id: UUID
    reason: Reason


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


class TechnicianChanged(Event):
    """A technician's card is new or different."""

    tells: ClassVar[bool] = False

    state: TechnicianView


class InterventionPlanned(Event):
    """A visit is planned for an assigned réclamation; it has the wanted `slot` once that is in the calendar."""

    client_sees: ClassVar[bool] = True

    state: InterventionView
    slot: Slot | None = None


class InterventionScheduled(Event):
    """The visit has a time in the calendar, or another one."""

    state: InterventionView
    slot: Slot


class InterventionChanged(Event):
    """The visit belongs to a newer assignment of the réclamation to the same technician."""

    tells: ClassVar[bool] = False

    state: InterventionView


class InterventionMoved(Event):
    """A visit changed state with no event of its own name."""

    state: InterventionView
    before: InterventionStatus
    after: InterventionStatus
    reason: str | None = None

    def for_client(self) -> "InterventionMoved | None":
        if self.after not in {"en_route", "on_site", "completed", "incomplete", "no_access", "cancelled"}:
            return None
        # What a technician told the manager is not for the client; nor is who had accepted before.
        return self.model_copy(
            update={"before": "planned" if self.before == "accepted" else self.before, "reason": None}
        )


class InterventionStarted(Event):
    """Work on site has begun."""

    client_sees: ClassVar[bool] = True

    state: InterventionView


class WorkRecorded(Event):
    """What was done on a visit is written down, or written again."""

    state: InterventionView


class WarrantyDecided(Event):
    """It was decided, by rule or by a manager, what a warranty pays of a visit; unknown asks a manager."""

    client_sees: ClassVar[bool] = True

    state: InterventionView
    decision: Coverage
    reason: str | None = None

    def for_client(self) -> "WarrantyDecided":
        return self.model_copy(update={"reason": None})


class InterventionClosed(Event):
    """The report of a visit is validated: what was done counts."""

    client_sees: ClassVar[bool] = True

    state: InterventionView
    outcome: Literal["completed", "incomplete"]
    # The visit that goes on with it, where one was planned.
    follow_up_id: UUID | None = None


class AssignmentRefused(Event):
    """The visit of the technician in `state` is already on site, so the réclamation stays with them."""

    state: InterventionView
    refused_technician_id: PersonId


class ReportChanged(Event):
    """A report was written or signed."""

    tells: ClassVar[bool] = False

    state: ReportView


class ReportSubmitted(Event):
    """A report waits for a manager."""

    state: ReportView


class ReportSentBack(Event):
    """A manager wants a report completed."""

    state: ReportView
    technician_id: PersonId
    reason: str


class ReportValidated(Event):
    """A manager validated a report; its client may read it."""

    client_sees: ClassVar[bool] = True

    state: ReportView


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
