"""Counts what is left of an invoice, with what its parts cost on that day."""

from decimal import Decimal

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.catalog.article_cost import ArticleCostView
from sav_contracts.interventions.invoice import InvoiceIssued
from sav_contracts.interventions.line import InvoiceLine
from sav_contracts.interventions.margin import InvoiceMarginCounted, PartMargin
from sav_contracts.money import Currency, as_money, rounded
from sav_interventions.app import interventions
from sav_interventions.model.margin import InvoiceMargin


@interventions.on(InvoiceIssued, since="2026-11-30")
async def count_margin(event: InvoiceIssued, tx: Tx) -> str | None:
    """Keeps what is left of an invoice, other than a deposit. Costs that nobody has said count as nothing, and are numbered."""
    invoice = event.state
    if invoice.deposit:
        return "a deposit: the final invoice is counted, whose net holds it"
    if await tx.first(select(InvoiceMargin).where(InvoiceMargin.invoice_id == invoice.id)):
        return "counted already"
    parts = [await _part(line, invoice.currency, tx) for line in invoice.lines if line.kind == "part"]
    cost = as_money(sum((part.cost for part in parts if part.cost is not None), Decimal(0)))
    margin = InvoiceMargin(
        id=tx.new_id(),
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        currency=invoice.currency,
        parts=parts,
        net=invoice.net,
        cost=cost,
        margin=as_money(invoice.net - cost),
        unknown=sum(part.cost is None for part in parts),
    )
    tx.emit(tx.add(margin), InvoiceMarginCounted())
    return None


async def _part(line: InvoiceLine, currency: Currency, tx: Tx) -> PartMargin:
    known = await tx.copies(ArticleCostView).where(parent=line.article_id).all() if line.article_id else []
    prices = [one.price for one in known if one.currency == currency]
    cost = rounded(line.quantity * prices[0], currency) if prices else None
    return PartMargin(description=line.description, amount=line.amount, cost=cost)
