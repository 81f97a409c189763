"""What follows from estimates, and what they follow.

They go to whoever comes; deliveries begin the time to withdraw. A refusal and a withdrawal undo what was planned, and
billed.
"""

from sqlalchemy import and_, or_, select

from sav_chassis.law.withdrawal import delivered
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.estimate import (
    EstimateAccepted,
    EstimateChanged,
    EstimateRefused,
    EstimateWithdrawn,
)
from sav_contracts.interventions.invoice import InvoiceDiscarded
from sav_contracts.interventions.visit import InterventionMoved, InterventionPlanned
from sav_interventions.agreement import (
    Case,
    is_diagnosis,
    is_to_cancel,
    of_same_case,
    of_this_job,
    stops_with,
    visits_of_case,
    work_of,
)
from sav_interventions.app import interventions
from sav_interventions.checkouts import end_checkouts
from sav_interventions.concluded import too_early_until
from sav_interventions.crediting import credit
from sav_interventions.lifecycle import OVER
from sav_interventions.model import Estimate, Intervention, Invoice
from sav_interventions.model.payment import Payment
from sav_interventions.reactions.visit import cancel

# Nothing of these is left to undo.
UNDONE = ("discarded", "credited")
# A code, like `reassigned`.
WITHDRAWN, REFUSED = "estimate_withdrawn", "estimate_refused"


@interventions.on(InterventionPlanned, since="2026-11-30")
async def hand_over_estimates(event: InterventionPlanned, tx: Tx) -> str | None:
    """Gives the estimates of a job to the technician who comes now: they read them, and write the next edition."""
    visit = await tx.load(Intervention, event.state.id, SYSTEM)
    if visit.status in OVER:
        return f"obsolete: the visit is {visit.status}"
    await Case.of(visit).lock(tx)
    for estimate in await of_this_job(visit, tx, locked=True):
        if estimate.technician_id != visit.technician_id:
            estimate.technician_id = visit.technician_id
            tx.emit(estimate, EstimateChanged())
    return None if tx.has_emitted else "there is none of somebody else"


@interventions.on(InterventionMoved, since="2026-11-30")
async def count_from_delivery(event: InterventionMoved, tx: Tx) -> str | None:
    """What was sold with its fitting is delivered with the completed visit: the days to withdraw count from then."""
    if event.after != "completed" or event.state.done_at is None:
        return "nothing was delivered"
    visit = await tx.session.get(Intervention, event.state.id)
    assert visit, "it is of this service"
    if is_diagnosis(visit):
        return "a diagnosis delivers nothing"
    waiting = of_same_case(visit).where(Estimate.status == "accepted")
    for estimate in await tx.session.scalars(waiting.with_for_update()):
        right = estimate.withdrawal
        if right.counts_from == "delivery" and right.until is None:
            estimate.withdrawal = delivered(right, estimate.day(event.state.done_at), estimate.place)
            tx.emit(estimate, EstimateChanged())
    return None if tx.has_emitted else "no time to withdraw counts from it"


@interventions.on(EstimateAccepted, since="2026-11-30")
async def end_early_checkouts(event: EstimateAccepted, tx: Tx) -> str | None:
    """Ends checkouts that were begun before a contract for which nothing may be taken as yet."""
    estimate = await tx.session.get(Estimate, event.state.id)
    assert estimate, "it is of this service"
    case = visits_of_case(estimate).with_only_columns(Intervention.id).order_by(None)
    begun = select(Payment.invoice_id).where(Payment.status == "initiated")
    invoices = select(Invoice).where(Invoice.intervention_id.in_(case), Invoice.id.in_(begun))
    for invoice in list(await tx.session.scalars(invoices.order_by(Invoice.id).with_for_update())):
        if await too_early_until(invoice, tx):
            await end_checkouts(invoice, tx, whatever_they_ask=True)
    return None if tx.has_emitted else "no checkout is open that may not be paid as yet"


@interventions.on(EstimateRefused, since="2026-11-30")
async def cancel_refused_work(event: EstimateRefused, tx: Tx) -> str | None:
    """Cancels the visits that were to do the work, unless another edition was written meanwhile."""
    if not event.cancels:
        return "no visit waited for this answer alone"
    estimate = await tx.session.get(Estimate, event.state.id)
    assert estimate, "it is of this service"
    for visit in await stops_with(estimate, tx):
        cancel(visit, REFUSED, tx)
    return None if tx.has_emitted else "no visit is still to come, or another edition is there"


@interventions.on(EstimateWithdrawn, since="2026-11-30")
async def cancel_withdrawn_visits(event: EstimateWithdrawn, tx: Tx) -> str | None:
    """Cancels the visits that were to do the work. One that has begun is its technician's and a manager's to end."""
    estimate = await tx.session.get(Estimate, event.state.id)
    assert estimate, "it is of this service"
    for visit in await tx.session.scalars(work_of(estimate).with_for_update()):
        if is_to_cancel(visit):
            cancel(visit, WITHDRAWN, tx)
    return None if tx.has_emitted else "no visit is still to come"


@interventions.on(EstimateWithdrawn, since="2026-11-30")
async def undo_withdrawn_invoices(event: EstimateWithdrawn, tx: Tx) -> str | None:
    """Discards drafts for the work and credits what was issued, deposits too; where a part is owed, only drafts of deposits."""
    estimate = await tx.session.get(Estimate, event.state.id)
    assert estimate, "it is of this service"
    assert estimate.accepted, "it was accepted"
    work, case = (
        visits.with_only_columns(Intervention.id).order_by(None)
        for visits in (work_of(estimate), visits_of_case(estimate))
    )
    of_contract = or_(
        Invoice.intervention_id.in_(work),
        # A deposit may be asked for on the visit that the estimate was written on.
        and_(Invoice.deposit, Invoice.intervention_id.in_(case), Invoice.created_at > estimate.accepted.at),
    )
    why = f"Rétractation du devis {event.state.called}"
    billed = select(Invoice).where(of_contract, Invoice.status.not_in(UNDONE))
    if event.owed != "nothing":
        # What was done is owed: it is billed (`bill_part_done`), and managers credit the rest.
        billed = billed.where(Invoice.deposit, Invoice.status == "draft")
    # As issuing does, a final invoice is locked, and credited, before the deposits that it deducts.
    ordered = billed.order_by(Invoice.deposit, Invoice.id.desc())
    for invoice in list(await tx.session.scalars(ordered.with_for_update())):
        if invoice.status == "draft":
            invoice.discard(why)
            tx.emit(invoice, InvoiceDiscarded(reason=why))
        # A deposit that is deducted still went into an invoice that stays, such as that of the diagnosis.
        elif invoice.deducted_in is None:
            await credit(tx, invoice, None, why, SYSTEM, withdrawn_from=event.state.called)
    return None if tx.has_emitted else "there is no invoice to undo"
