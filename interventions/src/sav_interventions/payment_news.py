"""News of payment providers: each counts once, however late or often it comes; what makes no sense any more is left."""

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from sav_chassis.errors import NotFound
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.client_credit import ClientCreditChanged, CreditRefunded
from sav_contracts.interventions.invoice import InvoiceChanged, InvoicePaid
from sav_contracts.interventions.payment import (
    DisputeClosed,
    PaymentChanged,
    PaymentDisputed,
    PaymentFailed,
    PaymentStatus,
)
from sav_interventions.checkouts import end_checkouts, expire_checkout, paid_back
from sav_interventions.ledger import enter, local_day
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import ClientCredit, Payment, ProviderNews
from sav_interventions.online.provider import News, NewsKind
from sav_interventions.receipts import ZERO, credit_from, pay_back, receive

# Why money was paid back that nobody here asked for.
AT_THE_PROVIDER = "Remboursé chez le prestataire de paiement."


class CheckoutUnknown(NotFound):
    """It may still be being recorded here: the provider sends its news again."""

    en = "There is no such payment here, or not yet"
    fr = "Ce paiement n’existe pas ici, ou pas encore"


async def take(news: News, tx: Tx) -> bool:
    """Whether the news changed something. `CheckoutUnknown` where it is to come again: what it is about is not known yet."""
    which = Payment.id == news.payment_id if news.payment_id else Payment.charge == news.charge
    found = (await tx.session.execute(select(Payment.id, Payment.invoice_id).where(which))).first()
    if found is None:
        if news.payment_id is None:
            return False  # a charge of another program with the same account
        raise CheckoutUnknown
    once = insert(ProviderNews).values(id=news.id, at=tx.now).on_conflict_do_nothing()
    if not (await tx.session.scalars(once.returning(ProviderNews.id))).all():
        return False
    invoice = await tx.load(Invoice, found.invoice_id, SYSTEM)
    payment = await tx.load(Payment, found.id, SYSTEM)
    return await _TAKEN[news.kind](news, payment, invoice, tx)


def _check_captured(payment: Payment) -> None:
    """`CheckoutUnknown` where the news that it was received is still to come."""
    if payment.status in {"initiated", "failed", "expired"}:
        raise CheckoutUnknown


def _check_dispute_known(payment: Payment) -> None:
    """`CheckoutUnknown` where the news that the dispute began is still to come."""
    _check_captured(payment)
    if payment.status in {"captured", "partly_refunded"}:
        raise CheckoutUnknown


async def _captured(news: News, payment: Payment, invoice: Invoice, tx: Tx) -> bool:
    if payment.status not in {"initiated", "failed", "expired"}:
        return False
    payment.move("captured", SYSTEM)
    payment.amount = payment.amount if news.amount is None else news.amount
    payment.charge, payment.failure = news.charge, None
    payment.received_on = local_day(tx.now)
    tx.forget(expire_checkout, payment.id)
    await receive(payment, invoice, tx)
    await end_checkouts(invoice, tx)
    return True


async def _failed(news: News, payment: Payment, invoice: Invoice, tx: Tx) -> bool:
    if payment.status != "initiated" or news.checkout not in {None, payment.checkout}:
        return False
    payment.move("expired" if news.kind == "expired" else "failed", SYSTEM)
    payment.failure = news.reason or news.kind
    tx.forget(expire_checkout, payment.id)
    tx.emit(payment, PaymentFailed(reason=payment.failure))
    return True


async def _refunded(news: News, payment: Payment, invoice: Invoice, tx: Tx) -> bool:
    """Enters what was paid back at the provider and not here: of what counts for the invoice first, then of the credit."""
    _check_captured(payment)
    total = news.amount or ZERO
    unknown = total - await paid_back(payment, tx)
    told_first = total > payment.provider_refunded
    # What it knows is not asked of it again.
    payment.provider_refunded = max(payment.provider_refunded, total)
    if unknown <= 0 or payment.status not in {"captured", "partly_refunded"}:
        if told_first:
            tx.emit(payment, PaymentChanged())
        return told_first
    of_invoice = min(unknown, payment.counted)
    # Locked before the ledger, as where a credit is paid back.
    credits = await _credits(payment, tx)
    if of_invoice:
        await pay_back(payment, invoice, of_invoice, AT_THE_PROVIDER, tx)
    for credit in credits:
        part = min(unknown - of_invoice, credit.remaining)
        if part > 0:
            of_invoice += part
            credit.remaining -= part
            credit.refunded += part
            tx.emit(credit, CreditRefunded(amount=part, reason=AT_THE_PROVIDER))
            await enter(tx, "refunded", -part, credit, credit.client_id)
    return True


async def _disputed(news: News, payment: Payment, invoice: Invoice, tx: Tx) -> bool:
    _check_captured(payment)
    if payment.status not in {"captured", "partly_refunded"}:
        return False
    counted = payment.counted
    payment.move("disputed", SYSTEM)
    if counted:
        invoice.reopen(counted)
    tx.emit(payment, PaymentDisputed(amount=counted))
    tx.emit(invoice, InvoiceChanged())
    held = await _credits(payment, tx)
    for credit in held:
        credit.held = True
        tx.emit(credit, ClientCreditChanged())
    if counted:
        await enter(tx, "disputed", -counted, payment, invoice.client_id)
    for credit in held:
        if credit.remaining:
            await enter(tx, "disputed", -credit.remaining, credit, credit.client_id)
    return True


async def _won(news: News, payment: Payment, invoice: Invoice, tx: Tx) -> bool:
    """The money came back. What the invoice does not need any more is the client's credit."""
    _check_dispute_known(payment)
    if payment.status != "disputed":
        return False
    back: PaymentStatus = "partly_refunded" if payment.refunded else "captured"
    payment.move(back, SYSTEM)
    returned = payment.counted
    owed = ZERO if invoice.status == "credited" else max(invoice.balance, ZERO)
    counted = min(returned, owed)
    payment.credited += returned - counted
    if counted:
        invoice.pay(counted, SYSTEM)
    tx.emit(payment, DisputeClosed(won=True, amount=returned))
    tx.emit(invoice, (InvoicePaid if counted and invoice.status == "paid" else InvoiceChanged)())
    held = [credit for credit in await _credits(payment, tx) if credit.held]
    for credit in held:
        credit.held = False
        tx.emit(credit, ClientCreditChanged())
    if returned > counted:
        credit_from(payment, invoice, returned - counted, "beyond_balance", tx)
    if returned:
        await enter(tx, "reinstated", returned, payment, invoice.client_id)
    for credit in held:
        if credit.remaining:
            await enter(tx, "reinstated", credit.remaining, credit, credit.client_id)
    await end_checkouts(invoice, tx)
    return True


async def _lost(news: News, payment: Payment, invoice: Invoice, tx: Tx) -> bool:
    """The money is lost: it was entered when the dispute began."""
    _check_dispute_known(payment)
    if payment.status != "disputed":
        return False
    lost = payment.amount - payment.credited - payment.refunded
    payment.refunded += lost
    payment.provider_refunded = max(payment.provider_refunded, payment.refunded)
    payment.move("refunded", SYSTEM)
    tx.emit(payment, DisputeClosed(won=False, amount=lost))
    for credit in [credit for credit in await _credits(payment, tx) if credit.held]:
        credit.refunded += credit.remaining
        credit.remaining, credit.held = ZERO, False
        tx.emit(credit, ClientCreditChanged())
    return True


async def _credits(payment: Payment, tx: Tx) -> list[ClientCredit]:
    """The credits that are left of a payment, locked, in the order of their ids."""
    found = await tx.session.scalars(
        select(ClientCredit)
        .where(ClientCredit.payment_id == payment.id)
        .order_by(ClientCredit.id)
        .with_for_update()
    )
    return list(found.all())


_TAKEN: Mapping[NewsKind, Callable[[News, Payment, Invoice, Tx], Awaitable[bool]]] = {
    "captured": _captured,
    "failed": _failed,
    "expired": _failed,
    "refunded": _refunded,
    "disputed": _disputed,
    "dispute_won": _won,
    "dispute_lost": _lost,
}
