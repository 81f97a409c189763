"""Clients and réclamations."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_claims.lifecycle import RECLAMATION, UNDER_WAY
from sav_claims.parts import PartLine
from sav_contracts.actor import Actor, Role
from sav_contracts.address import Address
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.reservation import ReservationView
from sav_contracts.catalog.warranty import NO_PRODUCT, Coverage, Warranty
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import (
    Priority,
    ProblemType,
    ReclamationStatus,
    ReclamationView,
    Resolution,
    Safety,
)
from sav_contracts.files import StoredFile

# What each decision of a manager pays, in percent of parts, labour and travel.
SHARES: dict[Coverage, tuple[int, int, int]] = {
    "covered": (100, 100, 100),
    "partly": (100, 0, 0),
    "not_covered": (0, 0, 0),
}


class Client(Aggregate[ClientView]):
    """A client's profile; has the id of the client's account."""

    __tablename__ = "client"
    follows_event: ClassVar[bool] = True

    name: Mapped[str]
    email: Mapped[str]
    locale: Mapped[Locale]
    phones: Mapped[tuple[str, ...]] = mapped_column(JsonColumn(tuple[str, ...]), default=())
    addresses: Mapped[tuple[Address, ...]] = mapped_column(JsonColumn(tuple[Address, ...]), default=())

    @property
    def client_id(self) -> UUID:
        return self.id


class Reclamation(Aggregate[ReclamationView], Stateful[ReclamationStatus]):
    """A fault that a client reported, from the report to its end."""

    __tablename__ = "reclamation"
    lifecycle = RECLAMATION

    reference: Mapped[str] = mapped_column(unique=True)
    client_id: Mapped[UUID]
    technician_id: Mapped[UUID | None]
    article: Mapped[str]
    problem_type: Mapped[ProblemType]
    description: Mapped[str]
    safety: Mapped[Safety] = mapped_column("safety_answers", JsonColumn(Safety))
    priority: Mapped[Priority]
    priority_reason: Mapped[str]
    coverage: Mapped[Coverage]
    assignment: Mapped[int] = mapped_column(default=0)
    status: Mapped[ReclamationStatus]
    product_id: Mapped[UUID | None]
    warranty: Mapped[Warranty | None] = mapped_column(JsonColumn(Warranty))
    resolution: Mapped[Resolution | None]
    parts: Mapped[tuple[PartLine, ...]] = mapped_column(JsonColumn(tuple[PartLine, ...]), default=())
    parts_edition: Mapped[int] = mapped_column(default=0)
    parts_validated: Mapped[int] = mapped_column(default=0)
    # Whether some were back-ordered, and nobody was told yet that all are there.
    parts_awaited: Mapped[bool] = mapped_column(default=False)
    # The visit that was started last: events of other visits are obsolete.
    visit_id: Mapped[UUID | None]

    @property
    def by_manager(self) -> bool:
        """Whether a manager decided what the warranty pays; rules do not change that."""
        return self.warranty is not None and self.warranty.decided_at is not None

    def qualify(self, priority: Priority, warranty: Warranty, reason: str | None, by: Actor) -> None:
        """Sets the priority that a manager decided, and the warranty."""
        if self.status not in UNDER_WAY:
            self.move("qualified", by)
        self.priority = priority
        self.priority_reason = reason or f"decided by a {by.role}"
        self.decide(warranty)

    def decide(self, warranty: Warranty) -> None:
        """Sets what the warranty pays."""
        self.warranty = warranty
        self.coverage = warranty.decision

    def warranty_by_rule(self, product: ProductView | None) -> Warranty:
        """What the product's covers pay on the day the fault was reported."""
        return product.warranty_at(self.created_at) if product else NO_PRODUCT

    @property
    def parts_to_validate(self) -> bool:
        """Whether a manager has to look at the parts list."""
        return self.parts_edition > self.parts_validated and (
            self.parts_validated > 0 or any(part.is_needed() for part in self.parts)
        )

    def parts_have_arrived(self) -> bool:
        """Whether all that the validated list needs is reserved now, after it was awaited; true once."""
        needed = [part for part in self.parts if part.is_needed()]
        if not (self.parts_awaited and needed and all(part.state == "reserved" for part in needed)):
            return False
        if self.parts_to_validate or self.status not in UNDER_WAY:
            return False
        self.parts_awaited = False
        return True

    def follow(self, reservation: ReservationView) -> bool:
        """Takes over what became of a line's reservation; false where that is known, or the line is gone."""
        parts = tuple(
            part.follows(reservation) if part.id == reservation.line_id else part for part in self.parts
        )
        if parts == self.parts:
            return False
        self.parts = parts
        self.parts_awaited = self.parts_awaited or reservation.status == "back_ordered"
        return True

    def assign(self, technician_id: UUID, by: Actor) -> UUID | None:
        """Gives it to this technician; returns the id of the previous one."""
        self.move("assigned", by)
        previous, self.technician_id = self.technician_id, technician_id
        self.assignment += 1
        return previous

    def unassign(self, by: Actor) -> None:
        """Takes it back from its technician: it waits for another."""
        self.move("qualified", by)
        self.technician_id = None


class Photo(Aggregate[PhotoView]):
    """A photo that somebody added to a réclamation."""

    __tablename__ = "photo"

    reclamation_id: Mapped[UUID]
    file: Mapped[StoredFile] = mapped_column(JsonColumn(StoredFile))
    by: Mapped[Role]


def manager_says(coverage: Coverage, reason: str, now: datetime) -> Warranty:
    """The warranty that a manager's decision means."""
    parts, labour, travel = SHARES.get(coverage, (0, 0, 0))
    return Warranty(
        decision=coverage,
        parts=parts,
        labour=labour,
        travel=travel,
        why="decided_by_manager",
        reason=reason,
        decided_at=now,
    )
