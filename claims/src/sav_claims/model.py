"""Clients and réclamations."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate
from sav_claims.lifecycle import RECLAMATION, UNDER_WAY
from sav_contracts.actor import Actor
from sav_contracts.auth import Locale
from sav_contracts.claims import (
    ClientView,
    Coverage,
    Priority,
    ProblemType,
    ReclamationStatus,
    ReclamationView,
    Safety,
)


class Client(Aggregate):
    """The profile of somebody with a client account."""

    __tablename__ = "client"
    follows_event: ClassVar[bool] = True

    name: Mapped[str]
    email: Mapped[str]
    locale: Mapped[Locale]

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
    safety_answers: Mapped[dict[str, bool]] = mapped_column(JSON)
    priority: Mapped[Priority]
    priority_reason: Mapped[str]
    coverage: Mapped[Coverage]
    assignment: Mapped[int] = mapped_column(default=0)
    status: Mapped[ReclamationStatus]

    @property
    def safety(self) -> Safety:
        return Safety.model_validate(self.safety_answers)

    def qualify(self, priority: Priority, coverage: Coverage | None, reason: str | None, by: Actor) -> None:
        """A manager decided how urgent it is and, where given, who pays."""
        if self.status not in UNDER_WAY:
            self.move("qualified", by)
        self.priority = priority
        self.priority_reason = reason or f"decided by a {by.role}"
        self.coverage = coverage or self.coverage

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
