"""Invitations to give feedback."""

from datetime import date
from zoneinfo import ZoneInfo

from sav_chassis.tx import Tx
from sav_contracts.auth.policy import CutOffs
from sav_contracts.interventions.visit import InterventionClosed, InterventionView
from sav_contracts.reporting import FeedbackInvited
from sav_contracts.time_zone import CENTRAL
from sav_reporting.app import reporting
from sav_reporting.model import Feedback, feedback_id


@reporting.on(InterventionClosed)
async def ask_how_it_was(event: InterventionClosed, tx: Tx) -> str | None:
    """Invites the client of a completed visit to give feedback, once."""
    visit = event.state
    if event.outcome != "completed":
        return "not completed: the next visit is asked about"
    if await tx.exists(Feedback, feedback_id(visit.id)):
        return "asked already"
    feedback = tx.add(
        Feedback(
            id=feedback_id(visit.id),
            client_id=visit.client_id,
            technician_id=visit.technician_id,
            intervention_id=visit.id,
            reclamation_id=visit.reclamation_id,
            status="invited",
            contact_me=False,
            open_until=(visit.closed_at or tx.now) + (await tx.policy(CutOffs)).feedback,
            visit=visit.reclamation_reference or visit.reference,
            visited_on=_day(visit),
        )
    )
    tx.emit(feedback, FeedbackInvited())
    return None


def _day(visit: InterventionView) -> date | None:
    """The day there on which it was done."""
    if visit.done_at is None:
        return None
    return (
        visit.place.day(visit.done_at) if visit.place else visit.done_at.astimezone(ZoneInfo(CENTRAL)).date()
    )
