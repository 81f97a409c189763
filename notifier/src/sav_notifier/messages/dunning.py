"""Messages about credit notes and about invoices that are not paid in time."""

from datetime import date
from decimal import Decimal
from typing import Self, TypedDict
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.claims.order import OrderView
from sav_contracts.interventions.credit_note import CreditNoteIssued, CreditNoteView
from sav_contracts.interventions.dunning import InvoiceOverdue, InvoiceReminded
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.money import Currency
from sav_notifier.message import Internal, Message, message
from sav_notifier.messages.billing import case_of_invoice
from sav_notifier.recipients import client, its_client, managers

# Why a client is not reminded, where managers are told instead.
UNREACHED = "no message reaches the client: managers are told"


@message(
    "credit_note_issued",
    on={CreditNoteIssued: "announce_credit_note"},
    to=its_client,
    category="billing",
    link="paper",
    lasting=True,
)
class CreditNoteAvailable(Message):
    """The client learns what was credited, of which invoice, and what becomes of what they paid, with a link to it."""

    # The credit note's own id; messages from before have none.
    grant_id: Internal[UUID | None] = None

    number: str
    invoice: str
    amount: Decimal
    currency: Currency
    reason: str
    # What they paid too much by it.
    overpaid: Decimal | None = None
    # Whether they withdrew from the contract that the invoice was for: then the law has it paid back.
    withdrawn: bool = False
    # The order or the estimate, where the withdrawal from it is the reason and nobody typed one.
    withdrawn_from: str | None = None

    @classmethod
    async def about(cls, event: CreditNoteIssued, tx: Tx) -> Self:
        note = event.state
        overpaid = event.overpaid or None
        return cls(
            grant_id=note.id,
            number=note.number,
            invoice=note.invoice_number,
            amount=note.amount,
            currency=note.currency,
            reason=note.reason,
            withdrawn_from=event.withdrawn_from,
            overpaid=overpaid,
            withdrawn=overpaid is not None and await _is_withdrawn(note, tx),
        )


async def _is_withdrawn(note: CreditNoteView, tx: Tx) -> bool:
    """Whether its client withdrew from the contract for which the invoice was made before."""
    invoice = await tx.view(InvoiceView, note.invoice_id)
    if invoice.order_id:
        return (await tx.view(OrderView, invoice.order_id)).withdrawn_at is not None
    case = await case_of_invoice(tx, invoice)
    contracts = await tx.copies(EstimateView).where(client_id=note.client_id, status="withdrawn").all()
    return any(
        case and case.reference == (one.reclamation_reference or one.visit_reference)
        for one in contracts
        if one.withdrawn_at and invoice.created_at <= one.withdrawn_at
    )


@message("invoice_overdue", on={InvoiceOverdue: "tell_of_overdue"}, to=its_client, category="billing")
class OverdueInvoice(Message):
    """The client learns that the due day of an invoice is over."""

    number: str
    due_on: date
    balance: Decimal
    currency: Currency

    @classmethod
    async def about(cls, event: InvoiceOverdue, tx: Tx) -> Self | str:
        if await _unreached(event.state, tx):
            return UNREACHED
        return cls(**_owed(event.state))

    def true_while(self, record: InvoiceView) -> bool:
        return record.overdue


@message("invoice_reminded", on={InvoiceReminded: "remind_client"}, to=its_client, category="billing")
class Reminder(Message):
    """The client is reminded of an overdue invoice, more firmly each time; a business of what the delay costs."""

    number: str
    due_on: date
    balance: Decimal
    currency: Currency
    level: int
    last: bool
    business: bool

    @classmethod
    async def about(cls, event: InvoiceReminded, tx: Tx) -> Self | str:
        if await _unreached(event.state, tx):
            return UNREACHED
        return cls(
            **_owed(event.state), level=event.level, last=event.last, business=event.state.buyer.is_business
        )

    def true_while(self, record: InvoiceView) -> bool:
        return record.overdue


@message(
    "invoice_by_post",
    on={InvoiceOverdue: "tell_managers_of_unreached"},
    to=managers,
    category="billing",
    since="2026-11-30",
)
class InvoiceByPost(Message):
    """Managers learn, once, of an overdue invoice whose client no message reaches: somebody writes or calls."""

    number: str
    due_on: date
    balance: Decimal
    currency: Currency
    client: str
    address: str | None

    @classmethod
    async def about(cls, event: InvoiceOverdue, tx: Tx) -> Self | str:
        invoice = event.state
        if not await _unreached(invoice, tx):
            return "the client is written to"
        return cls(**_owed(invoice), client=invoice.buyer.name, address=invoice.buyer.address)

    def true_while(self, record: InvoiceView) -> bool:
        return record.overdue


@message("invoice_unpaid", on={InvoiceReminded: "tell_managers_of_unpaid"}, to=managers, category="billing")
class UnpaidInvoice(Message):
    """Managers learn that the last reminder was sent: somebody must act."""

    number: str
    due_on: date
    balance: Decimal
    currency: Currency
    client: str
    reminders: int
    # Whether none of them was sent.
    unreached: bool = False

    @classmethod
    async def about(cls, event: InvoiceReminded, tx: Tx) -> Self | str:
        if not event.last:
            return "a further reminder follows"
        invoice = event.state
        return cls(
            **_owed(invoice),
            client=invoice.buyer.name,
            reminders=event.level,
            unreached=await _unreached(invoice, tx),
        )

    def true_while(self, record: InvoiceView) -> bool:
        return record.overdue


async def _unreached(invoice: InvoiceView, tx: Tx) -> bool:
    """Whether no message reaches its client: no address is known, or the account is closed."""
    return (await client(tx, invoice.client_id)).silent is not None


class Owed(TypedDict):
    """What is left to pay of an invoice."""

    number: str
    due_on: date
    balance: Decimal
    currency: Currency


def _owed(invoice: InvoiceView) -> Owed:
    assert invoice.number is not None
    assert invoice.due_on is not None
    return Owed(
        number=invoice.number, due_on=invoice.due_on, balance=invoice.balance, currency=invoice.currency
    )
