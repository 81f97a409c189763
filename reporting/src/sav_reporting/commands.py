"""Clients' feedback."""

from uuid import UUID

from sqlalchemy import select, text

from sav_chassis.errors import Conflict, NoSuch, NotYet
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.labels import label
from sav_contracts.reporting import FeedbackGiven, GiveFeedback
from sav_reporting.app import reporting
from sav_reporting.model import Feedback, feedback_id

VISIT = text(
    "SELECT status = 'completed' AND closed_at IS NOT NULL FROM visit_fact WHERE id = :id AND client_id = :me"
)


class NotOver(Conflict):
    """The visit is not completed and closed yet, so there is no feedback to give."""

    code = "visit_not_over"
    en = "Say how it was once the visit is completed and its report validated"
    fr = "Donnez votre avis une fois l’intervention terminée et son rapport validé"


@reporting.command(GiveFeedback)
async def give_feedback(cmd: GiveFeedback, tx: Tx, by: Actor) -> Feedback:
    """Give feedback on a closed visit, or replace it."""
    of_visit = Feedback.id == feedback_id(cmd.intervention_id), Feedback.client_id == by.id
    feedback = await tx.first(select(Feedback).where(*of_visit))
    if feedback is None:
        raise await _why_not(cmd.intervention_id, tx, by)
    feedback.give(cmd, tx.now, by)
    tx.emit(feedback, FeedbackGiven())
    return feedback


async def _why_not(visit_id: UUID, tx: Tx, by: Actor) -> Exception:
    """Why there is no feedback: no such visit of the caller, a visit not over, or an invitation still to come."""
    over = await tx.session.scalar(VISIT, {"id": visit_id, "me": by.id})
    if over is None:
        return NoSuch(kind=label("intervention"), id=visit_id)
    if over:
        # Names the feedback, not the visit: the visit exists, and the caller need only wait.
        return NotYet(Feedback.kind(), feedback_id(visit_id))
    return NotOver()
