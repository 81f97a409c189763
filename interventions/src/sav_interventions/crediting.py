"""Issues credit notes."""

from sqlalchemy import select

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.credit_note import CreditGiven, CreditNoteIssued
from sav_contracts.interventions.invoice import NOTHING, InvoiceChanged, InvoicePaid
from sav_interventions import deposits
from sav_interventions.checkouts import end_checkouts
from sav_interventions.credit import Credited, credited
from sav_interventions.credit_note_effects import print_credit_note
from sav_interventions.days import today
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.invoice import Invoice, Series
from sav_interventions.receipts import release


class DeductedAlready(Conflict):
    """A final invoice deducts this deposit: crediting both would give its amount back twice."""

    code = "deducted_already"
    en = "A final invoice deducts this deposit: credit that one as a whole first"
    fr = "Une facture finale déduit cet acompte : établissez d’abord un avoir pour la totalité de celle-ci"


async def credit(
    tx: Tx,
    invoice: Invoice,
    given: list[CreditGiven] | None,
    reason: str,
    by: Actor,
    *,
    withdrawn_from: str | None = None,
) -> CreditNote:
    """Credits a locked invoice: these lines, or all that is left of it. The number is drawn last.

    `withdrawn_from`: the order or the estimate whose withdrawal is the reason.
    """
    invoice.check_creditable(by)
    if invoice.deducted_in:
        raise DeductedAlready
    query = select(CreditNote).where(CreditNote.invoice_id == invoice.id).order_by(CreditNote.number)
    earlier = list(await tx.session.scalars(query))
    given_back = credited(
        invoice.lines,
        invoice.vat,
        [line for note in earlier for line in note.lines],
        given,
        invoice.decimals_of,
    )
    note = _note(tx, invoice, given_back, reason)
    before = invoice.status
    invoice.credit(note.amount, given_back.whole, by)
    if overpaid := invoice.overpaid:
        # What was paid beyond it stays the client's: for another invoice, or to be paid back.
        await release(invoice, overpaid, tx)
    if given_back.whole:
        await deposits.free(tx, invoice)
    await end_checkouts(invoice, tx)
    # Everything else is locked by now: the row of the series keeps all others from issuing.
    on = today(tx)
    note.issue(await Series.in_use(tx, "credit_note", on), on)
    tx.add(note)
    tx.later(print_credit_note, note.id)
    tx.emit(note, CreditNoteIssued(overpaid=overpaid, withdrawn_from=withdrawn_from))
    settled = invoice.status == "paid" and before != "paid"
    tx.emit(invoice, InvoicePaid() if settled else InvoiceChanged())
    return note


def _note(tx: Tx, invoice: Invoice, given_back: Credited, reason: str) -> CreditNote:
    assert invoice.number is not None
    assert invoice.issued_on is not None
    return CreditNote(
        id=tx.new_id(),
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        invoice_issued_on=invoice.issued_on,
        client_id=invoice.client_id,
        intervention_id=invoice.intervention_id,
        reclamation_id=invoice.reclamation_id,
        reclamation_reference=invoice.reclamation_reference,
        whole=given_back.whole,
        currency=invoice.currency,
        seller=invoice.seller,
        buyer=invoice.buyer,
        lines=given_back.lines,
        vat=given_back.vat,
        net=given_back.net,
        tax=given_back.tax,
        stamp=invoice.stamp if given_back.whole else None,
        deposits=invoice.deposits if given_back.whole else [],
        deducted=invoice.deducted if given_back.whole else NOTHING,
        reason=reason,
        document=None,
    )
