"""Commands about invoices, for managers."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from sav_chassis.errors import Conflict, Invalid, WrongField
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
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_interventions.app import interventions
from sav_interventions.billing import check_amount, check_words, priced
from sav_interventions.effects import print_invoice
from sav_interventions.jurisdiction import Jurisdiction
from sav_interventions.model.invoice import GENESIS, SERIES, Invoice, Payment, Series
from sav_interventions.settings import billing


class NoDraft(Conflict):
    """An issued invoice does not change; a credit note corrects it."""

    code = "no_draft"
    state: Text
    en = "The invoice is {state}: only a draft is changed"
    fr = "La facture est à l’état « {state} » : seul un brouillon peut être modifié"


class SayWhatChanges(Invalid):
    en = "Say what is to be changed: lines, buyer_name or buyer_address"
    fr = "Indiquez ce qu’il faut modifier : lines, buyer_name ou buyer_address"


class ReceivedLater(WrongField):
    field: str = "received_on"
    en = "it is still to come"
    fr = "cette date est encore à venir"


@interventions.command(ChangeInvoice)
async def change_invoice(cmd: ChangeInvoice, tx: Tx, by: Actor) -> Invoice:
    """Change the lines or the buyer of a draft."""
    if not (cmd.lines or cmd.buyer_name or cmd.buyer_address):
        raise SayWhatChanges
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    if invoice.status != "draft":
        raise NoDraft(state=label(invoice.status))
    if cmd.lines:
        check_amount(cmd.lines, "lines")
        check_words(cmd.lines, "lines")
        invoice.itemise(priced(cmd.lines), billing().law)
        invoice.edited = True
    given = {"name": cmd.buyer_name, "address": cmd.buyer_address}
    invoice.buyer = invoice.buyer.model_copy(update={name: value for name, value in given.items() if value})
    tx.emit(invoice, InvoiceChanged())
    return invoice


@interventions.command(DiscardInvoice)
async def discard_invoice(cmd: DiscardInvoice, tx: Tx, by: Actor) -> Invoice:
    """Discard a draft, with the reason."""
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    invoice.discard(cmd.reason, by)
    tx.emit(invoice, InvoiceDiscarded(reason=cmd.reason))
    return invoice


@interventions.command(IssueInvoice)
async def issue_invoice(cmd: IssueInvoice, tx: Tx, by: Actor) -> Invoice:
    """Issue a draft. Its number is drawn last, because the row of the series is locked until the transaction ends."""
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    law = billing().law
    invoice.check_complete(by)
    on = today(tx, law)
    invoice.issue(await _locked(tx, on), on, law, by)
    tx.later(print_invoice, invoice.id)
    tx.emit(invoice, InvoiceIssued())
    return invoice


@interventions.command(RecordPayment)
async def record_payment(cmd: RecordPayment, tx: Tx, by: Actor) -> Payment:
    """Record a payment that was received."""
    on = today(tx, billing().law)
    if cmd.received_on and cmd.received_on > on:
        raise ReceivedLater
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
    tx.emit(payment, PaymentRecorded())
    tx.emit(invoice, (InvoicePaid if invoice.status == "paid" else InvoiceChanged)())
    return payment


def today(tx: Tx, law: Jurisdiction) -> date:
    """Today's date in the jurisdiction's time zone."""
    return tx.now.astimezone(ZoneInfo(law.zone)).date()


async def _locked(tx: Tx, on: date) -> Series:
    """The series in use, locked until the end of the transaction; made for the first invoice ever."""
    first = insert(Series).values(series=SERIES, day=on, last=0, hash=GENESIS)
    await tx.session.execute(first.on_conflict_do_nothing())
    found = await tx.session.execute(select(Series).where(~Series.over).with_for_update())
    return found.scalar_one()
