"""Visits that do not fit into the calendar."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_calendar.lifecycle import CONFLICT
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.calendar.conflict import (
    Alternative,
    ConflictKind,
    ConflictStatus,
    ConflictView,
    ProposedTime,
)
from sav_contracts.slot import Slot


class PlanningConflict(Aggregate[ConflictView], Stateful[ConflictStatus]):
    """A planned visit that does not fit into the calendar; open until a manager or its client resolves it, or it is moot."""

    __tablename__ = "conflict"
    lifecycle = CONFLICT

    technician_id: Mapped[UUID]
    reclamation_id: Mapped[UUID | None]
    reclamation_reference: Mapped[str | None]
    intervention_id: Mapped[UUID | None]
    problem: Mapped[ConflictKind]
    wanted: Mapped[Slot] = mapped_column(JsonColumn(Slot))
    proposals: Mapped[list[Slot]] = mapped_column(JsonColumn(list[Slot]))
    status: Mapped[ConflictStatus]
    alternatives: Mapped[list[Alternative]] = mapped_column(JsonColumn(list[Alternative]), default=[])
    no_time_yet: Mapped[bool] = mapped_column(default=False)
    ranked: Mapped[list[ProposedTime]] = mapped_column(JsonColumn(list[ProposedTime]), default=[])
    appointment_id: Mapped[UUID | None]
    offered: Mapped[list[Alternative]] = mapped_column(JsonColumn(list[Alternative]), default=[])
    offered_until: Mapped[datetime | None]
    # What is signed into the link for its client, and what they chose by it: the number of one of the times.
    offer_grant: Mapped[UUID | None]
    chosen: Mapped[int | None]
