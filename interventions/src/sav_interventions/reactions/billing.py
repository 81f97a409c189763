"""Bills what no warranty pays, after the visit is closed; closing never waits for billing."""

from datetime import date

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationView
from sav_contracts.interventions.credit_note import CreditNoteIssued
from sav_contracts.interventions.estimate import EstimateWithdrawn
from sav_contracts.interventions.invoice import (
    DepositLeftOver,
    InvoiceChanged,
    InvoiceDiscarded,
    Unestimated,
)
from sav_contracts.interventions.visit import InterventionClosed, WarrantyDecided
from sav_interventions.agreed_price import Price, price_of
from sav_interventions.agreement import is_billed, is_withdrawn, visits_of_case, work_of
from sav_interventions.app import interventions
from sav_interventions.billing import itemised
from sav_interventions.days import local_day
from sav_interventions.deposits import COUNTS, GIVEN_UP, tell_beyond, tell_left_over, waits_for_draft
from sav_interventions.drafting import draft
from sav_interventions.finding import open_visit
from sav_interventions.lifecycle import INTERVENTION
from sav_interventions.model import Estimate, Intervention
from sav_interventions.model.invoice import Invoice
from sav_interventions.replaced import standing
from sav_interventions.settings import billing
from sav_interventions.supplied import place_of, supply_of

NOT_CLOSED = "the visit is not closed"
NOTHING_DONE = "nothing was done"
UNDECIDED = "a manager decides first who pays"
WITHDRAWN = "its client withdrew, and owes nothing"
NOTHING_TO_PAY = "a warranty pays everything"
# Why a draft is discarded then, as managers read it.
ALL_COVERED = "Une garantie prend tout en charge."
NONE_OF_IT = "Rien de ce qui était convenu n’a été fait."


@interventions.on(InterventionClosed)
async def bill_closed_visit(event: InterventionClosed, tx: Tx) -> str | None:
    """Drafts an invoice of what no warranty pays."""
    return _why_not(await bill(await tx.load(Intervention, event.state.id, SYSTEM), tx))


@interventions.on(WarrantyDecided)
async def bill_decided_visit(event: WarrantyDecided, tx: Tx) -> str | None:
    """Bills a closed visit that waited for this decision, or adapts its draft; else tells of deposits that it makes too much."""
    visit = await tx.load(Intervention, event.state.id, SYSTEM)
    billed = await bill(visit, tx)
    if billed in {NOT_CLOSED, NOTHING_DONE}:
        await tell_beyond(visit, tx)
    return None if tx.has_emitted else _why_not(billed)


@interventions.on(EstimateWithdrawn, since="2026-11-30")
async def bill_part_done(event: EstimateWithdrawn, tx: Tx) -> str | None:
    """Adapts the drafts of work that was left incomplete: a part of the agreed price is owed for it now."""
    if event.owed == "nothing":
        return "nothing is owed"
    estimate = await tx.session.get(Estimate, event.state.id)
    assert estimate, "it is of this service"
    drafted = select(Invoice.intervention_id).where(~Invoice.deposit, Invoice.status == "draft")
    visits = work_of(estimate).where(Intervention.id.in_(drafted)).with_for_update()
    for visit in list(await tx.session.scalars(visits)):
        await bill(visit, tx)
    return None if tx.has_emitted else "no draft is to be adapted"


@interventions.on(ReclamationMoved, since="2026-11-30")
async def give_up_deposits(event: ReclamationMoved, tx: Tx) -> str | None:
    """Discards drafts of deposits for a réclamation that was given up, and tells of those that were issued."""
    why = GIVEN_UP.get(event.after)
    if why is None:
        return "the réclamation is not given up"
    deposits = select(Invoice).where(
        Invoice.reclamation_id == event.state.id,
        Invoice.deposit,
        Invoice.status.in_(("draft", *COUNTS)),
        Invoice.deducted_in.is_(None),
    )
    if await tx.session.scalar(deposits.with_only_columns(Invoice.id).limit(1)) is None:
        return "no deposit of it is open"
    reclamation = await tx.copies(ReclamationView).as_new_as(event.state)
    if reclamation.status not in GIVEN_UP:
        return f"obsolete: the réclamation is {reclamation.status}"
    # Locked before its deposits, as where its warranty is decided.
    visit = await open_visit(tx, reclamation.id)
    if visit and not INTERVENTION.allows(visit.status, "cancelled", SYSTEM):
        return "somebody is on site: it goes on"
    for deposit in list(await tx.session.scalars(deposits.order_by(Invoice.id).with_for_update())):
        if deposit.status == "draft":
            deposit.discard(why)
            tx.emit(deposit, InvoiceDiscarded(reason=why))
        elif not await waits_for_draft(deposit, tx):
            tx.emit(deposit, DepositLeftOver())
    return None if tx.has_emitted else "the draft of an invoice will deduct them"


async def adapt_draft(visit: Intervention, tx: Tx) -> None:
    """Adapts the draft of a locked visit to what was just decided: nobody issues it at the price of the decision before."""
    draft = await tx.first(standing(visit.id))
    if draft and draft.status == "draft":
        await bill(visit, tx)


@interventions.on(CreditNoteIssued, since="2026-11-30")
async def deduct_less(event: CreditNoteIssued, tx: Tx) -> str | None:
    """Says anew what the drafts of a case lack, of whose deposits less is left now."""
    if event.state.intervention_id is None:
        return "it is of no visit"
    visit = await tx.read(Intervention, event.state.intervention_id, SYSTEM)
    visits = visits_of_case(visit).with_only_columns(Intervention.id).order_by(None)
    drafts = select(Invoice).where(Invoice.intervention_id.in_(visits), Invoice.status == "draft")
    for invoice in list(await tx.session.scalars(drafts.order_by(Invoice.id).with_for_update())):
        if "deposits_exceed" in invoice.lacks:
            tx.emit(invoice, InvoiceChanged())
    return None if tx.has_emitted else "no draft waits for it"


def _why_not(billed: Invoice | str | None) -> str | None:
    return None if isinstance(billed, Invoice) else billed


async def bill(visit: Intervention, tx: Tx) -> Invoice | str | None:
    """The draft of a locked visit's invoice, made anew or adapted to the decision of today; or why there is none.

    None where nothing is to be paid, and somebody was told of a deposit.
    """
    if visit.closed_at is None:
        return NOT_CLOSED
    if visit.work is None:
        return NOTHING_DONE
    if visit.warranty is None or visit.warranty.decision == "unknown":
        return UNDECIDED
    if await is_withdrawn(visit, tx):
        return WITHDRAWN
    product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
    client = await tx.view(ClientView, visit.client_id)
    place = place_of(product, visit)
    supply = await supply_of(visit, product, place, _supplied_on(visit, tx), tx)
    price = await price_of(visit, supply, client.locale, tx)
    # What a diagnosis costs is told before; nobody needs an estimate of it.
    unestimated = Unestimated() if price.agreed is None and is_billed(visit) else None
    if invoice := await tx.first(standing(visit.id)):
        why_not = _rebill(invoice, price, unestimated, tx)
        if invoice.status == "discarded":
            await tell_left_over(visit, tx)
        return why_not
    if itemised(price.lines, price.discount, price.supply, billing().law).net == 0:
        await tell_left_over(visit, tx)
        return None if tx.has_emitted else NOTHING_TO_PAY
    return draft(
        price.lines,
        price.supply,
        client,
        place,
        tx,
        price.discount,
        agreed=price.agreed,
        unestimated=unestimated,
        intervention_id=visit.id,
        reclamation_id=visit.reclamation_id,
        reclamation_reference=visit.reclamation_reference,
    )


def _supplied_on(visit: Intervention, tx: Tx) -> date:
    return local_day(visit.done_at or visit.closed_at or tx.now)


def _rebill(invoice: Invoice, price: Price, unestimated: Unestimated | None, tx: Tx) -> str | None:
    if invoice.status != "draft":
        return "invoiced already"
    # What managers said of the supply stays.
    supply = invoice.supply or price.supply
    made = itemised(price.lines, price.discount, supply, billing().law)
    if (invoice.lines, invoice.vat) == (made.lines, made.vat):
        return "drafted already"
    if invoice.edited:
        return "a manager wrote the lines"
    if made.net == 0:
        why = ALL_COVERED if made.lines else NONE_OF_IT
        invoice.discard(why)
        tx.emit(invoice, InvoiceDiscarded(reason=why))
    else:
        invoice.itemise(price.lines, billing().law, supply, price.discount)
        invoice.agreed, invoice.unestimated = price.agreed, unestimated
        tx.emit(invoice, InvoiceChanged())
    return None
