"""Bills what no warranty pays, after the visit is closed; closing never waits for billing."""

from zoneinfo import ZoneInfo

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.invoice import (
    Buyer,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceDrafted,
    InvoiceLine,
)
from sav_contracts.interventions.visit import InterventionClosed, WarrantyDecided
from sav_interventions.app import interventions
from sav_interventions.billing import lines_of, net_of, priced
from sav_interventions.model import Intervention
from sav_interventions.model.invoice import Invoice
from sav_interventions.settings import billing

NOTHING_TO_PAY = "a warranty pays everything"


@interventions.on(InterventionClosed)
async def bill_closed_visit(event: InterventionClosed, tx: Tx) -> str | None:
    """Drafts an invoice of what no warranty pays."""
    return await _bill(await tx.load(Intervention, event.state.id, SYSTEM), tx)


@interventions.on(WarrantyDecided)
async def bill_decided_visit(event: WarrantyDecided, tx: Tx) -> str | None:
    """Bills a closed visit that waited for this decision, or adapts its draft."""
    return await _bill(await tx.load(Intervention, event.state.id, SYSTEM), tx)


async def _bill(visit: Intervention, tx: Tx) -> str | None:
    if visit.closed_at is None:
        return "the visit is not closed"
    if visit.work is None:
        return "nothing was done"
    if visit.warranty is None or visit.warranty.decision == "unknown":
        return "a manager decides first who pays"
    product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
    client = await tx.view(ClientView, visit.client_id)
    place = product.place if product else visit.place
    older_dwelling = place is not None and place.dwelling_over_two_years
    law = billing().law
    lines = priced(lines_of(visit.work, visit.warranty, older_dwelling, law, client.locale))
    invoice = await tx.first(
        select(Invoice).where(
            Invoice.intervention_id == visit.id, Invoice.status.not_in(("discarded", "credited"))
        )
    )
    if invoice:
        return _rebill(invoice, lines, tx)
    if net_of(lines) == 0:
        return NOTHING_TO_PAY
    _draft(visit, client, place, lines, tx)
    return None


def _rebill(invoice: Invoice, lines: list[InvoiceLine], tx: Tx) -> str | None:
    if invoice.status != "draft":
        return "invoiced already"
    if invoice.lines == lines:
        return "drafted already"
    if invoice.edited:
        return "a manager wrote the lines"
    if net_of(lines) == 0:
        invoice.discard(NOTHING_TO_PAY)
        tx.emit(invoice, InvoiceDiscarded(reason=NOTHING_TO_PAY))
    else:
        invoice.itemise(lines, billing().law)
        tx.emit(invoice, InvoiceChanged())
    return None


def _draft(
    visit: Intervention, client: ClientView, place: Place | None, lines: list[InvoiceLine], tx: Tx
) -> None:
    law = billing().law
    invoice = tx.add(
        Invoice(
            id=tx.new_id(),
            client_id=visit.client_id,
            intervention_id=visit.id,
            reclamation_id=visit.reclamation_id,
            reclamation_reference=visit.reclamation_reference,
            status="draft",
            currency=law.currency,
            seller=billing().seller,
            buyer=Buyer(
                name=client.name,
                address=f"{place.address}, {place.postcode} {place.city}" if place else None,
            ),
            supplied_on=(visit.done_at or visit.closed_at or tx.now).astimezone(ZoneInfo(law.zone)).date(),
            paid=0,
            edited=False,
            mentions=[],
        )
    )
    invoice.itemise(lines, law)
    tx.emit(invoice, InvoiceDrafted())
