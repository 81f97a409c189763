"""Paying online: a client begins, the payment provider says what came of it."""

from uuid import uuid5

from sqlalchemy import func, select

from sav_chassis.errors import Conflict, NoSuch
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.payment import (
    CheckoutStarted,
    GetSandboxCheckout,
    NewsTaken,
    PayInSandbox,
    SandboxCheckout,
    StartCheckout,
    TakePaymentNews,
)
from sav_contracts.labels import label
from sav_interventions.app import interventions
from sav_interventions.checkouts import expire_checkout, expires_at, open_checkouts
from sav_interventions.concluded import check_payable
from sav_interventions.days import local_day
from sav_interventions.deposits import check_still_owed
from sav_interventions.lifecycle import INVOICE
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import Payment
from sav_interventions.online.chosen import provider, sandbox
from sav_interventions.online.provider import NewsKind, OpenCheckout, ToPay
from sav_interventions.online.sandbox import SandboxNews
from sav_interventions.payment_news import take
from sav_interventions.settings import billing


class BalanceChanged(Conflict):
    """The invoice was paid or credited in part while its payment was begun."""

    code = "balance_changed"
    en = "The balance has just changed: begin again"
    fr = "Le solde vient de changer : recommencez"


class NothingLeftToPay(Conflict):
    """The invoice is paid or credited: a payment online is not begun."""

    code = "nothing_left_to_pay"
    en = "Nothing is left to pay of this invoice"
    fr = "Il ne reste rien à payer sur cette facture"


@interventions.command(StartCheckout)
async def start_checkout(cmd: StartCheckout, tx: Tx, by: Actor) -> Payment:
    """Begin to pay the balance of an invoice online; the checkout that is open already, if there is one."""
    invoice = await tx.read(Invoice, cmd.invoice_id, by)
    if invoice.status in {"paid", "credited"}:
        raise NothingLeftToPay
    INVOICE.check(invoice.status, "paid", SYSTEM)
    theirs = provider(tx.settings)
    await check_payable(invoice.intervention_id, tx, deposit=invoice.deposit)
    if invoice.deposit:
        await check_still_owed(invoice, tx)
    if begun := await _begun(invoice, tx):
        return begun
    before = await tx.session.scalar(
        select(func.count()).where(Payment.invoice_id == invoice.id, Payment.provider.is_not(None))
    )
    wanted = ToPay(
        # The same one where the request is repeated, so that the provider opens one checkout.
        payment_id=uuid5(invoice.id, f"checkout {before}"),
        invoice_id=invoice.id,
        invoice_number=invoice.number or "",
        amount=invoice.balance,
        currency=invoice.currency,
        expires_at=expires_at(tx.now),
        locale=(await tx.view(ClientView, invoice.client_id)).locale,
    )
    opened = await tx.without_transaction(theirs.open(wanted))
    return await _record(wanted, opened, theirs.name, tx, by)


async def _record(wanted: ToPay, opened: OpenCheckout, name: str, tx: Tx, by: Actor) -> Payment:
    invoice = await tx.load(Invoice, wanted.invoice_id, by)
    if begun := await _begun(invoice, tx):
        return begun
    if invoice.balance != wanted.amount:
        raise BalanceChanged
    payment = tx.add(
        Payment(
            id=wanted.payment_id,
            invoice_id=invoice.id,
            invoice_number=invoice.number,
            reclamation_id=invoice.reclamation_id,
            method="card",
            amount=wanted.amount,
            currency=invoice.currency,
            received_on=local_day(tx.now),
            reference=opened.name[:200],
            status="initiated",
            checkout_url=opened.url,
            expires_at=wanted.expires_at,
            provider=name,
            checkout=opened.name,
        )
    )
    tx.remind(expire_checkout, payment.id, wanted.expires_at)
    tx.emit(payment, CheckoutStarted())
    return payment


async def _begun(invoice: Invoice, tx: Tx) -> Payment | None:
    """The checkout of the whole balance that may still be paid."""
    opened = [
        one
        for one in await open_checkouts(invoice, tx)
        # One whose time is over may still wait for its timer.
        if one.amount == invoice.balance and one.expires_at and one.expires_at > tx.now
    ]
    return opened[0] if opened else None


@interventions.command(TakePaymentNews)
async def take_payment_news(cmd: TakePaymentNews, tx: Tx, by: Actor) -> NewsTaken:
    """Take what the payment provider tells, if it is from there."""
    news = provider(tx.settings).read(cmd.payload, cmd.signature, tx.now)
    return NewsTaken(changed=news is not None and await take(news, tx))


@interventions.query(GetSandboxCheckout)
async def get_sandbox_checkout(query: GetSandboxCheckout, tx: Tx, by: Actor) -> SandboxCheckout:
    """What is to be paid in the sandbox."""
    sandbox(tx.settings)
    return _shown(await tx.read(Payment, query.checkout_id, SYSTEM))


@interventions.command(PayInSandbox)
async def pay_in_sandbox(cmd: PayInSandbox, tx: Tx, by: Actor) -> SandboxCheckout:
    """Pay in the sandbox, fail to, or give up: its news are signed and taken as those of any provider."""
    theirs = sandbox(tx.settings)
    # Not locked here: taking news locks what they are about, in its order.
    payment = _shown(await tx.read(Payment, cmd.checkout_id, SYSTEM))
    if payment.status == "initiated":
        kind, reason = _TOLD[cmd.outcome]
        told = SandboxNews(
            id=f"sandbox_{payment.checkout_id}_{kind}",
            kind=kind,
            payment_id=payment.checkout_id,
            reason=reason,
        ).model_dump_json()
        news = theirs.read(told, theirs.sign(told, tx.now), tx.now)
        if news:
            await take(news, tx)
    return _shown(await tx.read(Payment, cmd.checkout_id, SYSTEM))


_TOLD: dict[str, tuple[NewsKind, str]] = {
    "paid": ("captured", ""),
    "failed": ("failed", "card_declined"),
    "cancelled": ("expired", "cancelled"),
}


def _shown(payment: Payment) -> SandboxCheckout:
    if payment.provider != "sandbox":
        raise NoSuch(kind=label("payment"), id=payment.id)
    return SandboxCheckout(
        checkout_id=payment.id,
        invoice_number=payment.invoice_number,
        seller=billing().seller.name,
        amount=payment.amount,
        currency=payment.currency,
        status=payment.status,
    )
