"""Clients' feedback."""

from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select, text

from sav_chassis.errors import Conflict, NoSuch, NotYet
from sav_chassis.identity import Links
from sav_chassis.shared_refusals import LinkExpired
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.labels import label
from sav_contracts.reporting import (
    FeedbackAsked,
    FeedbackGiven,
    GetFeedbackByLink,
    GiveFeedback,
    GiveFeedbackByLink,
)
from sav_reporting.app import reporting
from sav_reporting.model import Feedback, feedback_id

# What is signed into the link of an invitation.
BY_LINK = "feedback"

VISIT = text("SELECT status, closed_at FROM visit_fact WHERE id = :id AND client_id = :me")

# How a visit ends on which nobody is asked how it was.
NOT_DONE = ("incomplete", "no_access", "cancelled", "declined")


class NotOver(Conflict):
    """The visit is not completed and closed yet, so there is no feedback to give."""

    code = "visit_not_over"
    en = "Say how it was once the visit is completed and its report validated"
    fr = "Donnez votre avis une fois l’intervention terminée et son rapport validé"


class NotDone(Conflict):
    """The visit ended without the work being done: feedback is given on the one that does it."""

    code = "visit_not_done"
    en = "On this visit the work was not done: give feedback on the visit that completes it"
    fr = (
        "Lors de cette intervention, le travail n’a pas été fait : "
        "donnez votre avis sur l’intervention qui le termine"
    )


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


@reporting.query(GetFeedbackByLink)
async def get_feedback_by_link(query: GetFeedbackByLink, tx: Tx, by: Actor) -> FeedbackAsked:
    """The feedback that a link asks for."""
    return _asked(await _linked(query.token, tx))


@reporting.command(GiveFeedbackByLink)
async def give_feedback_by_link(cmd: GiveFeedbackByLink, tx: Tx, by: Actor) -> FeedbackAsked:
    """Give the feedback that a link asks for, or replace it: whoever holds the link speaks for its client."""
    feedback = await _linked(cmd.token, tx)
    feedback.give(cmd, tx.now, Actor(id=feedback.client_id, role=Role.CLIENT))
    tx.emit(feedback, FeedbackGiven())
    return _asked(feedback)


async def _linked(token: SecretStr, tx: Tx) -> Feedback:
    """The feedback whose id was signed into this link, locked; `LinkExpired` where it was never ours."""
    id = Links(tx.settings.link_secret).grant(BY_LINK, token.get_secret_value())
    if id is None or not await tx.exists(Feedback, id):
        raise LinkExpired
    return await tx.load(Feedback, id, SYSTEM)


def _asked(feedback: Feedback) -> FeedbackAsked:
    return FeedbackAsked.model_validate(
        {name: getattr(feedback, name) for name in FeedbackAsked.model_fields}
    )


async def _why_not(visit_id: UUID, tx: Tx, by: Actor) -> Exception:
    """Why there is no feedback: no such visit of the caller, a visit not over, or an invitation still to come."""
    found = (await tx.session.execute(VISIT, {"id": visit_id, "me": by.id})).one_or_none()
    if found is None:
        return NoSuch(kind=label("intervention"), id=visit_id)
    if found.status in NOT_DONE:
        return NotDone()
    if found.status == "completed" and found.closed_at is not None:
        # Names the feedback, not the visit: the visit exists, and the caller need only wait.
        return NotYet(Feedback.kind(), feedback_id(visit_id))
    return NotOver()
