"""News of payment providers: each counts once, however late or often it comes; what makes no sense any more is left."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID, uuid5

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.payment import PaymentChanged, PaymentFailed
from sav_interventions import disputes
from sav_interventions.checkouts import end_checkouts, expire_checkout
from sav_interventions.concluded import too_early_until
from sav_interventions.days import local_day
from sav_interventions.model.payment import ClientCredit, Payment, ProviderNews
from sav_interventions.online.provider import News, NewsKind
from sav_interventions.provider_receipts import (
    NOTHING_YET,
    CheckoutUnknown,
    Receipt,
    check_captured,
    follow_refunds,
    lock,
    receipt_of,
)
from sav_interventions.receipts import ZERO, receive

log = structlog.get_logger()


class AnotherCurrency(Conflict):
    """Nothing is recorded: the amount would be wrong. It stays among the provider's failed news, for a person."""

    code = "another_currency"
    given: str
    wanted: str
    en = "The payment is in {wanted}, and the news are about {given}: somebody has to look at it at the provider"
    fr = "Le paiement est en {wanted}, et la notification porte sur {given} : à vérifier chez le prestataire"


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
    receipt = await receipt_of(found, tx)
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
        await lock(payment_id, tx)


async def _named(news: News, tx: Tx) -> UUID | None:
    """The payment that news are about: by its charge; before that is known, by its own id."""
    by_charge = select(Payment.id).where(Payment.charge.in_([news.charge]))
    by_id = select(Payment.id).where(Payment.id.in_([news.payment_id]))
    return (await tx.session.scalar(by_charge)) or (await tx.session.scalar(by_id))


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
            await _TAKEN[one.kind](news, await receipt_of(id, tx), tx)
        except CheckoutUnknown:
            continue  # it waits for something else that is still to be told
        one.kind = None
        await tx.flush()


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
    check_captured(payment)
    told_first = total > payment.provider_refunded
    # What it knows is not asked of it again.
    payment.provider_refunded = max(payment.provider_refunded, total)
    # While the payer's bank disputes it, more is entered as gone already: what came back is known when that is decided.
    if payment.status != "disputed" and await follow_refunds(receipt, tx):
        return True
    if told_first:
        tx.emit(payment, PaymentChanged())
    return told_first


_TAKEN: Mapping[NewsKind, Callable[[News, Receipt, Tx], Awaitable[bool]]] = {
    "captured": _captured,
    "failed": _failed,
    "expired": _failed,
    "refunded": _refunded,
    "disputed": disputes.disputed,
    "dispute_won": disputes.won,
    "dispute_lost": disputes.lost,
}
