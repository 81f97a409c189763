"""What clients and managers are told about réclamations."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.claims import (
    ReclamationClosed,
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationView,
    TechnicianAssigned,
)
from sav_contracts.interventions.visit import TechnicianView
from sav_contracts.reporting import FeedbackGiven, FeedbackInvited
from sav_notifier.app import notifier
from sav_notifier.model import Notification
from sav_notifier.people import client, managers, managers_and_admins
from sav_notifier.telling import signs, tell

LOW_RATING = 2


@notifier.on(ReclamationCreated)
async def confirm_reclamation(event: ReclamationCreated, tx: Tx) -> None:
    """The client has its reference, and what to do at once where there is danger; managers have work."""
    reclamation = event.state
    who = await client(tx, reclamation.client_id)
    urgent = reclamation.priority == "critical"
    facts = {
        "reference": reclamation.reference,
        "article": reclamation.article,
        "signs": signs(reclamation.safety),
    }
    await tell(tx, event, [who], "reclamation_received", "reclamation", **facts)
    await tell(
        tx,
        event,
        await (managers_and_admins(tx) if urgent else managers(tx)),
        "reclamation_new",
        "alert" if urgent else "reclamation",
        **facts,
        urgent=urgent,
        client=who.name,
        problem_type=reclamation.problem_type,
        description=reclamation.description,
    )


@notifier.on(ReclamationQualified)
async def say_who_pays(event: ReclamationQualified, tx: Tx) -> str | None:
    """The client learns that it is taken on and what warranty pays; another priority is not theirs to know."""
    reclamation = event.state
    told = await tx.first(
        select(Notification)
        .where(Notification.about_id == reclamation.id, Notification.template == "reclamation_qualified")
        .order_by(Notification.about_version.desc())
    )
    if told and told.facts["coverage"] == event.coverage:
        return "nothing new for the client"
    await tell(
        tx,
        event,
        [await client(tx, reclamation.client_id)],
        "reclamation_qualified",
        "reclamation",
        reference=reclamation.reference,
        article=reclamation.article,
        coverage=event.coverage,
        warranty=reclamation.warranty,
        again=told is not None,
    )
    return None


@notifier.on(TechnicianAssigned)
async def introduce_technician(event: TechnicianAssigned, tx: Tx) -> None:
    """The client learns who comes; the time follows when it stands in the calendar."""
    reclamation = event.state
    technician = await tx.view(TechnicianView, event.technician_id)
    await tell(
        tx,
        event,
        [await client(tx, reclamation.client_id)],
        "technician_assigned",
        "assignment",
        reference=reclamation.reference,
        article=reclamation.article,
        technician=technician.name,
        technician_id=technician.id,
        another=event.previous_technician_id is not None,
    )


@notifier.on(ReclamationMoved)
async def ask_to_check(event: ReclamationMoved, tx: Tx) -> str | None:
    """The client is asked whether it works again; other moves are internal or told by what caused them."""
    reclamation = event.state
    if event.after != "resolved":
        return "not for the client"
    await tell(
        tx,
        event,
        [await client(tx, reclamation.client_id)],
        "reclamation_resolved",
        "reclamation",
        reference=reclamation.reference,
        article=reclamation.article,
        resolution=reclamation.resolution,
    )
    return None


@notifier.on(ReclamationClosed)
async def confirm_closing(event: ReclamationClosed, tx: Tx) -> None:
    """The client learns that it is over."""
    reclamation = event.state
    await tell(
        tx,
        event,
        [await client(tx, reclamation.client_id)],
        "reclamation_closed",
        "reclamation",
        reference=reclamation.reference,
        article=reclamation.article,
    )


@notifier.on(FeedbackInvited)
async def invite_feedback(event: FeedbackInvited, tx: Tx) -> None:
    """The client is asked how the visit was."""
    reclamation = await tx.view(ReclamationView, event.state.reclamation_id)
    technician = await tx.view(TechnicianView, event.state.technician_id)
    await tell(
        tx,
        event,
        [await client(tx, event.state.client_id)],
        "feedback_invited",
        "feedback",
        reference=reclamation.reference,
        article=reclamation.article,
        technician=technician.name,
        open_until=event.state.open_until,
    )


@notifier.on(FeedbackGiven)
async def report_low_feedback(event: FeedbackGiven, tx: Tx) -> str | None:
    """Managers learn of an unhappy client."""
    feedback = event.state
    if feedback.rating is None or feedback.rating > LOW_RATING:
        return "no low rating"
    reclamation = await tx.view(ReclamationView, feedback.reclamation_id)
    technician = await tx.view(TechnicianView, feedback.technician_id)
    await tell(
        tx,
        event,
        await managers(tx),
        "feedback_low",
        "feedback",
        reference=reclamation.reference,
        client=(await client(tx, feedback.client_id)).name,
        technician=technician.name,
        rating=feedback.rating,
        comment=feedback.comment,
        contact_me=feedback.contact_me,
    )
    return None
