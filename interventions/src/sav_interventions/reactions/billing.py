"""Bills what no warranty pays, after the visit is closed; closing never waits for billing."""

from datetime import date

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationMoved
from sav_contracts.interventions.invoice import (
    DepositLeftOver,
    InvoiceChanged,
    InvoiceDiscarded,
)
from sav_contracts.interventions.visit import InterventionClosed, WarrantyDecided
from sav_interventions.agreed_price import Price, price_of
from sav_interventions.agreement import is_withdrawn
from sav_interventions.app import interventions
from sav_interventions.billing import itemised
from sav_interventions.days import local_day
from sav_interventions.deposits import COUNTS, GIVEN_UP, tell_left_over
from sav_interventions.drafting import draft
from sav_interventions.model import Intervention
from sav_interventions.model.invoice import Invoice
from sav_interventions.settings import billing
from sav_interventions.supplied import place_of, supply_of

NOTHING_TO_PAY = "a warranty pays everything"
# Why a draft is discarded then, as managers read it.
ALL_COVERED = "Une garantie prend tout en charge."


@interventions.on(InterventionClosed)
async def bill_closed_visit(event: InterventionClosed, tx: Tx) -> str | None:
    """Drafts an invoice of what no warranty pays."""
    return await _bill(await tx.load(Intervention, event.state.id, SYSTEM), tx)


@interventions.on(WarrantyDecided)
async def bill_decided_visit(event: WarrantyDecided, tx: Tx) -> str | None:
    """Bills a closed visit that waited for this decision, or adapts its draft."""
    return await _bill(await tx.load(Intervention, event.state.id, SYSTEM), tx)


@interventions.on(ReclamationMoved, since="2026-11-30")
async def give_up_deposits(event: ReclamationMoved, tx: Tx) -> str | None:
    """Discards drafts of deposits for a réclamation that was given up, and tells of those that were issued."""
    why = GIVEN_UP.get(event.after)
    if why is None:
        return "the réclamation is not given up"
    open_ones = select(Invoice).where(
        Invoice.reclamation_id == event.state.id, Invoice.status.in_(("draft", *COUNTS))
    )
    billed = await tx.session.scalar(open_ones.where(~Invoice.deposit).limit(1))
    deposits = open_ones.where(Invoice.deposit, Invoice.deducted_in.is_(None)).order_by(Invoice.id)
    for deposit in list(await tx.session.scalars(deposits.with_for_update())):
        if deposit.status == "draft":
            deposit.discard(why)
            tx.emit(deposit, InvoiceDiscarded(reason=why))
        elif not billed:
            tx.emit(deposit, DepositLeftOver())
    return None if tx.has_emitted else "no deposit of it is open"


async def _bill(visit: Intervention, tx: Tx) -> str | None:
    if visit.closed_at is None:
        return "the visit is not closed"
    if visit.work is None:
        return "nothing was done"
    if visit.warranty is None or visit.warranty.decision == "unknown":
        return "a manager decides first who pays"
    if await is_withdrawn(visit, tx):
        return "its client withdrew, and owes nothing"
    product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
    client = await tx.view(ClientView, visit.client_id)
    place = place_of(product, visit)
    supply = await supply_of(visit, product, place, _supplied_on(visit, tx), tx)
    price = await price_of(visit, supply, client.locale, tx)
    invoice = await tx.first(
        select(Invoice).where(
            Invoice.intervention_id == visit.id,
            ~Invoice.deposit,
            Invoice.status.not_in(("discarded", "credited")),
        )
    )
    if invoice:
        why_not = _rebill(invoice, price, tx)
        if invoice.status == "discarded":
            await tell_left_over(visit, tx)
        return why_not
    if itemised(price.lines, price.discount, price.supply, billing().law).net == 0:
        await tell_left_over(visit, tx)
        return None if tx.has_emitted else NOTHING_TO_PAY
    draft(
        price.lines,
        price.supply,
        client,
        place,
        tx,
        price.discount,
        agreed=price.agreed,
        intervention_id=visit.id,
        reclamation_id=visit.reclamation_id,
        reclamation_reference=visit.reclamation_reference,
    )
    return None


def _supplied_on(visit: Intervention, tx: Tx) -> date:
    return local_day(visit.done_at or visit.closed_at or tx.now)


def _rebill(invoice: Invoice, price: Price, tx: Tx) -> str | None:
    if invoice.status != "draft":
        return "invoiced already"
    # What managers said of the supply stays.
    supply = invoice.supply or price.supply
    made = itemised(price.lines, price.discount, supply, billing().law)
    if invoice.lines == made.lines:
        return "drafted already"
    if invoice.edited:
        return "a manager wrote the lines"
    if made.net == 0:
        invoice.discard(ALL_COVERED)
        tx.emit(invoice, InvoiceDiscarded(reason=ALL_COVERED))
    else:
        invoice.itemise(price.lines, billing().law, supply, price.discount)
        invoice.agreed = price.agreed
        tx.emit(invoice, InvoiceChanged())
    return None
