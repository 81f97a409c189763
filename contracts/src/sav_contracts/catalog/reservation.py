"""Reservations: pieces of an article that are kept for a réclamation or an order, or that it waits for."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import Event, View
from sav_contracts.visibility import ChildOf, Visible

ReservationStatus = Literal["reserved", "back_ordered", "used", "released"]
# The kind of record that stock is reserved for.
NeededFor = Literal["reclamation", "order"]


class ReservationView(View):
    """What is reserved for a line of a parts list or an order: all of it, or nothing while it is back-ordered.

    `quantity` is in all; `used` of it are built in or shipped. What is used up or released is over, until the line grows.
    """

    visible: ClassVar[Visible] = Visible(technician=ChildOf(ReclamationView))

    article_id: UUID
    reference: str = Field(examples=["CIR-25-60"])
    quantity: int = Field(examples=[2])
    used: int = 0
    for_kind: NeededFor
    for_id: UUID
    for_reference: str = Field(examples=["REC-2026-000001"])
    line_id: UUID
    status: ReservationStatus

    @property
    def parent(self) -> UUID:
        return self.for_id

    def for_client(self) -> None:
        return None

    def is_open(self) -> bool:
        return self.status in ("reserved", "back_ordered")

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.for_id})


class StockReserved(Event[ReservationView]):
    """All pieces of a line that are still needed are reserved: at once, after a back-order, or fewer than before."""


class StockShort(Event[ReservationView]):
    """A line is back-ordered: there are too few pieces, or others have waited for longer."""


class StockUsed(Event[ReservationView]):
    """Pieces of a line were built in, or shipped to who bought them."""

    quantity: int


class StockReleased(Event[ReservationView]):
    """Nothing is reserved for a line any more, and it waits for nothing."""
