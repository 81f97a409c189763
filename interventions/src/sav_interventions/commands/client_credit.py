"""Commands about clients' credits, for managers."""

from sqlalchemy import select

from sav_chassis.errors import Conflict, NoSuch
from sav_chassis.money import check_decimals
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.client_credit import (
    CreditReceived,
    CreditRefunded,
    CreditUsed,
    RecordOnAccount,
    RefundCredit,
    UseCredit,
)
from sav_contracts.labels import label
from sav_interventions.app import interventions
from sav_interventions.cash import check_cash, check_cash_on_account
from sav_interventions.checkouts import end_checkouts, refund_online
from sav_interventions.commands.payment import MoreThanLeft
from sav_interventions.concluded import check_payable, check_payable_by
from sav_interventions.days import local_day
from sav_interventions.ledger import enter
from sav_interventions.lifecycle import INVOICE
from sav_interventions.model.invoice import Invoice, MoreThanBalance
from sav_interventions.model.payment import ClientCredit, Payment
from sav_interventions.payment_news import lock_uses
from sav_interventions.receipts import ZERO, CreditHeld, day_received, receive
from sav_interventions.settings import billing


class OfAnotherClient(Conflict):
    """A credit pays invoices of its own client only."""

    code = "of_another_client"
    en = "The credit and the invoice are of two clients"
    fr = "Le crédit et la facture ne sont pas du même client"


class OfAnotherCurrency(Conflict):
    """A credit pays invoices in its own currency only."""

    code = "of_another_currency"
    en = "The credit and the invoice are in two currencies"
    fr = "Le crédit et la facture ne sont pas dans la même monnaie"


@interventions.command(RecordOnAccount)
async def record_on_account(cmd: RecordOnAccount, tx: Tx, by: Actor) -> ClientCredit:
    """Record money that a client paid before there is an invoice."""
    received_on = day_received(cmd.received_on, tx)
    unknown = NoSuch(kind=label("client"), id=cmd.client_id)
    client = await tx.view(ClientView, cmd.client_id, by, unknown)
    currency = billing().law.currency
    check_decimals(cmd.amount, currency, "amount")
    await check_payable_by(client.id, tx)
    abroad = cmd.payer_proved_tax_home_abroad
    await check_cash_on_account(cmd.method, cmd.amount, client.id, currency, tx, received_on, abroad=abroad)
    credit = tx.add(
        ClientCredit(
            id=tx.new_id(),
            client_id=client.id,
            origin="on_account",
            method=cmd.method,
            amount=cmd.amount,
            refunded=ZERO,
            remaining=cmd.amount,
            currency=currency,
            received_on=received_on,
            reference=cmd.reference,
            held=False,
        )
    )
    tx.emit(credit, CreditReceived())
    await enter(tx, "received", cmd.amount, credit, client.id, received_on)
    return credit


@interventions.command(UseCredit)
async def use_credit(cmd: UseCredit, tx: Tx, by: Actor) -> Payment:
    """Pay an invoice from a client's credit: no money moves, so nothing is entered in the ledger."""
    await lock_uses(cmd.client_credit_id, tx)
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    credit = await tx.load(ClientCredit, cmd.client_credit_id, by)
    INVOICE.check(invoice.status, "paid", by)
    if credit.client_id != invoice.client_id:
        raise OfAnotherClient
    if credit.currency != invoice.currency:
        raise OfAnotherCurrency
    if credit.held:
        raise CreditHeld
    amount = min(credit.remaining, invoice.balance) if cmd.amount is None else cmd.amount
    if not 0 < amount <= credit.remaining:
        raise MoreThanLeft(most=credit.remaining, currency=credit.currency)
    if amount > invoice.balance:
        raise MoreThanBalance(balance=invoice.balance, currency=invoice.currency)
    check_decimals(amount, invoice.currency, "amount")
    await check_payable(invoice.intervention_id, tx, deposit=invoice.deposit)
    abroad = cmd.payer_proved_tax_home_abroad
    await check_cash(credit.method, amount, invoice, tx, local_day(tx.now), abroad=abroad)
    credit.remaining -= amount
    payment = tx.add(
        Payment(
            id=tx.new_id(),
            invoice_id=invoice.id,
            invoice_number=invoice.number,
            reclamation_id=invoice.reclamation_id,
            method=credit.method,
            amount=amount,
            currency=credit.currency,
            received_on=credit.received_on,
            reference=credit.reference,
            status="captured",
            client_credit_id=credit.id,
        )
    )
    tx.emit(credit, CreditUsed(invoice_id=invoice.id, invoice_number=payment.invoice_number, amount=amount))
    await receive(payment, invoice, tx, by)
    await end_checkouts(invoice, tx)
    return payment


@interventions.command(RefundCredit)
async def refund_credit(cmd: RefundCredit, tx: Tx, by: Actor) -> ClientCredit:
    """Pay a client's credit back."""
    credit = await tx.load(ClientCredit, cmd.client_credit_id, by)
    if credit.held:
        raise CreditHeld
    amount = credit.remaining if cmd.amount is None else cmd.amount
    if not 0 < amount <= credit.remaining:
        raise MoreThanLeft(most=credit.remaining, currency=credit.currency)
    check_decimals(amount, credit.currency, "amount")
    credit.remaining -= amount
    credit.refunded += amount
    tx.emit(credit, CreditRefunded(amount=amount, reason=cmd.reason))
    await enter(tx, "refunded", -amount, credit, credit.client_id)
    if credit.payment_id and await tx.session.scalar(
        select(Payment.charge).where(Payment.id == credit.payment_id)
    ):
        tx.later(refund_online, credit.payment_id)
    return credit
