"""Pieces that are reserved for a réclamation or an order, or that it waits for."""

from uuid import UUID

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from sav_catalog.lifecycle import RESERVATION
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.reservation import NeededFor, ReservationStatus, ReservationView


class Reservation(Aggregate[ReservationView], Stateful[ReservationStatus]):
    """What one line of a parts list or an order has of the stock. Changed only while its article is locked."""

    __tablename__ = "reservation"
    lifecycle = RESERVATION

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id"))
    reference: Mapped[str]
    quantity: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    for_kind: Mapped[NeededFor]
    for_id: Mapped[UUID]
    for_reference: Mapped[str]
    # The réclamation whose repair it is for: by its parts list or by an order; None for a purchase.
    repair_id: Mapped[UUID | None]
    line_id: Mapped[UUID]
    status: Mapped[ReservationStatus]
    # Its turn among those who wait for the article.
    place: Mapped[int] = mapped_column(Identity(always=True))

    @property
    def rest(self) -> int:
        """The pieces that are still needed, all reserved or all awaited; none once it is over."""
        return self.quantity - self.used if self.status in ("reserved", "back_ordered") else 0

    def becomes(self, status: ReservationStatus) -> None:
        """Moves it: only what happens does."""
        self.move(status, SYSTEM)
