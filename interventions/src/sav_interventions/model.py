"""Technicians and interventions."""

from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate
from sav_contracts.actor import Actor
from sav_contracts.claims import Slot
from sav_contracts.interventions import InterventionStatus, InterventionView, TechnicianView
from sav_interventions.lifecycle import INTERVENTION

OVER: tuple[InterventionStatus, ...] = ("declined", "completed", "incomplete", "no_access", "cancelled")


class Technician(Aggregate):
    """The card of somebody with a technician account."""

    __tablename__ = "technician"
    follows_event: ClassVar[bool] = True

    name: Mapped[str]
    active: Mapped[bool]

    @property
    def technician_id(self) -> UUID:
        return self.id

    def view(self) -> TechnicianView:
        return TechnicianView.model_validate(self, from_attributes=True)


class Intervention(Aggregate):
    """One visit of one technician for a réclamation."""

    __tablename__ = "intervention"

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID]
    reclamation_id: Mapped[UUID] = mapped_column(index=True)
    reclamation_reference: Mapped[str]
    status: Mapped[InterventionStatus]
    planned: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str | None]
    assignment: Mapped[int] = mapped_column(default=0)

    @property
    def slot(self) -> Slot | None:
        return Slot.model_validate(self.planned) if self.planned else None

    def move(self, to: InterventionStatus, reason: str | None, by: Actor) -> InterventionStatus:
        """Changes state as the table allows; answers the state before."""
        INTERVENTION.check(self.status, to, by)
        before, self.status, self.reason = self.status, to, reason
        return before

    def view(self) -> InterventionView:
        return InterventionView.model_validate(self, from_attributes=True)
