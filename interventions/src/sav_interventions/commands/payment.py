"""Commands about payments of invoices, for managers."""

from decimal import Decimal

from sav_chassis.errors import WrongField
from sav_chassis.money import check_decimals
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.interventions.payment import RecordPayment, RefundPayment
from sav_contracts.money import Currency
from sav_interventions.app import interventions
from sav_interventions.cash import check_cash
from sav_interventions.checkouts import end_checkouts, refund_online
from sav_interventions.concluded import check_payable, check_payable_by
from sav_interventions.lifecycle import PAYMENT
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import Payment
from sav_interventions.receipts import check_owed, day_received, give_back, online_origin, pay_back, receive


class MoreThanLeft(WrongField):
    field: str = "amount"
    most: Decimal
    currency: Currency
    en = "at most the {most} {currency} that are left of it"
    fr = "au plus les {most} {currency} qui en restent"


@interventions.command(RecordPayment)
async def record_payment(cmd: RecordPayment, tx: Tx, by: Actor) -> Payment:
    """Record money that was received for an invoice; what exceeds its balance is the client's credit."""
    received_on = day_received(cmd.received_on, tx)
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    check_owed(invoice, by)
    check_decimals(cmd.amount, invoice.currency, "amount")
    await check_payable(invoice.intervention_id, tx, deposit=invoice.deposit)
    if cmd.amount > invoice.balance:
        # What is more is money on account, which may be for any contract of the client.
        await check_payable_by(invoice.client_id, tx, beyond=invoice)
    await check_cash(
        cmd.method, cmd.amount, invoice, tx, received_on, abroad=cmd.payer_proved_tax_home_abroad
    )
    payment = tx.add(
        Payment(
            id=tx.new_id(),
            invoice_id=invoice.id,
            invoice_number=invoice.number,
            reclamation_id=invoice.reclamation_id,
            method=cmd.method,
            amount=cmd.amount,
            currency=invoice.currency,
            received_on=received_on,
            reference=cmd.reference,
            status="captured",
        )
    )
    await receive(payment, invoice, tx, by)
    await end_checkouts(invoice, tx)
    return payment


@interventions.command(RefundPayment)
async def refund_payment(cmd: RefundPayment, tx: Tx, by: Actor) -> Payment:
    """Pay money back. What was more than the balance is paid back from the client's credit instead.

    A payment from the credit of one at a provider becomes credit again, which is paid back there.
    """
    invoice_id = (await tx.read(Payment, cmd.payment_id, by)).invoice_id
    # The invoice is locked first, as everywhere.
    invoice = await tx.load(Invoice, invoice_id, SYSTEM)
    payment = await tx.load(Payment, cmd.payment_id, by)
    origin = await online_origin(payment, tx)
    PAYMENT.check(payment.status, "refunded", by)
    left = payment.counted
    amount = left if cmd.amount is None else cmd.amount
    if not 0 < amount <= left:
        raise MoreThanLeft(most=left, currency=payment.currency)
    check_decimals(amount, payment.currency, "amount")
    if origin:
        give_back(payment, invoice, amount, origin, tx)
        return payment
    await pay_back(payment, invoice, amount, cmd.reason, tx, by)
    if payment.charge:
        tx.later(refund_online, payment.id)
    return payment
