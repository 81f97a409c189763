"""What managers do about invoices."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from sav_chassis.errors import Conflict, Invalid
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.invoice import (
    ChangeInvoice,
    DiscardInvoice,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceIssued,
    InvoicePaid,
    IssueInvoice,
    PaymentRecorded,
    RecordPayment,
)
from sav_interventions.app import interventions
from sav_interventions.billing import priced
from sav_interventions.effects import print_invoice
from sav_interventions.jurisdiction import Jurisdiction, jurisdiction
from sav_interventions.model.invoice import GENESIS, SERIES, Invoice, Payment, Series


class NoDraft(Conflict):
    """What was issued does not change: there are credit notes."""

    code = "no_draft"


@interventions.command(ChangeInvoice)
async def change_invoice(cmd: ChangeInvoice, tx: Tx, by: Actor) -> Invoice:
    """Complete a draft."""
    if not (cmd.lines or cmd.buyer_name or cmd.buyer_address):
        raise Invalid("say what is to be changed: lines, buyer_name or buyer_address")
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    if invoice.status != "draft":
        raise NoDraft(f"the invoice is {invoice.status}: only a draft is changed")
    if cmd.lines:
        invoice.itemise(priced(cmd.lines), jurisdiction(tx.settings.jurisdiction))
        invoice.edited = True
    given = {"name": cmd.buyer_name, "address": cmd.buyer_address}
    invoice.buyer = invoice.buyer.model_copy(update={name: value for name, value in given.items() if value})
    tx.emit(InvoiceChanged, invoice)
    return invoice


@interventions.command(DiscardInvoice)
async def discard_invoice(cmd: DiscardInvoice, tx: Tx, by: Actor) -> Invoice:
    """Give a draft up."""
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    invoice.discard(cmd.reason, by)
    tx.emit(InvoiceDiscarded, invoice, reason=cmd.reason)
    return invoice


@interventions.command(IssueInvoice)
async def issue_invoice(cmd: IssueInvoice, tx: Tx, by: Actor) -> Invoice:
    """Issue a draft; its number is drawn last, from a row that everybody who issues waits for."""
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    law = jurisdiction(tx.settings.jurisdiction)
    invoice.check_complete(by)
    on = today(tx, law)
    invoice.issue(await _locked(tx, on), on, law, by)
    tx.later(print_invoice, invoice.id)
    tx.emit(InvoiceIssued, invoice)
    return invoice


@interventions.command(RecordPayment)
async def record_payment(cmd: RecordPayment, tx: Tx, by: Actor) -> Payment:
    """Count what was received."""
    on = today(tx, jurisdiction(tx.settings.jurisdiction))
    if cmd.received_on and cmd.received_on > on:
        raise Invalid.field("received_on", "it is still to come")
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    invoice.pay(cmd.amount, by)
    payment = tx.add(
        Payment(
            id=tx.new_id(),
            invoice_id=invoice.id,
            invoice_number=invoice.number,
            reclamation_id=invoice.reclamation_id,
            method=cmd.method,
            amount=cmd.amount,
            currency=invoice.currency,
            received_on=cmd.received_on or on,
            reference=cmd.reference,
            status="captured",
        )
    )
    tx.emit(PaymentRecorded, payment)
    tx.emit(InvoicePaid if invoice.status == "paid" else InvoiceChanged, invoice)
    return payment


def today(tx: Tx, law: Jurisdiction) -> date:
    """The day it is where invoices are issued."""
    return tx.now.astimezone(ZoneInfo(law.zone)).date()


async def _locked(tx: Tx, on: date) -> Series:
    """The series, held until the end of the transaction; it begins with the first invoice ever."""
    first = insert(Series).values(series=SERIES, day=on, last=0, hash=GENESIS)
    await tx.session.execute(first.on_conflict_do_nothing())
    found = await tx.session.execute(select(Series).where(Series.series == SERIES).with_for_update())
    return found.scalar_one()
