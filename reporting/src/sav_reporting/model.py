"""Clients' feedback on visits."""

from datetime import date, datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate
from sav_contracts.actor import Actor
from sav_contracts.reporting import FeedbackStatus, FeedbackView, FeedbackWritten
from sav_contracts.time_zone import CENTRAL
from sav_reporting.lifecycle import FEEDBACK


class FeedbackOver(Conflict):
    """It is too late to give feedback on this visit."""

    code = "feedback_over"
    until: date
    en = "Feedback on this visit was possible until {until}"
    fr = "Vous pouviez donner votre avis sur cette intervention jusqu’au {until}"


def feedback_id(intervention_id: UUID) -> UUID:
    """The id of the feedback on a visit; each visit has at most one, so the id derives from the visit's."""
    return uuid5(intervention_id, "feedback")


class Feedback(Aggregate[FeedbackView], Stateful[FeedbackStatus]):
    """A client's feedback on one visit, from the invitation on."""

    __tablename__ = "feedback"
    lifecycle = FEEDBACK

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID]
    intervention_id: Mapped[UUID] = mapped_column(unique=True)
    reclamation_id: Mapped[UUID | None]
    status: Mapped[FeedbackStatus]
    rating: Mapped[int | None]
    recommend: Mapped[int | None]
    comment: Mapped[str | None]
    contact_me: Mapped[bool] = mapped_column(default=False)
    open_until: Mapped[datetime]
    visit: Mapped[str | None]
    visited_on: Mapped[date | None]

    def give(self, said: FeedbackWritten, now: datetime, by: Actor) -> None:
        """Sets the client's feedback, replacing any before; raises `FeedbackOver` after `open_until`."""
        self.move("given", by)
        if now > self.open_until:
            raise FeedbackOver(until=self.open_until.astimezone(ZoneInfo(CENTRAL)).date())
        self.rating, self.recommend = said.rating, said.recommend
        self.comment, self.contact_me = said.comment, said.contact_me
