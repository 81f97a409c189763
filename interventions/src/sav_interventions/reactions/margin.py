"""Counts what is left of an invoice, with what its parts cost on that day, and less what is credited."""

from collections.abc import Sequence

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.article_cost import ArticleCostView
from sav_contracts.interventions.credit_note import CreditNoteIssued
from sav_contracts.interventions.invoice import InvoiceIssued
from sav_contracts.interventions.line import InvoiceLine
from sav_contracts.interventions.margin import InvoiceMarginChanged, InvoiceMarginCounted, PartMargin
from sav_contracts.money import Currency, rounded
from sav_interventions.app import interventions
from sav_interventions.model import CreditNote
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.margin import InvoiceMargin


@interventions.on(InvoiceIssued, since="2026-11-30")
async def count_margin(event: InvoiceIssued, tx: Tx) -> str | None:
    """Keeps what is left of an invoice, other than a deposit. Costs that nobody has said count as nothing, and are numbered."""
    if event.state.deposit:
        return "a deposit: the final invoice is counted, whose net holds it"
    # Locked: a credit note is made before this, and counted here, or finds what is counted here.
    invoice = await tx.load(Invoice, event.state.id, SYSTEM)
    if await _margin(invoice, tx):
        return "counted already"
    margin = InvoiceMargin(
        id=tx.new_id(),
        invoice_id=invoice.id,
        invoice_number=event.state.number,
        currency=invoice.currency,
        parts=[await _part(line, invoice.currency, tx) for line in invoice.lines if line.kind == "part"],
    )
    margin.count(invoice, await _notes(invoice, tx))
    tx.emit(tx.add(margin), InvoiceMarginCounted())
    return None


@interventions.on(CreditNoteIssued, since="2026-11-30")
async def lower_margin(event: CreditNoteIssued, tx: Tx) -> str | None:
    """Takes off what was credited of an invoice."""
    invoice = await tx.load(Invoice, event.state.invoice_id, SYSTEM)
    margin = await _margin(invoice, tx)
    if margin is None:
        return "a deposit, or counted with its credit notes when its issue is heard"
    before = margin.net
    margin.count(invoice, await _notes(invoice, tx))
    if margin.net == before:
        return "counted already"
    tx.emit(margin, InvoiceMarginChanged())
    return None


async def _margin(invoice: Invoice, tx: Tx) -> InvoiceMargin | None:
    return await tx.first(select(InvoiceMargin).where(InvoiceMargin.invoice_id == invoice.id))


async def _notes(invoice: Invoice, tx: Tx) -> Sequence[CreditNote]:
    return (await tx.session.scalars(select(CreditNote).where(CreditNote.invoice_id == invoice.id))).all()


async def _part(line: InvoiceLine, currency: Currency, tx: Tx) -> PartMargin:
    known = await tx.copies(ArticleCostView).where(parent=line.article_id).all() if line.article_id else []
    prices = [one.price for one in known if one.currency == currency]
    cost = rounded(line.quantity * prices[0], currency) if prices else None
    return PartMargin(description=line.description, amount=line.amount, cost=cost)
