"""What clients, technicians and managers are told about visits."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.calendar import AppointmentBooked, AppointmentCancelled, ConflictDetected
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims import ReclamationView, Slot
from sav_contracts.interventions.report import ReportSentBack, ReportSubmitted, ReportValidated
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionScheduled,
    InterventionView,
    TechnicianView,
    WarrantyDecided,
)
from sav_notifier.app import notifier
from sav_notifier.model import Notification
from sav_notifier.people import client, managers, technician
from sav_notifier.telling import signs, tell


@notifier.on(InterventionPlanned)
async def announce_visit(event: InterventionPlanned, tx: Tx) -> str | None:
    """The technician has a new visit: what and where; its time follows when it stands in the calendar."""
    if event.slot:
        return "its time is being put into the calendar"
    await _tell_technician(tx, event, "visit_planned", None)
    return None


@notifier.on(InterventionScheduled)
async def tell_technician_the_time(event: InterventionScheduled, tx: Tx) -> None:
    """The technician learns when a visit takes place, with what and where; the first they hear of it, or not."""
    known = await _was_told_of(tx, event.state)
    await _tell_technician(tx, event, "visit_booked" if known else "visit_planned", event.slot)


@notifier.on(InterventionMoved)
async def tell_of_move(event: InterventionMoved, tx: Tx) -> str | None:
    """On the way: the client; declined: managers; cancelled: the technician who knew of it, unless it was them."""
    visit = event.state
    facts: dict[str, Any] = {"reference": visit.reclamation_reference}
    match event.after:
        case "en_route":
            facts |= {"technician": await _name(tx, visit.technician_id)}
            people = [await client(tx, visit.client_id)]
            await tell(tx, event, people, "technician_on_the_way", "appointment", **facts)
        case "declined":
            facts |= {"technician": await _name(tx, visit.technician_id), "reason": event.reason}
            await tell(tx, event, await managers(tx), "visit_declined", "alert", **facts)
        case "cancelled" if tx.context.actor_id != visit.technician_id and await _was_told_of(tx, visit):
            facts |= {"start": visit.slot and visit.slot.start, "end": visit.slot and visit.slot.end}
            people = [await technician(tx, visit.technician_id)]
            await tell(tx, event, people, "visit_cancelled", "assignment", **facts)
        case _:
            return "nobody is told of this move"
    return None


@notifier.on(AppointmentBooked)
async def confirm_appointment(event: AppointmentBooked, tx: Tx) -> None:
    """The client knows when the technician arrives."""
    appointment = event.state
    await tell(
        tx,
        event,
        [await client(tx, appointment.client_id)],
        "appointment_booked",
        "appointment",
        reference=appointment.reclamation_reference,
        intervention_id=appointment.intervention_id,
        technician=await _name(tx, appointment.technician_id),
        start=appointment.start,
        end=appointment.end,
        arrival_from=appointment.arrival_from,
        arrival_until=appointment.arrival_until,
        zone=appointment.zone,
    )


@notifier.on(AppointmentCancelled)
async def tell_of_cancelled_appointment(event: AppointmentCancelled, tx: Tx) -> str | None:
    """The client learns that nobody comes then, where they were told that somebody would."""
    appointment = event.state
    told = await tx.first(
        select(Notification).where(
            Notification.about_id == appointment.id, Notification.template == "appointment_booked"
        )
    )
    if told is None:
        return "the client was never told of it"
    await tell(
        tx,
        event,
        [await client(tx, appointment.client_id)],
        "appointment_cancelled",
        "appointment",
        reference=appointment.reclamation_reference,
        arrival_from=appointment.arrival_from,
        arrival_until=appointment.arrival_until,
        zone=appointment.zone,
    )
    return None


@notifier.on(ConflictDetected)
async def report_conflict(event: ConflictDetected, tx: Tx) -> None:
    """Managers decide about a visit that does not fit into the calendar."""
    conflict = event.state
    await tell(
        tx,
        event,
        await managers(tx),
        "visit_conflict",
        "alert",
        reference=conflict.reclamation_reference,
        technician=await _name(tx, conflict.technician_id),
        problem=conflict.problem,
        start=conflict.wanted.start,
        end=conflict.wanted.end,
        proposals=conflict.proposals,
    )


@notifier.on(WarrantyDecided)
async def ask_for_warranty(event: WarrantyDecided, tx: Tx) -> str | None:
    """Managers decide where nobody knows who pays."""
    visit = event.state
    if event.decision != "unknown":
        return "it is decided"
    reclamation = await tx.view(ReclamationView, visit.reclamation_id)
    await tell(
        tx,
        event,
        await managers(tx),
        "warranty_to_decide",
        "reclamation",
        reference=visit.reclamation_reference,
        article=reclamation.article,
        why=visit.warranty and visit.warranty.why,
    )
    return None


@notifier.on(ReportSubmitted)
async def ask_to_validate(event: ReportSubmitted, tx: Tx) -> None:
    """Managers have a report to read."""
    visit = await tx.view(InterventionView, event.state.intervention_id)
    await tell(
        tx,
        event,
        await managers(tx),
        "report_to_validate",
        "reclamation",
        reference=visit.reclamation_reference,
        technician=await _name(tx, visit.technician_id),
        signature_refused=event.state.signature_refused,
    )


@notifier.on(ReportSentBack)
async def return_report(event: ReportSentBack, tx: Tx) -> None:
    """The technician learns what is missing in the report."""
    visit = await tx.view(InterventionView, event.state.intervention_id)
    await tell(
        tx,
        event,
        [await technician(tx, event.technician_id)],
        "report_sent_back",
        "assignment",
        reference=visit.reclamation_reference,
        reason=event.reason,
    )


@notifier.on(ReportValidated)
async def announce_report(event: ReportValidated, tx: Tx) -> None:
    """The client may read the report."""
    reclamation = await tx.view(ReclamationView, event.state.reclamation_id)
    await tell(
        tx,
        event,
        [await client(tx, reclamation.client_id)],
        "report_available",
        "reclamation",
        reference=reclamation.reference,
        article=reclamation.article,
        recommendations=event.state.recommendations,
    )


async def _tell_technician(
    tx: Tx, event: InterventionPlanned | InterventionScheduled, template: str, slot: Slot | None
) -> None:
    visit = event.state
    reclamation = await tx.view(ReclamationView, visit.reclamation_id)
    product = await _product(tx, visit.product_id)
    await tell(
        tx,
        event,
        [await technician(tx, visit.technician_id)],
        template,
        "appointment" if template == "visit_booked" else "assignment",
        reference=visit.reclamation_reference,
        article=reclamation.article,
        problem_type=reclamation.problem_type,
        client=(await client(tx, visit.client_id)).name,
        place=product and product.place,
        signs=signs(reclamation.safety),
        start=slot and slot.start,
        end=slot and slot.end,
    )


async def _was_told_of(tx: Tx, visit: InterventionView) -> bool:
    """Whether its technician has heard of the visit."""
    announced = select(Notification).where(
        Notification.about_id == visit.id, Notification.template == "visit_planned"
    )
    return await tx.first(announced) is not None


async def _product(tx: Tx, id: UUID | None) -> ProductView | None:
    return await tx.view(ProductView, id) if id else None


async def _name(tx: Tx, technician_id: UUID) -> str:
    return (await tx.view(TechnicianView, technician_id)).name
