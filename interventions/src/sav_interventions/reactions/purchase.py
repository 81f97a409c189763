"""Bills what a client bought, when it is shipped; and undoes that where they withdrew."""

from decimal import Decimal

from sqlalchemy import select

from sav_chassis.law.sale import sale
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.order import OrderShipped, OrderView, OrderWithdrawn
from sav_contracts.interventions.invoice import InvoiceDiscarded, Unestimated
from sav_contracts.interventions.line import LineGiven
from sav_interventions.app import interventions
from sav_interventions.billing import named
from sav_interventions.crediting import credit
from sav_interventions.days import local_day
from sav_interventions.drafting import draft
from sav_interventions.model.invoice import Invoice
from sav_interventions.reactions.estimate import UNDONE
from sav_interventions.settings import billing


@interventions.on(OrderShipped, since="2026-11-30")
async def bill_purchase(event: OrderShipped, tx: Tx) -> str | None:
    """Drafts an invoice of what a client bought, for the first of their addresses."""
    order, law = event.state, billing().law
    if order.purpose != "purchase":
        return "it is for a repair: its visit is billed"
    if order.currency != law.currency:
        return f"it is in {order.currency}, and invoices are in {law.currency}"
    if not any(line.unit_price for line in order.lines):
        return "there is nothing to pay"
    if await tx.first(select(Invoice).where(Invoice.order_id == order.id)):
        return "drafted already"
    client = await tx.view(ClientView, order.client_id)
    home = client.addresses[0] if client.addresses else None
    supply = sale(home, local_day(order.updated_at), law)
    draft(
        _bought(order),
        supply,
        client,
        home,
        tx,
        order_id=order.id,
        order_reference=order.reference,
        # Orders from before it was said have no price to keep to.
        unestimated=None if order.gross is None else Unestimated(gross=order.gross),
    )
    return None


@interventions.on(OrderWithdrawn)
async def undo_withdrawn_purchase(event: OrderWithdrawn, tx: Tx) -> str | None:
    """Discards the draft of a purchase from which its client withdrew, or credits what was issued.

    Nothing is owed any more, so nobody is asked for it again. What was paid becomes the client's credit; it is paid back
    once the goods are back, or the proof that they were sent (L221-24).
    """
    order = event.state
    billed = select(Invoice).where(Invoice.order_id == order.id, Invoice.status.not_in(UNDONE))
    invoice = await tx.first(billed)
    if invoice is None:
        return "there is no invoice"
    why = f"Rétractation de la commande {order.reference}"
    if invoice.status == "draft":
        invoice.discard(why)
        tx.emit(invoice, InvoiceDiscarded(reason=why))
        return None
    await credit(tx, invoice, None, why, SYSTEM, withdrawn_from=order.reference)
    return None


def _bought(order: OrderView) -> list[LineGiven]:
    return [
        LineGiven(
            kind="part",
            description=named(line.article, line.reference),
            quantity=Decimal(line.quantity),
            unit="piece",
            unit_price=line.unit_price,
            vat_class=line.vat_class,
            article_id=line.article_id,
        )
        for line in order.lines
    ]
