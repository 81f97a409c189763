"""What clients say."""

from uuid import UUID

from sqlalchemy import select, text

from sav_chassis.errors import Conflict, NotFound, NotYet
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.reporting import FeedbackGiven, GiveFeedback
from sav_reporting.app import reporting
from sav_reporting.model import Feedback, feedback_id

VISIT = text(
    "SELECT status = 'completed' AND closed_at IS NOT NULL FROM visit_fact WHERE id = :id AND client_id = :me"
)


class NotOver(Conflict):
    """The visit is not closed as completed, so nobody asks yet how it was."""

    code = "visit_not_over"


@reporting.command(GiveFeedback)
async def give_feedback(cmd: GiveFeedback, tx: Tx, by: Actor) -> Feedback:
    """Say how a closed visit was, or say it again."""
    of_visit = Feedback.id == feedback_id(cmd.intervention_id), Feedback.client_id == by.id
    feedback = await tx.first(select(Feedback).where(*of_visit))
    if feedback is None:
        raise await _why_not(cmd.intervention_id, tx, by)
    feedback.give(cmd, tx.now, by)
    tx.emit(FeedbackGiven, feedback)
    return feedback


async def _why_not(visit_id: UUID, tx: Tx, by: Actor) -> Exception:
    """There is no such visit of theirs, or it goes on, or the invitation is on its way."""
    over = await tx.session.scalar(VISIT, {"id": visit_id, "me": by.id})
    if over is None:
        return NotFound(f"there is no intervention {visit_id}")
    if over:
        # Not the visit's id: the caller named a visit that there is, and need only wait.
        return NotYet(Feedback.kind(), feedback_id(visit_id))
    return NotOver("say how it was once the visit is completed and its report validated")
