"""Money that was received for invoices, and what is paid online."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.messages import (
    Changed,
    Command,
    Event,
    Line,
    Message,
    Query,
    Reason,
    RecordedLine,
    RecordedReason,
    View,
)
from sav_contracts.money import Amount, Currency
from sav_contracts.times import Day
from sav_contracts.visibility import Visible

PaymentStatus = Literal[
    "initiated", "captured", "failed", "expired", "partly_refunded", "refunded", "disputed"
]
PaymentMethod = Literal["cash", "cheque", "transfer", "card"]
# What somebody pays or gets back.
Sum = Annotated[Amount, Field(gt=0)]


class PaymentView(View):
    """Money for an invoice. `amount` is what was received, `credited` of it was more than the balance and is the
    client's credit, `refunded` was paid back, `disputed` the payer's bank took back until it is decided who keeps it.
    With `client_credit_id`, it was paid from that credit."""

    visible: ClassVar[Visible] = Visible.with_each(InvoiceView)

    invoice_id: UUID
    invoice_number: str = Field(examples=["FAC-2026-000001"])
    reclamation_id: UUID | None
    method: PaymentMethod = Field(examples=["transfer"])
    amount: Amount = Field(examples=["205.04"])
    currency: Currency
    # The day of value: when the money was received. For one that is paid online, when it was begun, until it arrives.
    received_on: date = Field(examples=["2026-03-20"])
    reference: str | None = Field(examples=["VIR 2026-03-20 BERNARD"])
    status: PaymentStatus
    credited: Amount = Field(default=Decimal("0.00"), examples=["0.00"])
    refunded: Amount = Field(default=Decimal("0.00"), examples=["0.00"])
    disputed: Amount = Field(default=Decimal("0.00"), examples=["0.00"])
    client_credit_id: UUID | None = None
    # Where it is paid online, and until when; None where it is not.
    checkout_url: str | None = Field(default=None, examples=["https://pay.example.com/c/cs_1"])
    expires_at: datetime | None = None
    # Why it failed, as the payment provider says.
    failure: RecordedLine | None = Field(default=None, examples=["card_declined"])

    @property
    def parent(self) -> UUID:
        return self.invoice_id

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset(root for root in (self.invoice_id, self.reclamation_id) if root)


class RecordPayment(Command[PaymentView]):
    """Record money that was received for an issued invoice. What exceeds its balance is the client's credit."""

    invoice_id: UUID
    method: PaymentMethod
    amount: Sum = Field(examples=["205.04"])
    # Default: today. At most a year ago.
    received_on: Day | None = None
    reference: Line | None = Field(default=None, examples=["VIR 2026-03-20 BERNARD"])
    # Whether a private payer proved that they pay their taxes abroad: then more may be paid in cash.
    payer_proved_tax_home_abroad: bool = False


class RefundPayment(Command[PaymentView]):
    """Pay money back that was received for an invoice: its balance is open again by so much."""

    payment_id: UUID
    # Default: all of it that is not paid back yet.
    amount: Sum | None = Field(default=None, examples=["20.00"])
    reason: Reason = Field(examples=["Geste commercial."])


class StartCheckout(Command[PaymentView]):
    """Begin to pay the balance of an invoice online. The answer says where; asked again, it is the same one."""

    # The provider is asked before the transaction that records it: see `Tx.without_transaction`.
    secret: ClassVar[bool] = True

    invoice_id: UUID


class NewsTaken(Message):
    """Whether the news of a payment provider changed something here; what came before, or is not ours, does not."""

    changed: bool


class TakePaymentNews(Command[NewsTaken]):
    """What the payment provider tells, as it was sent, with its signature."""

    payload: Annotated[str, Field(max_length=200_000)] = Field(
        examples=['{"type":"checkout.session.completed"}']
    )
    signature: Annotated[str, Field(max_length=1000)] = Field(examples=["t=1772528400,v1=5257a869"])


class SandboxCheckout(Message):
    """What is paid in the sandbox."""

    checkout_id: UUID
    invoice_number: str = Field(examples=["FAC-2026-000001"])
    seller: str = Field(examples=["Confort SAV"])
    amount: Amount = Field(examples=["205.04"])
    currency: Currency
    status: PaymentStatus = Field(examples=["initiated"])


class GetSandboxCheckout(Query[SandboxCheckout]):
    """What is to be paid in the sandbox, the payment provider that moves no money."""

    checkout_id: UUID


class PayInSandbox(Command[SandboxCheckout]):
    """Pay in the sandbox, fail to, or give up."""

    checkout_id: UUID
    outcome: Literal["paid", "failed", "cancelled"] = Field(examples=["paid"])


PaymentChanged = Changed[PaymentView]


class CheckoutStarted(Event[PaymentView]):
    """Somebody began to pay online."""


class PaymentRecorded(Event[PaymentView]):
    """A payment was received."""

    client_sees: ClassVar[bool] = True

    # What was left to pay of the invoice then. Older events lack it.
    balance: Amount | None = Field(default=None, examples=["0.00"])
    # Until that day the law forbids to take money for it, and it was paid online all the same: a manager decides.
    too_early_until: date | None = Field(default=None, examples=["2026-03-12"])


class PaymentFailed(Event[PaymentView]):
    """A payment online failed, or was given up: nothing was received."""

    client_sees: ClassVar[bool] = True

    reason: RecordedReason = Field(examples=["card_declined"])


class PaymentRefunded(Event[PaymentView]):
    """Money was paid back; the invoice's balance is open again by so much."""

    client_sees: ClassVar[bool] = True

    amount: Amount = Field(examples=["20.00"])
    reason: RecordedReason = Field(examples=["Geste commercial."])
    # Whether that was done at the payment provider, and not here.
    at_provider: bool = False


class PaymentDisputed(Event[PaymentView]):
    """The payer's bank took so much of the money back, and the provider asks for proof: the balance is open again."""

    amount: Amount = Field(examples=["205.04"])


class DisputeClosed(Event[PaymentView]):
    """The payer's bank decided: so much of the money came back (`won`), or is lost."""

    won: bool
    amount: Amount = Field(examples=["205.04"])
