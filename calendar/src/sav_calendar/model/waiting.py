"""Clients who wait for an earlier time."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.orm import Mapped, mapped_column

from sav_calendar.lifecycle import EARLIER
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.calendar.waiting import EarlierStatus, EarlierVisitView
from sav_contracts.slot import Slot


class EarlierVisit(Aggregate[EarlierVisitView], Stateful[EarlierStatus]):
    """The wish for an earlier visit for a réclamation; one for each that ever had one."""

    __tablename__ = "earlier_visit"
    lifecycle = EARLIER

    client_id: Mapped[UUID]
    reclamation_id: Mapped[UUID]
    reclamation_reference: Mapped[str]
    status: Mapped[EarlierStatus]
    asked_at: Mapped[datetime]
    # The held appointment.
    offer_id: Mapped[UUID | None]
    offered: Mapped[Slot | None] = mapped_column(JsonColumn(Slot))
    offered_until: Mapped[datetime | None]
    zone: Mapped[str]

    @staticmethod
    def id_of(reclamation_id: UUID) -> UUID:
        return uuid5(reclamation_id, "earlier")

    def wait(self, by: Actor, now: datetime) -> None:
        """From now on, behind those who asked before."""
        self.move("waiting", by)
        self.asked_at = now

    def wait_on(self) -> None:
        """In the same place as before: what was offered was taken back."""
        self.move("waiting", SYSTEM)
        self.offer_id = self.offered = self.offered_until = None

    def end(self, by: Actor) -> None:
        self.move("ended", by)
        self.offer_id = self.offered = self.offered_until = None
