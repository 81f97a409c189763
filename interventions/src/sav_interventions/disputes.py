"""Disputes: a payer's bank takes a payment back, or a part of it, and decides later who keeps the money."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.client_credit import ClientCreditChanged
from sav_contracts.interventions.closing import EntryKind
from sav_contracts.interventions.invoice import InvoiceChanged, InvoicePaid
from sav_contracts.interventions.payment import DisputeClosed, PaymentDisputed, PaymentStatus
from sav_interventions.checkouts import end_checkouts, paid_back
from sav_interventions.ledger import enter
from sav_interventions.model.payment import ClientCredit, Payment
from sav_interventions.online.provider import News
from sav_interventions.provider_receipts import (
    CheckoutUnknown,
    Payer,
    Receipt,
    check_captured,
    credits_of,
    follow_refunds,
)
from sav_interventions.receipts import ZERO, credit_from


def _check_dispute_known(payment: Payment) -> None:
    """`CheckoutUnknown` where the news that the dispute began is still to come."""
    check_captured(payment)
    if payment.status in {"captured", "partly_refunded"}:
        raise CheckoutUnknown


async def disputed(news: News, receipt: Receipt, tx: Tx) -> bool:
    """The bank took so much, wherever it is by now: what counts for invoices, also from credit, is to be paid again."""
    check_captured(receipt.payment)
    parts = _parts(receipt, news.amount, _undisputed)
    if not any(parts.values()):
        return False
    gone = [payer for payer in receipt.all if parts[payer.payment.id] or payer.payment is receipt.payment]
    for payment, invoice in gone:
        part = parts[payment.id]
        if payment.status != "disputed":
            payment.move("disputed", SYSTEM)
        payment.disputed += part
        if part:
            invoice.reopen(part)
        tx.emit(payment, PaymentDisputed(amount=part))
        tx.emit(invoice, InvoiceChanged())
    for credit in receipt.credits:
        credit.disputed += parts[credit.id]
        if receipt.is_disputed(credit):
            credit.held = True
            tx.emit(credit, ClientCreditChanged())
    await _enter("disputed", {id: -part for id, part in parts.items()}, receipt, tx)
    return True


def _undisputed(one: Payment | ClientCredit) -> Decimal:
    return one.counted if isinstance(one, Payment) else one.remaining - one.disputed


def _parts(
    receipt: Receipt, amount: Decimal | None, of: Callable[[Payment | ClientCredit], Decimal]
) -> dict[UUID, Decimal]:
    """How an amount (None: all) falls on a payment, its credit and what that paid: in the order of refunds."""
    left = receipt.payment.amount if amount is None else amount
    parts: dict[UUID, Decimal] = {}
    for one in receipt.parts:
        parts[one.id] = min(left, of(one))
        left -= parts[one.id]
    return parts


async def _enter(kind: EntryKind, parts: Mapping[UUID, Decimal], receipt: Receipt, tx: Tx) -> None:
    for payment, invoice in receipt.all:
        if part := parts.get(payment.id):
            await enter(tx, kind, part, payment, invoice.client_id)
    for credit in receipt.credits:
        if part := parts.get(credit.id):
            await enter(tx, kind, part, credit, credit.client_id)


def _decided(news: News, receipt: Receipt) -> dict[UUID, Decimal]:
    """How much of each the bank decided on, which is not disputed any more; empty where nothing was.

    The payment itself stays `disputed` as long as anything that became of it is.
    """
    _check_dispute_known(receipt.payment)
    if receipt.payment.status != "disputed":
        return {}
    parts = _parts(receipt, news.amount, lambda one: one.disputed)
    for one in receipt.parts:
        one.disputed -= parts[one.id]
    ended = {receipt.payment.id} if receipt.is_decided else set()
    for credit in receipt.credits:
        if credit.held:
            ended.add(credit.id)
            credit.held = receipt.is_disputed(credit)
    return {id: part for id, part in parts.items() if part or id in ended}


def _has_ended(payment: Payment, receipt: Receipt) -> bool:
    return receipt.is_decided if payment is receipt.payment else not payment.disputed


async def won(news: News, receipt: Receipt, tx: Tx) -> bool:
    """The money came back. What the invoices do not need any more is the client's credit."""
    if not (parts := _decided(news, receipt)):
        return False
    for payment, invoice in receipt.all:
        if payment.id in parts:
            if _has_ended(payment, receipt):
                payment.move(_state_of(payment), SYSTEM)
            _count_again(Payer(payment, invoice), parts[payment.id], receipt.payment.id, tx)
    for credit in receipt.credits:
        if credit.id in parts:
            tx.emit(credit, ClientCreditChanged())
    await tx.flush()
    await _enter("reinstated", parts, receipt, tx)
    for _, invoice in receipt.all:
        await end_checkouts(invoice, tx)
    await _follow_what_was_told(receipt, tx)
    return True


async def _follow_what_was_told(receipt: Receipt, tx: Tx) -> None:
    """Enters what was paid back before a dispute, and told while it ran."""
    if receipt.is_decided:
        await follow_refunds(receipt._replace(credits=await credits_of(receipt.payment.id, tx)), tx)


def _count_again(payer: Payer, returned: Decimal, of: UUID, tx: Tx) -> None:
    """Counts what came back for its invoice, as far as that needs it; the rest is credit left of the payment `of`."""
    payment, invoice = payer
    owed = ZERO if invoice.status == "credited" else max(invoice.balance, ZERO)
    counted = min(returned, owed)
    payment.credited += returned - counted
    if counted:
        invoice.pay(counted, SYSTEM)
    tx.emit(payment, DisputeClosed(won=True, amount=returned))
    tx.emit(invoice, (InvoicePaid if counted and invoice.status == "paid" else InvoiceChanged)())
    if returned > counted:
        credit_from(payment, invoice, returned - counted, "beyond_balance", tx, left_of=of)


def _state_of(payment: Payment) -> PaymentStatus:
    """Its state by what was paid back of it."""
    if not payment.refunded:
        return "captured"
    return "partly_refunded" if payment.counted else "refunded"


async def lost(news: News, receipt: Receipt, tx: Tx) -> bool:
    """The money is lost: it was entered when the dispute began."""
    if not (parts := _decided(news, receipt)):
        return False
    for payment, _ in receipt.all:
        if payment.id in parts:
            payment.refunded += parts[payment.id]
            if _has_ended(payment, receipt):
                payment.move(_state_of(payment) if payment.counted else "refunded", SYSTEM)
            tx.emit(payment, DisputeClosed(won=False, amount=parts[payment.id]))
    for credit in receipt.credits:
        if credit.id in parts:
            credit.refunded += parts[credit.id]
            credit.remaining -= parts[credit.id]
            tx.emit(credit, ClientCreditChanged())
    if not any(_undisputed(one) for one in receipt.parts):
        # Nothing of it is asked of the provider any more.
        receipt.payment.provider_refunded = await paid_back(receipt.payment, tx)
    await _follow_what_was_told(receipt, tx)
    return True
