"""Money that was received: counted for its invoice up to the balance; what is more is the client's credit."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.interventions.client_credit import CreditOrigin, CreditReceived
from sav_contracts.interventions.invoice import InvoiceChanged, InvoicePaid
from sav_contracts.interventions.payment import (
    PaymentChanged,
    PaymentRecorded,
    PaymentRefunded,
    PaymentStatus,
)
from sav_interventions.days import local_day
from sav_interventions.ledger import enter
from sav_interventions.lifecycle import INVOICE
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import ClientCredit, Payment

ZERO = Decimal("0.00")


class ReceivedLater(WrongField):
    field: str = "received_on"
    en = "it is still to come"
    fr = "cette date est encore à venir"


class ReceivedLongAgo(WrongField):
    field: str = "received_on"
    first: date
    en = "at most a year ago: {first} or later"
    fr = "il y a un an au plus : {first} ou après"


class CreditHeld(Conflict):
    """The money may yet be lost."""

    code = "credit_held"
    en = "The payer’s bank disputes the payment of this credit: it cannot be used until that is decided"
    fr = "La banque du payeur conteste le paiement de ce crédit : il est bloqué jusqu’à sa décision"


def day_received(given: date | None, tx: Tx) -> date:
    """The day of value; raises `ReceivedLater` where it is still to come, `ReceivedLongAgo` over a year ago.

    What is older is a slip of the pen.
    """
    today = local_day(tx.now)
    if given and given > today:
        raise ReceivedLater
    if given and given < (first := _a_year_before(today)):
        raise ReceivedLongAgo(first=first)
    return given or today


def _a_year_before(day: date) -> date:
    """The same day of the year before; of 29 February, the last day of that February."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)


def check_owed(invoice: Invoice, by: Actor) -> None:
    """Raises `IllegalMove` where it was never issued: nothing is paid for a draft."""
    if invoice.status in {"draft", "discarded"}:
        INVOICE.check(invoice.status, "paid", by)


async def receive(
    payment: Payment, invoice: Invoice, tx: Tx, by: Actor = SYSTEM, too_early_until: date | None = None
) -> None:
    """Counts a payment that has just become `captured`, enters it, and tells it."""
    owed = ZERO if invoice.status == "credited" else max(invoice.balance, ZERO)
    counted = min(payment.amount, owed)
    payment.credited = payment.amount - counted
    if counted:
        invoice.pay(counted, by)
    tx.emit(payment, PaymentRecorded(balance=max(invoice.balance, ZERO), too_early_until=too_early_until))
    if counted:
        tx.emit(invoice, (InvoicePaid if invoice.status == "paid" else InvoiceChanged)())
    if payment.credited:
        # Its payment is in the database first.
        await tx.flush()
        credit_from(payment, invoice, payment.credited, "beyond_balance", tx)
    if payment.client_credit_id is None:
        await enter(tx, "received", payment.amount, payment, invoice.client_id, payment.received_on)


async def pay_back(
    payment: Payment,
    invoice: Invoice,
    amount: Decimal,
    reason: str,
    tx: Tx,
    by: Actor = SYSTEM,
    *,
    at_provider: bool = False,
) -> None:
    """Counts a part of a payment as paid back: the invoice's balance is open again by so much.

    `at_provider`: nobody here asked for it, so managers are told.
    """
    payment.refunded += amount
    becomes: PaymentStatus = (
        "refunded" if payment.amount == payment.refunded + payment.credited else "partly_refunded"
    )
    if becomes != payment.status:
        payment.move(becomes, by)
    invoice.reopen(amount)
    tx.emit(payment, PaymentRefunded(amount=amount, reason=reason, at_provider=at_provider))
    tx.emit(invoice, InvoiceChanged())
    await enter(tx, "refunded", -amount, payment, invoice.client_id)


async def online_origin(payment: Payment, tx: Tx) -> UUID | None:
    """The payment at a provider of which the credit that paid this one was left: only there it is paid back.

    Locks the credit; raises `CreditHeld` where the payer's bank disputes that payment.
    """
    origin = await _left_of(payment, tx)
    if origin and payment.client_credit_id:
        credit = await tx.load(ClientCredit, payment.client_credit_id, SYSTEM)
        if credit.held:
            raise CreditHeld
    return origin


async def _left_of(payment: Payment, tx: Tx) -> UUID | None:
    paid_by = (
        select(Payment.id)
        .join(ClientCredit, ClientCredit.payment_id == Payment.id)
        .where(ClientCredit.id == payment.client_credit_id, Payment.charge.is_not(None))
    )
    return await tx.session.scalar(paid_by) if payment.client_credit_id else None


def give_back(payment: Payment, invoice: Invoice, amount: Decimal, origin: UUID, tx: Tx) -> None:
    """Makes a part of a payment from credit the client's credit again, left of the payment it came from.

    No money moves: it does when the credit is paid back.
    """
    payment.credited += amount
    invoice.reopen(amount)
    credit_from(payment, invoice, amount, "beyond_balance", tx, left_of=origin)
    tx.emit(payment, PaymentChanged())
    tx.emit(invoice, InvoiceChanged())


def credit_from(
    payment: Payment,
    invoice: Invoice,
    amount: Decimal,
    origin: CreditOrigin,
    tx: Tx,
    left_of: UUID | None = None,
) -> ClientCredit:
    """The client's credit that is left of a payment; `left_of`: of the one at a provider that the payment's money came from."""
    credit = tx.add(
        ClientCredit(
            id=tx.new_id(),
            client_id=invoice.client_id,
            origin=origin,
            payment_id=left_of or payment.id,
            invoice_id=invoice.id,
            invoice_number=invoice.number,
            method=payment.method,
            amount=amount,
            refunded=ZERO,
            remaining=amount,
            currency=payment.currency,
            received_on=payment.received_on,
            reference=payment.reference,
            held=False,
        )
    )
    tx.emit(credit, CreditReceived())
    return credit


async def release(invoice: Invoice, amount: Decimal, tx: Tx) -> None:
    """Makes so much of what was paid of an invoice the client's credit, the latest payment first.

    For a credit note that leaves less to pay than was paid. The caller announces the invoice.
    """
    payments = await tx.session.scalars(
        select(Payment)
        .where(
            Payment.invoice_id == invoice.id, Payment.status.in_(("captured", "partly_refunded", "disputed"))
        )
        .order_by(Payment.id)
        .with_for_update()
    )
    for payment in reversed(payments.all()):
        part = min(payment.counted, amount)
        if part:
            amount -= part
            invoice.reopen(part)
            payment.credited += part
            origin = await _left_of(payment, tx)
            credit_from(payment, invoice, part, "credit_note", tx, left_of=origin)
            tx.emit(payment, PaymentChanged())
