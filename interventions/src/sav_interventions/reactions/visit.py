"""Visits follow assignments and the calendar."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    AppointmentMissedByTechnician,
    AppointmentMoved,
    AppointmentView,
)
from sav_contracts.claims.reclamation import OVER as RECLAMATION_OVER
from sav_contracts.claims.reclamation import (
    ReclamationClosed,
    ReclamationMoved,
    ReclamationStatus,
    ReclamationView,
    TechnicianAssigned,
    TechnicianUnassigned,
)
from sav_contracts.claims.visits import NOT_PLANNABLE, PlannedVisitRefused
from sav_contracts.interventions.new_visit import InterventionUnscheduled, PlannedVisitOver
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    EndingRefused,
    InterventionChanged,
    InterventionMoved,
    InterventionPlanned,
    InterventionScheduled,
    WarrantyDecided,
)
from sav_contracts.slot import Slot
from sav_interventions.app import interventions
from sav_interventions.finding import open_visit
from sav_interventions.lifecycle import INTERVENTION, NOBODY_CAME, OVER
from sav_interventions.model import Intervention
from sav_interventions.reactions.warranty import warranty_for

# States of a réclamation in which nobody has to come.
NO_MORE_VISITS: frozenset[ReclamationStatus] = frozenset({"resolved", *RECLAMATION_OVER})


@interventions.on(TechnicianAssigned)
async def plan_intervention(event: TechnicianAssigned, tx: Tx) -> str | None:
    """Plans a visit of the assigned technician, replacing the open visit of another one."""
    reclamation = event.state
    if await _is_overtaken(tx, reclamation):
        return "obsolete: assigned anew since"
    warranty = await warranty_for(tx, reclamation)
    visit = await open_visit(tx, reclamation.id)
    if visit is None and (by_hand := await _by_hand(tx, event)):
        if by_hand.status not in NOBODY_CAME:
            return f"their visit was planned by hand, and is {by_hand.status}"
        tx.emit(by_hand, PlannedVisitOver())
        return None
    if visit and visit.technician_id == event.technician_id:
        return _keep(visit, reclamation, tx)
    if visit and not INTERVENTION.allows(visit.status, "cancelled", SYSTEM):
        tx.emit(visit, AssignmentRefused(refused_technician_id=event.technician_id))
        return None
    if visit:
        cancel(visit, "reassigned", tx)
        await tx.flush()  # one open visit at a time: the old one ends before the new one begins
        if visit.warranty and visit.warranty.overrules(warranty):
            warranty = visit.warranty
    planned = tx.add(
        Intervention(
            id=tx.new_id(),
            client_id=reclamation.client_id,
            technician_id=event.technician_id,
            reclamation_id=reclamation.id,
            reclamation_reference=reclamation.reference,
            article=reclamation.article,
            assignment=reclamation.assignment,
            status="planned",
            product_id=reclamation.product_id,
            place=reclamation.place,
            skills_needed=reclamation.skills_needed,
            reported_at=reclamation.created_at,
            warranty=warranty,
            follows_id=visit.follows_id if visit else None,
        )
    )
    tx.emit(planned, InterventionPlanned(slot=event.slot, outside_hours=event.outside_hours))
    tx.emit(planned, WarrantyDecided(decision=warranty.decision, reason=warranty.reason))
    return None


@interventions.on(ReclamationMoved, since="2026-11-29")
@interventions.on(ReclamationClosed, since="2026-11-29")
@interventions.on(TechnicianUnassigned, since="2026-11-29")
async def cancel_visit(
    event: ReclamationMoved | ReclamationClosed | TechnicianUnassigned, tx: Tx
) -> str | None:
    """Cancels the visit of a réclamation that ended or lost its technician, unless they are already on site."""
    reclamation = event.state
    now = "unassigned" if isinstance(event, TechnicianUnassigned) else _ended(event)
    if now is None:
        return "the réclamation goes on"
    visit = await open_visit(tx, reclamation.id)
    if visit is None or visit.assignment > reclamation.assignment:
        return "it has no open visit"
    if not INTERVENTION.allows(visit.status, "cancelled", SYSTEM):
        tx.emit(visit, EndingRefused(refused=reclamation.status, assignment=reclamation.assignment))
        return None
    # A code, like `reassigned`.
    cancel(visit, now if now == "unassigned" else f"reclamation_{now}", tx)
    return None


@interventions.on(PlannedVisitRefused)
async def cancel_refused_visit(event: PlannedVisitRefused, tx: Tx) -> str | None:
    """Cancels a visit that was planned by hand too late for its réclamation, unless its technician is on site already."""
    reclamation = event.state
    visit = await tx.load(Intervention, event.intervention_id, SYSTEM)
    if visit.status in OVER:
        return "it is over"
    if not INTERVENTION.allows(visit.status, "cancelled", SYSTEM):
        tx.emit(visit, EndingRefused(refused=reclamation.status, assignment=reclamation.assignment))
        return None
    ended = reclamation.status in NOT_PLANNABLE
    cancel(visit, f"reclamation_{reclamation.status}" if ended else "reassigned", tx)
    return None


def cancel(visit: Intervention, reason: str, tx: Tx) -> None:
    """Cancels a visit as news decide it; the reason is a code."""
    before = visit.status
    visit.move("cancelled", SYSTEM, reason)
    visit.note_move(SYSTEM, tx.now)
    tx.emit(visit, InterventionMoved(before=before, after="cancelled", reason=reason))


def _ended(event: ReclamationMoved | ReclamationClosed) -> ReclamationStatus | None:
    after = "closed" if isinstance(event, ReclamationClosed) else event.after
    return after if after in NO_MORE_VISITS else None


@interventions.on(AppointmentBooked)
@interventions.on(AppointmentChanged)
@interventions.on(AppointmentMoved)
async def take_the_slot(
    event: AppointmentBooked | AppointmentChanged | AppointmentMoved, tx: Tx
) -> str | None:
    """Sets a visit's slot from its appointment, as long as the technician has not set out."""
    appointment = event.state
    if appointment.status != "booked":
        return f"it is {appointment.status}"
    visit = await _visit_of(tx, appointment)
    if visit is None or visit.technician_id != appointment.technician_id:
        return "obsolete: they have no open visit for it"
    if appointment.intervention_id not in {None, visit.id}:
        return "obsolete: it is about an earlier visit"
    slot = Slot(start=appointment.start, end=appointment.end)
    if visit.slot == slot:
        return "known"
    if visit.status not in {"planned", "accepted"}:
        return f"obsolete: the visit is {visit.status}"
    visit.slot = slot
    tx.emit(visit, InterventionScheduled(slot=slot))
    return None


@interventions.on(AppointmentCancelled, since="2026-11-30")
@interventions.on(AppointmentMissedByTechnician)
async def lose_the_slot(event: AppointmentCancelled | AppointmentMissedByTechnician, tx: Tx) -> str | None:
    """A visit whose time was called off, or to which nobody came, waits for another time."""
    appointment = event.state
    if isinstance(event, AppointmentCancelled) and not event.called_off:
        return "whatever took its place says when the visit is"
    visit = await _visit_of(tx, appointment)
    slot = Slot(start=appointment.start, end=appointment.end)
    if visit is None or visit.id != appointment.intervention_id or visit.slot != slot:
        return "obsolete: that is not the time of the visit"
    if visit.status not in {"planned", "accepted"}:
        return f"obsolete: the visit is {visit.status}"
    visit.slot = None
    tx.emit(visit, InterventionUnscheduled(before=slot))
    return None


def _keep(visit: Intervention, reclamation: ReclamationView, tx: Tx) -> str | None:
    """The same technician was assigned again: their open visit now belongs to the new assignment."""
    if visit.assignment >= reclamation.assignment:
        return "their visit is planned already"
    visit.assignment = reclamation.assignment
    tx.emit(visit, InterventionChanged())
    return None


async def _is_overtaken(tx: Tx, reclamation: ReclamationView) -> bool:
    """Whether a later assignment has a visit already, in any state."""
    later = select(Intervention).where(
        Intervention.reclamation_id == reclamation.id, Intervention.assignment > reclamation.assignment
    )
    return await tx.first(later) is not None


async def _by_hand(tx: Tx, event: TechnicianAssigned) -> Intervention | None:
    """The visit by hand for which it was assigned, where that is over. Where nobody came, claims takes it back."""
    theirs = select(Intervention).where(
        Intervention.reclamation_id == event.state.id,
        Intervention.assignment == event.state.assignment,
        Intervention.technician_id == event.technician_id,
        Intervention.by_hand,
    )
    return await tx.first(theirs.order_by(Intervention.created_at.desc()))


async def _visit_of(tx: Tx, appointment: AppointmentView) -> Intervention | None:
    """The open visit to which the appointment gives a time."""
    if appointment.reclamation_id:
        return await open_visit(tx, appointment.reclamation_id)
    return await tx.first(
        select(Intervention).where(
            Intervention.id == appointment.intervention_id, Intervention.status.not_in(OVER)
        )
    )
