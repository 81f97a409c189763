"""News of payment providers: each counts once, however late or often it comes; what makes no sense any more is left."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid5

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from sav_chassis.errors import Conflict, NotFound
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
from sav_interventions.concluded import too_early_until
from sav_interventions.days import local_day
from sav_interventions.ledger import enter
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import ClientCredit, Payment, ProviderNews
from sav_interventions.online.provider import News, NewsKind
from sav_interventions.receipts import ZERO, credit_from, pay_back, receive

log = structlog.get_logger()

# Why money was paid back that nobody here asked for.
AT_THE_PROVIDER = "Remboursé chez le prestataire de paiement."
# States in which no money was received.
NOTHING_YET = frozenset({"initiated", "failed", "expired"})
RECEIVED = frozenset({"captured", "partly_refunded", "refunded"})


class CheckoutUnknown(NotFound):
    """It may still be being recorded here: the provider sends its news again."""

    en = "There is no such payment here, or not yet"
    fr = "Ce paiement n’existe pas ici, ou pas encore"


class AnotherCurrency(Conflict):
    """Nothing is recorded: the amount would be wrong. It stays among the provider's failed news, for a person."""

    code = "another_currency"
    given: str
    wanted: str
    en = "The payment is in {wanted}, and the news are about {given}: somebody has to look at it at the provider"
    fr = "Le paiement est en {wanted}, et la notification porte sur {given} : à vérifier chez le prestataire"


class Payer(NamedTuple):
    """A payment with its invoice, both locked."""

    payment: Payment
    invoice: Invoice


class Receipt(NamedTuple):
    """A payment at a provider and all that became of it: the credit that was left of it, and what that paid. All locked."""

    payment: Payment
    invoice: Invoice
    credits: list[ClientCredit]
    uses: list[Payer]

    @property
    def all(self) -> list[Payer]:
        """The payment itself, and those that were made from its credit."""
        return [Payer(self.payment, self.invoice), *self.uses]


async def take(news: News, tx: Tx) -> bool:
    """Whether the news changed something. `CheckoutUnknown` where it is to come again: what it is about is not known yet."""
    if news.charge:
        # Nobody records its payment meanwhile.
        await tx.lock(f"charge {news.charge}")
    found = await _named(news, tx)
    if found is None:
        if news.payment_id:
            raise CheckoutUnknown
        # Of another program with the same account; or of a payment that is still to be told.
        kept = insert(ProviderNews).values(
            id=news.id, at=tx.now, kind=news.kind, charge=news.charge, amount=news.amount
        )
        await tx.session.execute(kept.on_conflict_do_nothing())
        return False
    once = insert(ProviderNews).values(id=news.id, at=tx.now).on_conflict_do_nothing()
    if not (await tx.session.scalars(once.returning(ProviderNews.id))).all():
        return False
    receipt = await _receipt(found, tx)
    if news.currency and news.currency != receipt.payment.currency:
        log.error("a provider tells of another currency", payment=str(found), currency=news.currency)
        raise AnotherCurrency(given=news.currency, wanted=receipt.payment.currency)
    changed = await _TAKEN[news.kind](news, receipt, tx)
    if changed and news.charge:
        await _what_came_before(news.charge, tx)
    return changed


async def lock_uses(credit_id: UUID, tx: Tx) -> None:
    """Before anything else is locked: no news of the payment that a credit was left of are taken meanwhile."""
    left_of = select(ClientCredit.payment_id).where(ClientCredit.id == credit_id)
    if payment_id := await tx.session.scalar(left_of):
        await _lock(payment_id, tx)


async def _lock(payment_id: UUID, tx: Tx) -> None:
    await tx.lock(f"what became of payment {payment_id}")


async def _named(news: News, tx: Tx) -> UUID | None:
    """The payment that news are about: by its charge; before that is known, by its own id."""
    by_charge = select(Payment.id).where(Payment.charge.in_([news.charge]))
    by_id = select(Payment.id).where(Payment.id.in_([news.payment_id]))
    return (await tx.session.scalar(by_charge)) or (await tx.session.scalar(by_id))


async def _receipt(id: UUID, tx: Tx) -> Receipt:
    """Locks, in the order of everywhere: invoices, payments, credits, each by id."""
    await _lock(id, tx)
    credits = select(ClientCredit.id).where(ClientCredit.payment_id == id)
    its = (Payment.id == id) | Payment.client_credit_id.in_(credits)
    invoices = (
        select(Invoice).where(Invoice.id.in_(select(Payment.invoice_id).where(its))).order_by(Invoice.id)
    )
    invoice = {one.id: one for one in await tx.session.scalars(invoices.with_for_update())}
    payments = await tx.session.scalars(select(Payment).where(its).order_by(Payment.id).with_for_update())
    payer = {one.id: Payer(one, invoice[one.invoice_id]) for one in payments}
    own = payer.pop(id)
    return Receipt(own.payment, own.invoice, await _credits(id, tx), list(payer.values()))


async def _credits(id: UUID, tx: Tx) -> list[ClientCredit]:
    """The credits that are left of a payment, locked, in the order of their ids."""
    query = select(ClientCredit).where(ClientCredit.payment_id == id).order_by(ClientCredit.id)
    return list(await tx.session.scalars(query.with_for_update()))


async def _what_came_before(charge: str, tx: Tx) -> None:
    """Takes what the provider told of a charge before that was known, as soon as it makes sense."""
    await tx.flush()
    id = await tx.session.scalar(select(Payment.id).where(Payment.charge == charge))
    if id is None:
        return
    early = select(ProviderNews).where(ProviderNews.charge == charge, ProviderNews.kind.is_not(None))
    # A dispute ends after it began, however they were told.
    for one in sorted(
        await tx.session.scalars(early), key=lambda one: list(_TAKEN).index(one.kind or "captured")
    ):
        assert one.kind
        news = News(id=one.id, kind=one.kind, charge=charge, amount=one.amount)
        try:
            await _TAKEN[one.kind](news, await _receipt(id, tx), tx)
        except CheckoutUnknown:
            continue  # it waits for something else that is still to be told
        one.kind = None
        await tx.flush()


def _check_captured(payment: Payment) -> None:
    """`CheckoutUnknown` where the news that it was received is still to come."""
    if payment.status in NOTHING_YET:
        raise CheckoutUnknown


def _check_dispute_known(payment: Payment) -> None:
    """`CheckoutUnknown` where the news that the dispute began is still to come."""
    _check_captured(payment)
    if payment.status in {"captured", "partly_refunded"}:
        raise CheckoutUnknown


async def _captured(news: News, receipt: Receipt, tx: Tx) -> bool:
    payment, invoice = receipt.payment, receipt.invoice
    if payment.status not in NOTHING_YET:
        if news.charge is None or news.charge == payment.charge:
            return False
        payment = _paid_again(news, payment, tx)
    payment.move("captured", SYSTEM)
    payment.amount = payment.amount if news.amount is None else news.amount
    payment.charge, payment.failure = news.charge, None
    payment.received_on = local_day(tx.now)
    tx.forget(expire_checkout, payment.id)
    await receive(payment, invoice, tx, too_early_until=await too_early_until(invoice, tx))
    await end_checkouts(invoice, tx)
    return True


def _paid_again(news: News, payment: Payment, tx: Tx) -> Payment:
    """The payment of another checkout that was opened by the same request, when its answer was lost: both were paid."""
    assert news.charge
    same = ("invoice_id", "invoice_number", "reclamation_id", "method", "amount", "currency", "reference")
    more = ("checkout_url", "expires_at", "provider")
    return tx.add(
        Payment(
            id=uuid5(payment.id, news.charge),
            received_on=local_day(tx.now),
            status="initiated",
            **{name: getattr(payment, name) for name in (*same, *more)},
        )
    )


async def _failed(news: News, receipt: Receipt, tx: Tx) -> bool:
    payment = receipt.payment
    if payment.status != "initiated" or news.checkout not in {None, payment.checkout}:
        return False
    payment.move("expired" if news.kind == "expired" else "failed", SYSTEM)
    payment.failure = news.reason or news.kind
    tx.forget(expire_checkout, payment.id)
    tx.emit(payment, PaymentFailed(reason=payment.failure))
    return True


async def _refunded(news: News, receipt: Receipt, tx: Tx) -> bool:
    payment, total = receipt.payment, news.amount or ZERO
    _check_captured(payment)
    told_first = total > payment.provider_refunded
    # What it knows is not asked of it again.
    payment.provider_refunded = max(payment.provider_refunded, total)
    # While the payer's bank disputes it, all of it is entered as gone: what came back is known when that is decided.
    if payment.status != "disputed" and await _follow_refunds(receipt, tx):
        return True
    if told_first:
        tx.emit(payment, PaymentChanged())
    return told_first


async def _follow_refunds(receipt: Receipt, tx: Tx) -> bool:
    """Enters what was paid back at the provider and not here.

    First of what counts for its invoice, then of the credit, then of what was paid from that: those invoices are open again.
    """
    left = receipt.payment.provider_refunded - await paid_back(receipt.payment, tx)
    if left <= 0:
        return False
    if not receipt.payment.counted:
        tx.emit(receipt.payment, PaymentChanged())
    for payer in receipt.all[:1]:
        left -= await _taken_back(payer, left, tx)
    for credit in receipt.credits:
        part = min(left, credit.remaining)
        if part > 0:
            left -= part
            credit.remaining -= part
            credit.refunded += part
            tx.emit(credit, CreditRefunded(amount=part, reason=AT_THE_PROVIDER))
            await enter(tx, "refunded", -part, credit, credit.client_id)
    for payer in receipt.uses:
        left -= await _taken_back(payer, left, tx)
    if left > 0:
        log.error("a provider paid back more than was left", payment=str(receipt.payment.id), more=str(left))
    return True


async def _taken_back(payer: Payer, most: Decimal, tx: Tx) -> Decimal:
    part = min(most, payer.payment.counted)
    if part > 0:
        await pay_back(payer.payment, payer.invoice, part, AT_THE_PROVIDER, tx, at_provider=True)
    return max(part, ZERO)


async def _disputed(news: News, receipt: Receipt, tx: Tx) -> bool:
    """The money is gone, wherever it is: what counts for invoices, also from credit, is to be paid again."""
    payment = receipt.payment
    _check_captured(payment)
    concerned = [payer for payer in receipt.all if payer.payment.counted]
    if payment.status not in RECEIVED or not (concerned or any(one.remaining for one in receipt.credits)):
        return False
    gone = [(payer, payer.payment.counted) for payer in concerned]
    if not payment.counted:
        gone.insert(0, (receipt.all[0], ZERO))
    for (its, invoice), counted in gone:
        its.move("disputed", SYSTEM)
        if counted:
            invoice.reopen(counted)
        tx.emit(its, PaymentDisputed(amount=counted))
        tx.emit(invoice, InvoiceChanged())
    for credit in receipt.credits:
        credit.held = True
        tx.emit(credit, ClientCreditChanged())
    for (its, invoice), counted in gone:
        if counted:
            await enter(tx, "disputed", -counted, its, invoice.client_id)
    for credit in receipt.credits:
        if credit.remaining:
            await enter(tx, "disputed", -credit.remaining, credit, credit.client_id)
    return True


async def _won(news: News, receipt: Receipt, tx: Tx) -> bool:
    """The money came back. What the invoices do not need any more is the client's credit."""
    _check_dispute_known(receipt.payment)
    if receipt.payment.status != "disputed":
        return False
    back = [
        (payer, await _count_again(payer, receipt.payment.id, tx))
        for payer in receipt.all
        if payer.payment.status == "disputed"
    ]
    held = [credit for credit in receipt.credits if credit.held]
    for credit in held:
        credit.held = False
        tx.emit(credit, ClientCreditChanged())
    await tx.flush()
    for (payment, invoice), returned in back:
        if returned:
            await enter(tx, "reinstated", returned, payment, invoice.client_id)
    for credit in held:
        if credit.remaining:
            await enter(tx, "reinstated", credit.remaining, credit, credit.client_id)
    for _, invoice in receipt.all:
        await end_checkouts(invoice, tx)
    # What was paid back before the dispute, and told while it ran.
    await _follow_refunds(receipt._replace(credits=await _credits(receipt.payment.id, tx)), tx)
    return True


async def _count_again(payer: Payer, of: UUID, tx: Tx) -> Decimal:
    """Counts what came back for its invoice, as far as that needs it; the rest is credit left of the payment `of`."""
    payment, invoice = payer
    payment.move(_state_of(payment), SYSTEM)
    returned = payment.counted
    owed = ZERO if invoice.status == "credited" else max(invoice.balance, ZERO)
    counted = min(returned, owed)
    payment.credited += returned - counted
    if counted:
        invoice.pay(counted, SYSTEM)
    tx.emit(payment, DisputeClosed(won=True, amount=returned))
    tx.emit(invoice, (InvoicePaid if counted and invoice.status == "paid" else InvoiceChanged)())
    if returned > counted:
        credit_from(payment, invoice, returned - counted, "beyond_balance", tx, left_of=of)
    return returned


def _state_of(payment: Payment) -> PaymentStatus:
    """Its state by what was paid back of it."""
    if not payment.refunded:
        return "captured"
    return "refunded" if payment.amount == payment.credited + payment.refunded else "partly_refunded"


async def _lost(news: News, receipt: Receipt, tx: Tx) -> bool:
    """The money is lost: it was entered when the dispute began."""
    _check_dispute_known(receipt.payment)
    if receipt.payment.status != "disputed":
        return False
    for payment, _ in receipt.all:
        if payment.status == "disputed":
            lost = payment.amount - payment.credited - payment.refunded
            payment.refunded += lost
            payment.move("refunded", SYSTEM)
            tx.emit(payment, DisputeClosed(won=False, amount=lost))
    for credit in [credit for credit in receipt.credits if credit.held]:
        credit.refunded += credit.remaining
        credit.remaining, credit.held = ZERO, False
        tx.emit(credit, ClientCreditChanged())
    # Nothing of it is asked of the provider any more.
    receipt.payment.provider_refunded = receipt.payment.amount
    return True


_TAKEN: Mapping[NewsKind, Callable[[News, Receipt, Tx], Awaitable[bool]]] = {
    "captured": _captured,
    "failed": _failed,
    "expired": _failed,
    "refunded": _refunded,
    "disputed": _disputed,
    "dispute_won": _won,
    "dispute_lost": _lost,
}
