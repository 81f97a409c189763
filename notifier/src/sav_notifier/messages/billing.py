"""Messages to clients and managers about invoices and payments."""

from datetime import date
from decimal import Decimal
from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_chassis.written import NBSP
from sav_contracts.interventions.invoice import (
    DepositLeftOver,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceView,
    Lack,
)
from sav_contracts.interventions.payment import (
    DisputeClosed,
    PaymentDisputed,
    PaymentFailed,
    PaymentMethod,
    PaymentRecorded,
    PaymentRefunded,
    PaymentView,
)
from sav_contracts.money import Currency
from sav_notifier.cases import Case, case_of
from sav_notifier.message import Internal, Message, message
from sav_notifier.recipients import Recipient, client, its_client, managers


async def case_of_invoice(tx: Tx, invoice: InvoiceView) -> Case | None:
    """The réclamation or the visit that it is for; None where it is for neither."""
    if invoice.reclamation_id or invoice.intervention_id:
        return await case_of(tx, invoice.reclamation_id, invoice.intervention_id)
    return None


def iban_of(invoice: InvoiceView) -> str | None:
    """Where it is paid by transfer, in groups of four as banks print it; None where the firm has not said."""
    bank = invoice.seller.bank
    if bank is None:
        return None
    return NBSP.join(bank.iban[start : start + 4] for start in range(0, len(bank.iban), 4))


@message(
    "invoice_to_issue",
    on={InvoiceDrafted: "ask_to_issue"},
    to=managers,
    category="billing",
)
class InvoiceToIssue(Message):
    """Managers have an invoice to issue."""

    reference: str | None
    order: str | None = None
    client: str
    total: Decimal
    currency: Currency
    lacks: tuple[Lack, ...] = ()
    article: str | None = None
    deposit: bool = False
    # Whether no message will reach the client: the invoice goes by post.
    no_address: bool = False

    @classmethod
    async def about(cls, event: InvoiceDrafted, tx: Tx) -> Self:
        invoice = event.state
        case = await case_of_invoice(tx, invoice)
        return cls(
            reference=case.reference if case else None,
            order=invoice.order_reference,
            client=invoice.buyer.name,
            total=invoice.total,
            currency=invoice.currency,
            lacks=tuple(invoice.lacks),
            article=case.article if case else None,
            deposit=invoice.deposit,
            no_address=not (await client(tx, invoice.client_id)).email,
        )

    def true_while(self, record: InvoiceView) -> bool:
        return record.status == "draft"


@message(
    "invoice_issued",
    on={InvoiceIssued: "announce_invoice"},
    to=its_client,
    category="billing",
    link="paper",
)
class InvoiceToPay(Message):
    """The client learns what is to be paid, and until when, with a link to the invoice."""

    # The invoice's own id; messages from before have none.
    grant_id: Internal[UUID | None] = None

    reference: str | None
    number: str | None
    total: Decimal
    currency: Currency
    due_on: date | None
    article: str | None = None
    deposit: bool = False
    # Whether the deposits that it deducts leave nothing to pay.
    settled: bool = False
    # Until the end of that day nothing may be paid for it.
    too_early_until: date | None = None
    iban: str | None = None

    @classmethod
    async def about(cls, event: InvoiceIssued, tx: Tx) -> Self:
        invoice = event.state
        case = await case_of_invoice(tx, invoice)
        return cls(
            reference=case.reference if case else None,
            number=invoice.number,
            total=invoice.payable,
            currency=invoice.currency,
            due_on=invoice.due_on,
            article=case.article if case else None,
            deposit=invoice.deposit,
            grant_id=invoice.id,
            settled=invoice.payable <= 0,
            too_early_until=event.too_early_until,
            iban=iban_of(invoice),
        )

    def true_while(self, record: InvoiceView) -> bool:
        return record.status != "credited"


@message(
    "deposit_left_over",
    on={DepositLeftOver: "ask_to_credit"},
    to=managers,
    category="billing",
)
class DepositToCredit(Message):
    """Managers learn of a deposit that no invoice will deduct, or not all of it, since less is billed of the work, or nothing."""

    number: str
    reference: str | None
    client: str
    total: Decimal
    most: Decimal | None
    paid: Decimal
    currency: Currency

    @classmethod
    async def about(cls, event: DepositLeftOver, tx: Tx) -> Self:
        deposit = event.state
        assert deposit.number is not None, "it was issued"
        case = await case_of_invoice(tx, deposit)
        return cls(
            number=deposit.number,
            reference=case.reference if case else None,
            client=deposit.buyer.name,
            total=deposit.total,
            most=event.most,
            paid=deposit.paid,
            currency=deposit.currency,
        )

    def true_while(self, record: InvoiceView) -> bool:
        return record.status != "credited" and record.deducted_in is None


async def its_payer(
    event: PaymentRecorded | PaymentFailed | PaymentRefunded | PaymentDisputed | DisputeClosed, tx: Tx
) -> list[Recipient]:
    """The client of the invoice that a payment is for."""
    return [await client(tx, (await tx.view(InvoiceView, event.state.invoice_id)).client_id)]


@message(
    "payment_received",
    on={PaymentRecorded: "confirm_payment"},
    to=its_payer,
    category="billing",
    link="paper",
)
class Receipt(Message):
    """The client has a receipt, with what is left to pay, and how; of what their credit paid they had one before."""

    # The invoice's id, where something is left to pay; messages from before have none.
    grant_id: Internal[UUID | None] = None

    number: str
    amount: Decimal
    currency: Currency
    method: PaymentMethod
    received_on: date
    balance: Decimal
    settled: bool
    # Whether it was paid from the client's credit: then no money arrived.
    of_credit: bool = False
    iban: str | None = None

    @classmethod
    async def about(cls, event: PaymentRecorded, tx: Tx) -> Self:
        payment = event.state
        invoice = await tx.view(InvoiceView, payment.invoice_id)
        balance = event.balance
        if balance is None:  # an older event does not say it
            balance = invoice.payable - invoice.credited - payment.amount - await _paid_before(tx, payment)
        return cls(
            number=payment.invoice_number,
            amount=payment.amount,
            currency=payment.currency,
            method=payment.method,
            received_on=payment.received_on,
            balance=balance,
            settled=balance <= 0,
            of_credit=payment.client_credit_id is not None,
            grant_id=payment.invoice_id if balance > 0 else None,
            iban=iban_of(invoice) if balance > 0 else None,
        )


async def _paid_before(tx: Tx, payment: PaymentView) -> Decimal:
    """Summed from the payments, because the copy of the invoice may or may not include the newest one yet."""
    payments = await tx.copies(PaymentView).where(parent=payment.invoice_id).all()
    return sum(
        (
            other.amount
            for other in payments
            if other.id != payment.id
            and other.status == "captured"
            and other.created_at <= payment.created_at
        ),
        Decimal(0),
    )
