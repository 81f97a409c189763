"""What clients say about visits."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict
from sav_chassis.model import Aggregate
from sav_contracts.actor import Actor
from sav_contracts.reporting import FeedbackStatus, FeedbackView, GiveFeedback
from sav_reporting.lifecycle import FEEDBACK


class FeedbackOver(Conflict):
    """It is too late to say how a visit was."""

    code = "feedback_over"


def feedback_id(intervention_id: UUID) -> UUID:
    """A visit is asked about once, so its id says which feedback is on it."""
    return uuid5(intervention_id, "feedback")


class Feedback(Aggregate):
    """What a client was asked, and said, about one visit."""

    __tablename__ = "feedback"

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID]
    intervention_id: Mapped[UUID] = mapped_column(unique=True)
    reclamation_id: Mapped[UUID]
    status: Mapped[FeedbackStatus]
    rating: Mapped[int | None]
    recommend: Mapped[int | None]
    comment: Mapped[str | None]
    contact_me: Mapped[bool] = mapped_column(default=False)
    open_until: Mapped[datetime]

    def give(self, said: GiveFeedback, now: datetime, by: Actor) -> None:
        """Keeps what the client says now, in place of what they said before."""
        FEEDBACK.check(self.status, "given", by)
        if now > self.open_until:
            raise FeedbackOver(f"feedback on this visit was possible until {self.open_until:%Y-%m-%d}")
        self.status = "given"
        self.rating, self.recommend = said.rating, said.recommend
        self.comment, self.contact_me = said.comment, said.contact_me

    def view(self) -> FeedbackView:
        return FeedbackView.model_validate(self, from_attributes=True)
