"""Clients and réclamations."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, Kept
from sav_claims.lifecycle import RECLAMATION, UNDER_WAY
from sav_contracts.actor import Actor, Role
from sav_contracts.address import Address
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.product import NO_PRODUCT, Coverage, ProductView, Warranty
from sav_contracts.claims import (
    ClientView,
    PhotoView,
    Priority,
    ProblemType,
    ReclamationStatus,
    ReclamationView,
    Resolution,
    Safety,
)
from sav_contracts.files import StoredFile

# What each answer of a manager pays, in percent of parts, labour and travel.
SHARES: dict[Coverage, tuple[int, int, int]] = {
    "covered": (100, 100, 100),
    "partly": (100, 0, 0),
    "not_covered": (0, 0, 0),
}


class Client(Aggregate):
    """The profile of somebody with a client account."""

    __tablename__ = "client"
    follows_event: ClassVar[bool] = True

    name: Mapped[str]
    email: Mapped[str]
    locale: Mapped[Locale]
    phones: Mapped[tuple[str, ...]] = mapped_column(Kept(tuple[str, ...]), default=())
    addresses: Mapped[tuple[Address, ...]] = mapped_column(Kept(tuple[Address, ...]), default=())

    @property
    def client_id(self) -> UUID:
        return self.id

    def view(self) -> ClientView:
        return ClientView.model_validate(self, from_attributes=True)


class Reclamation(Aggregate):
    """A fault that a client reported, from there to its end."""

    __tablename__ = "reclamation"

    reference: Mapped[str] = mapped_column(unique=True)
    client_id: Mapped[UUID]
    technician_id: Mapped[UUID | None]
    article: Mapped[str]
    problem_type: Mapped[ProblemType]
    description: Mapped[str]
    safety: Mapped[Safety] = mapped_column("safety_answers", Kept(Safety))
    priority: Mapped[Priority]
    priority_reason: Mapped[str]
    coverage: Mapped[Coverage]
    assignment: Mapped[int] = mapped_column(default=0)
    status: Mapped[ReclamationStatus]
    product_id: Mapped[UUID | None]
    warranty: Mapped[Warranty | None] = mapped_column(Kept(Warranty))
    resolution: Mapped[Resolution | None]
    # The visit that was started last: what another one does is old news.
    visit_id: Mapped[UUID | None]

    @property
    def by_manager(self) -> bool:
        """Whether a manager decided what is paid, against which no rule stands."""
        return self.warranty is not None and self.warranty.decided_at is not None

    def qualify(self, priority: Priority, warranty: Warranty, reason: str | None, by: Actor) -> None:
        """A manager decided how urgent it is; the warranty says who pays."""
        if self.status not in UNDER_WAY:
            self.move("qualified", by)
        self.priority = priority
        self.priority_reason = reason or f"decided by a {by.role}"
        self.decide(warranty)

    def decide(self, warranty: Warranty) -> None:
        """This is what is paid for."""
        self.warranty = warranty
        self.coverage = warranty.decision

    def warranty_by_rule(self, product: ProductView | None) -> Warranty:
        """What the product's covers pay, on the day the fault was reported."""
        return product.warranty(self.created_at.date()) if product else NO_PRODUCT

    def assign(self, technician_id: UUID, by: Actor) -> UUID | None:
        """Goes to this technician; answers who had it before."""
        self.move("assigned", by)
        previous, self.technician_id = self.technician_id, technician_id
        self.assignment += 1
        return previous

    def unassign(self, by: Actor) -> None:
        """Waits for a technician again."""
        self.move("qualified", by)
        self.technician_id = None

    def move(self, to: ReclamationStatus, by: Actor) -> None:
        RECLAMATION.check(self.status, to, by)
        self.status = to

    def view(self) -> ReclamationView:
        return ReclamationView.model_validate(self, from_attributes=True)


class Photo(Aggregate):
    """A photo that somebody added to a réclamation."""

    __tablename__ = "photo"

    reclamation_id: Mapped[UUID]
    file: Mapped[StoredFile] = mapped_column(Kept(StoredFile))
    by: Mapped[Role]

    def view(self) -> PhotoView:
        return PhotoView.model_validate(self, from_attributes=True)


def manager_says(coverage: Coverage, reason: str, now: datetime) -> Warranty:
    """What a manager's answer means."""
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
