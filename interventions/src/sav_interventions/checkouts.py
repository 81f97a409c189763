"""Checkouts: ended when their time is over or less is owed; what the provider is asked for after the commit."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select

from sav_chassis.tx import EffectRun, Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.payment import PaymentChanged, PaymentFailed
from sav_contracts.money import Currency
from sav_interventions.app import interventions
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import ClientCredit, Entry, Payment
from sav_interventions.online.chosen import asked
from sav_interventions.online.provider import Provider

# How long a checkout may be paid at most, and the steps in which its end is set.
OPEN_FOR = timedelta(hours=1)
STEP = timedelta(minutes=15)
EXPIRED = "expired"


def expires_at(now: datetime) -> datetime:
    """When a checkout ends that is begun now; begun again soon after, it is the same request to the provider."""
    latest = now + OPEN_FOR
    return latest - (latest - datetime.min.replace(tzinfo=latest.tzinfo)) % STEP


async def end_checkouts(invoice: Invoice, tx: Tx, *, whatever_they_ask: bool = False) -> None:
    """Ends the checkouts of an invoice that ask for more than its balance, which has just changed; or all."""
    for payment in await open_checkouts(invoice, tx):
        if whatever_they_ask or payment.amount > invoice.balance or invoice.status == "credited":
            payment.move("expired", SYSTEM)
            tx.emit(payment, PaymentChanged())
            tx.forget(expire_checkout, payment.id)
            tx.later(end_checkout, payment.id)


async def open_checkouts(invoice: Invoice, tx: Tx) -> list[Payment]:
    """The checkouts of an invoice that may still be paid, locked, in the order of their ids."""
    found = await tx.session.scalars(
        select(Payment)
        .where(Payment.invoice_id == invoice.id, Payment.status == "initiated")
        .order_by(Payment.id)
        .with_for_update()
    )
    return list(found.all())


@interventions.timer
async def expire_checkout(id: UUID, tx: Tx) -> str | None:
    """Gives a checkout up that nobody paid in time. If it is paid all the same, the provider says so."""
    payment = await tx.load(Payment, id, SYSTEM)
    if payment.status != "initiated":
        return f"obsolete: it is {payment.status}"
    payment.move("expired", SYSTEM)
    payment.failure = EXPIRED
    tx.emit(payment, PaymentFailed(reason=EXPIRED))
    tx.later(end_checkout, id)
    return None


@interventions.effect
async def end_checkout(id: UUID, run: EffectRun) -> None:
    """Asks the provider to end a checkout that is over here."""
    async with run() as tx:
        payment = await tx.read(Payment, id, SYSTEM)
        checkout, theirs = payment.checkout, asked(tx.settings, payment.provider)
    if checkout and theirs:
        await theirs.end(checkout)


class Due(NamedTuple):
    """A refund that is entered here and that the provider does not know yet."""

    theirs: Provider
    charge: str
    currency: Currency
    amount: Decimal
    # All that was paid back before it.
    before: Decimal


@interventions.effect
async def refund_online(id: UUID, run: EffectRun) -> None:
    """Asks the provider for each refund that is entered here and that it does not know yet.

    Each has a key of its own, so that one whose answer was lost is not paid twice, whatever is paid back after it.
    """
    while due := await _due(id, run):
        await due.theirs.refund(due.charge, due.amount, due.currency, f"{id}-{due.before:.3f}")
        async with run() as tx:
            payment = await tx.load(Payment, id, SYSTEM)
            if payment.provider_refunded < due.before + due.amount:
                payment.provider_refunded = due.before + due.amount
                tx.emit(payment, PaymentChanged())


async def _due(id: UUID, run: EffectRun) -> Due | None:
    async with run() as tx:
        payment = await tx.read(Payment, id, SYSTEM)
        theirs = asked(tx.settings, payment.provider)
        refunds = await _refunds(payment, tx)
    before = Decimal(0)
    for amount in refunds:
        if theirs and payment.charge and before + amount > payment.provider_refunded:
            return Due(theirs, payment.charge, payment.currency, amount, before)
        before += amount
    return None


async def _refunds(payment: Payment, tx: Tx) -> list[Decimal]:
    """What was paid back of a payment, of the credit that was left of it and of what that paid, in the order of the ledger."""
    credits = select(ClientCredit.id).where(ClientCredit.payment_id == payment.id)
    uses = select(Payment.id).where(Payment.client_credit_id.in_(credits))
    of_it = or_(
        Entry.payment_id == payment.id, Entry.payment_id.in_(uses), Entry.client_credit_id.in_(credits)
    )
    found = await tx.session.scalars(
        select(Entry.amount).where(Entry.kind == "refunded", of_it).order_by(Entry.number)
    )
    return [-amount for amount in found.all()]


async def paid_back(payment: Payment, tx: Tx) -> Decimal:
    """All that was paid back of a payment, of its credit and of what that paid; not what its bank took back."""
    return sum(await _refunds(payment, tx), Decimal(0))
