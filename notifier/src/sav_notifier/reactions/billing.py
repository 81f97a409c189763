"""What clients and managers are told about invoices and payments."""

from decimal import Decimal

from sqlalchemy import text

from sav_chassis.tx import Tx
from sav_contracts.interventions.invoice import (
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceView,
    PaymentRecorded,
    PaymentView,
)
from sav_notifier.app import notifier
from sav_notifier.people import client, managers
from sav_notifier.telling import tell

PAYMENTS = text("SELECT doc::text FROM view WHERE kind = 'payment' AND parent = :invoice AND id <> :id")


@notifier.on(InvoiceDrafted)
async def ask_to_issue(event: InvoiceDrafted, tx: Tx) -> None:
    """Managers have an invoice to issue."""
    invoice = event.state
    await tell(
        tx,
        event,
        await managers(tx),
        "invoice_to_issue",
        "billing",
        reference=invoice.reclamation_reference,
        client=invoice.buyer.name,
        total=invoice.total,
        currency=invoice.currency,
    )


@notifier.on(InvoiceIssued)
async def announce_invoice(event: InvoiceIssued, tx: Tx) -> None:
    """The client learns what is to be paid, and until when."""
    invoice = event.state
    await tell(
        tx,
        event,
        [await client(tx, invoice.client_id)],
        "invoice_issued",
        "billing",
        reference=invoice.reclamation_reference,
        number=invoice.number,
        total=invoice.total,
        currency=invoice.currency,
        due_on=invoice.due_on,
    )


@notifier.on(PaymentRecorded)
async def confirm_payment(event: PaymentRecorded, tx: Tx) -> None:
    """The client has a receipt, with what is left to pay."""
    payment = event.state
    invoice = await tx.view(InvoiceView, payment.invoice_id)
    balance = invoice.total - payment.amount - await _paid_before(tx, payment)
    await tell(
        tx,
        event,
        [await client(tx, invoice.client_id)],
        "payment_received",
        "billing",
        number=payment.invoice_number,
        amount=payment.amount,
        currency=payment.currency,
        method=payment.method,
        received_on=payment.received_on,
        balance=balance,
        settled=balance <= 0,
    )


async def _paid_before(tx: Tx, payment: PaymentView) -> Decimal:
    """From the payments themselves: whether this copy of the invoice counts the newest already, nobody knows."""
    found = await tx.session.execute(PAYMENTS, {"invoice": payment.invoice_id, "id": payment.id})
    others = (PaymentView.model_validate_json(doc) for doc in found.scalars())
    return sum(
        (
            other.amount
            for other in others
            if other.status == "captured" and other.created_at <= payment.created_at
        ),
        Decimal(0),
    )
