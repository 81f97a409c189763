"""What a client has paid and no invoice has used yet."""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.interventions.payment import PaymentMethod, PaymentView, Sum
from sav_contracts.messages import Changed, Command, Event, Line, PersonId, Reason, RecordedReason, View
from sav_contracts.money import Amount, Currency
from sav_contracts.times import Day
from sav_contracts.visibility import Own, Visible

CreditOrigin = Literal["on_account", "beyond_balance", "credit_note"]


class ClientCreditView(View):
    """A client's credit: `remaining` of `amount` may still be used for an invoice or paid back.

    It was paid on account, or was more than an invoice's balance, or was paid of an invoice that a credit note lowered.
    """

    visible: ClassVar[Visible] = Visible(client=Own("client_id"))

    client_id: PersonId
    origin: CreditOrigin = Field(examples=["on_account"])
    # The payment and the invoice from which it was left; None where it was paid on account.
    payment_id: UUID | None
    invoice_id: UUID | None
    invoice_number: str | None = Field(examples=["FAC-2026-000001"])
    method: PaymentMethod = Field(examples=["transfer"])
    amount: Amount = Field(examples=["100.00"])
    refunded: Amount = Field(examples=["0.00"])
    remaining: Amount = Field(examples=["100.00"])
    currency: Currency
    received_on: date = Field(examples=["2026-03-20"])
    reference: str | None = Field(examples=["VIR 2026-03-20 BERNARD"])
    # Whether the payer's bank disputes the payment that it comes from, and how much of `remaining` it took back: nothing of
    # it is used until that is decided.
    held: bool = False
    disputed: Amount = Field(default=Decimal("0.00"), examples=["0.00"])

    def is_open(self) -> bool:
        return self.remaining > 0

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset(root for root in (self.client_id, self.invoice_id) if root)


class RecordOnAccount(Command[ClientCreditView]):
    """Record money that a client paid before there is an invoice."""

    client_id: UUID
    method: PaymentMethod
    amount: Sum = Field(examples=["100.00"])
    # Default: today. At most a year ago.
    received_on: Day | None = None
    reference: Line | None = Field(default=None, examples=["VIR 2026-03-20 BERNARD"])
    # Whether a private payer proved that they pay their taxes abroad: then more may be paid in cash.
    payer_proved_tax_home_abroad: bool = False


class UseCredit(Command[PaymentView]):
    """Pay an invoice of the client from their credit, up to its balance."""

    client_credit_id: UUID
    invoice_id: UUID
    # Default: as much as there is, up to the balance.
    amount: Sum | None = Field(default=None, examples=["50.00"])
    # As when it was paid in cash: whether a private payer proved that they pay their taxes abroad.
    payer_proved_tax_home_abroad: bool = False


class RefundCredit(Command[ClientCreditView]):
    """Pay a client's credit back."""

    client_credit_id: UUID
    # Default: all that is left.
    amount: Sum | None = Field(default=None, examples=["50.00"])
    reason: Reason = Field(examples=["Trop-perçu."])


ClientCreditChanged = Changed[ClientCreditView]


class CreditReceived(Event[ClientCreditView]):
    """Money of a client waits for an invoice."""

    client_sees: ClassVar[bool] = True


class CreditUsed(Event[ClientCreditView]):
    """An invoice was paid from a client's credit."""

    invoice_id: UUID
    invoice_number: str = Field(examples=["FAC-2026-000001"])
    amount: Amount = Field(examples=["50.00"])


class CreditRefunded(Event[ClientCreditView]):
    """A client's credit was paid back."""

    client_sees: ClassVar[bool] = True

    amount: Amount = Field(examples=["50.00"])
    reason: RecordedReason = Field(examples=["Trop-perçu."])
    # Whether it was paid back at the payment provider, and nobody here asked for it or typed the reason.
    at_provider: bool = False
