"""Messages to clients and managers about money: paid online, paid back, disputed, on account."""

from datetime import date
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.interventions.client_credit import CreditReceived, CreditRefunded
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.payment import (
    DisputeClosed,
    PaymentDisputed,
    PaymentFailed,
    PaymentMethod,
    PaymentRecorded,
    PaymentRefunded,
    PaymentView,
)
from sav_contracts.money import Currency
from sav_notifier.message import Internal, Message, message
from sav_notifier.messages.billing import iban_of, its_payer
from sav_notifier.recipients import its_client, managers

# Why a checkout is over that nobody paid: its client knows.
GIVEN_UP = {"expired", "cancelled"}


async def _owed(payment: PaymentView, tx: Tx) -> bool:
    """Whether what is gone of a payment is owed again: its invoice stands."""
    return (await tx.view(InvoiceView, payment.invoice_id)).status != "credited"


@message("payment_failed", on=PaymentFailed, to=its_payer, category="billing", link="paper")
class NotPaid(Message):
    """The client learns that a payment online failed, and how the invoice can still be paid, with a link to it."""

    # The invoice's id; messages from before have none.
    grant_id: Internal[UUID | None] = None

    number: str
    amount: Decimal
    currency: Currency
    iban: str | None = None

    @classmethod
    async def about(cls, event: PaymentFailed, tx: Tx) -> Self | str:
        payment = event.state
        if event.reason in GIVEN_UP:
            return "the client gave it up"
        return cls(
            grant_id=payment.invoice_id,
            number=payment.invoice_number,
            amount=payment.amount,
            currency=payment.currency,
            iban=iban_of(await tx.view(InvoiceView, payment.invoice_id)),
        )

    def true_while(self, record: PaymentView) -> bool:
        return record.status == "failed"


@message("payment_refunded", on=PaymentRefunded, to=its_payer, category="billing")
class PaidBack(Message):
    """The client learns what is paid back to them, and how."""

    number: str
    amount: Decimal
    currency: Currency
    method: PaymentMethod
    reason: str | None = None
    # Whether the client owes so much again.
    owed: bool = False

    @classmethod
    async def about(cls, event: PaymentRefunded, tx: Tx) -> Self:
        payment = event.state
        return cls(
            number=payment.invoice_number,
            amount=event.amount,
            currency=payment.currency,
            method=payment.method,
            # What SAV says of it itself is in one language.
            reason=None if event.at_provider else event.reason,
            owed=await _owed(payment, tx),
        )


@message(
    "refunded_at_provider",
    on={PaymentRefunded: "tell_managers_of_refund"},
    to=managers,
    category="billing",
    since="2026-11-30",
)
class RefundedAtProvider(Message):
    """Managers learn of an invoice that is open again, since its payment was paid back and not by them."""

    number: str
    amount: Decimal
    currency: Currency
    # Whether it was paid from a credit, which came from the payment that was paid back.
    of_credit: bool

    @classmethod
    async def about(cls, event: PaymentRefunded, tx: Tx) -> Self | str:
        payment = event.state
        if not event.at_provider:
            return "a manager paid it back"
        return cls(
            number=payment.invoice_number,
            amount=event.amount,
            currency=payment.currency,
            of_credit=payment.client_credit_id is not None,
        )


@message("credit_received", on=CreditReceived, to=its_client, category="billing", lasting=True)
class OnAccount(Message):
    """The client has a receipt of what they paid before an invoice, or learns what is left of a payment."""

    number: str | None
    amount: Decimal
    currency: Currency
    method: PaymentMethod

    @classmethod
    async def about(cls, event: CreditReceived, tx: Tx) -> Self | str:
        credit = event.state
        if credit.origin == "credit_note":
            return "the message about the credit note says so, of all payments together"
        return cls(
            number=credit.invoice_number,
            amount=credit.amount,
            currency=credit.currency,
            method=credit.method,
        )


@message("credit_refunded", on=CreditRefunded, to=its_client, category="billing")
class CreditPaidBack(Message):
    """The client learns what is paid back to them of their credit."""

    amount: Decimal
    currency: Currency
    method: PaymentMethod
    # The invoice whose payment it was left of; None of money on account.
    number: str | None = None
    reason: str | None = None

    @classmethod
    async def about(cls, event: CreditRefunded, tx: Tx) -> Self:
        credit = event.state
        return cls(
            amount=event.amount,
            currency=credit.currency,
            method=credit.method,
            number=credit.invoice_number,
            # What SAV says of it itself is in one language.
            reason=None if event.at_provider else event.reason,
        )


@message(
    "payment_arrived",
    on={PaymentRecorded: "tell_managers_of_payment"},
    to=managers,
    category="billing",
    since="2026-11-30",
)
class PaymentArrived(Message):
    """Managers learn of a payment that nobody here recorded: it was made online, perhaps before it was allowed."""

    number: str
    amount: Decimal
    currency: Currency
    too_early_until: date | None = None
    client: str | None = None

    @classmethod
    async def about(cls, event: PaymentRecorded, tx: Tx) -> Self | str:
        payment = event.state
        if payment.checkout_url is None:
            return "a manager recorded it"
        [payer] = await its_payer(event, tx)
        return cls(
            number=payment.invoice_number,
            amount=payment.amount,
            currency=payment.currency,
            client=payer.name,
            too_early_until=event.too_early_until,
        )


class OfDispute(Message):
    """What every message about a dispute says of it."""

    number: str
    # What it is about of the invoice; None where all of it had become the client's credit.
    amount: Decimal | None
    currency: Currency

    @classmethod
    async def about(cls, event: Any, tx: Tx) -> Self:
        return cls.of(event)

    @classmethod
    def of(cls, event: PaymentDisputed | DisputeClosed, **facts: Any) -> Self:
        payment = event.state
        return cls(
            number=payment.invoice_number, amount=event.amount or None, currency=payment.currency, **facts
        )


@message("payment_disputed", on=PaymentDisputed, to=managers, category="billing")
class Disputed(OfDispute):
    """Managers learn that a payer's bank took money back, and that the provider waits for proof."""


@message(
    "payment_taken_back",
    on={PaymentDisputed: "tell_client_of_dispute"},
    to=its_payer,
    category="billing",
    since="2026-11-30",
)
class TakenBack(OfDispute):
    """The client learns that the payer's bank took a payment back, and what is owed again."""

    owed: bool

    @classmethod
    async def about(cls, event: PaymentDisputed, tx: Tx) -> Self:
        return cls.of(event, owed=await _owed(event.state, tx))

    def true_while(self, record: PaymentView) -> bool:
        return record.status == "disputed"


@message("dispute_closed", on=DisputeClosed, to=managers, category="billing")
class DisputeOver(OfDispute):
    """Managers learn how a dispute ended."""

    won: bool

    @classmethod
    async def about(cls, event: DisputeClosed, tx: Tx) -> Self:
        return cls.of(event, won=event.won)


@message(
    "dispute_decided",
    on={DisputeClosed: "tell_client_of_decision"},
    to=its_payer,
    category="billing",
    since="2026-11-30",
)
class DisputeDecided(OfDispute):
    """The client learns how their bank decided, and whether the payment counts again."""

    won: bool
    owed: bool

    @classmethod
    async def about(cls, event: DisputeClosed, tx: Tx) -> Self:
        return cls.of(event, won=event.won, owed=not event.won and await _owed(event.state, tx))
