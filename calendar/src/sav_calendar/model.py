"""Appointments, working hours, conflicts."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid5

from sqlalchemy.orm import Mapped, mapped_column

from sav_calendar.hours import ARRIVAL
from sav_calendar.lifecycle import APPOINTMENT, CONFLICT
from sav_chassis.model import Aggregate, Kept
from sav_contracts.actor import Actor
from sav_contracts.calendar import (
    AppointmentStatus,
    AppointmentView,
    ConflictKind,
    ConflictStatus,
    ConflictView,
    Shift,
    WorkingHoursView,
)
from sav_contracts.claims import Slot


class Appointment(Aggregate):
    """A time of a technician for a réclamation. `planning.claim_time` makes them: no two may overlap."""

    __tablename__ = "appointment"

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID]
    reclamation_id: Mapped[UUID]
    reclamation_reference: Mapped[str]
    intervention_id: Mapped[UUID | None]
    start: Mapped[datetime]
    end: Mapped[datetime]
    zone: Mapped[str]
    status: Mapped[AppointmentStatus]
    held_until: Mapped[datetime | None]
    uid: Mapped[str]
    sequence: Mapped[int]
    reason: Mapped[str | None]

    @property
    def arrival_from(self) -> datetime:
        return self.start

    @property
    def arrival_until(self) -> datetime:
        return min(self.start + ARRIVAL, self.end)

    def move(self, to: AppointmentStatus, by: Actor, reason: str | None = None) -> None:
        """Changes state as the table allows; what is no longer held has no time to be held until."""
        APPOINTMENT.check(self.status, to, by)
        self.status, self.reason, self.held_until = to, reason, None

    def view(self) -> AppointmentView:
        return AppointmentView.model_validate(self, from_attributes=True)


class WorkingHours(Aggregate):
    """When a technician works; one row each."""

    __tablename__ = "working_hours"
    follows_event: ClassVar[bool] = True

    technician_id: Mapped[UUID]
    zone: Mapped[str]
    holidays: Mapped[str]
    shifts: Mapped[list[Shift]] = mapped_column(Kept(list[Shift]))

    @classmethod
    def of(cls, technician_id: UUID) -> "WorkingHours":
        """Those of a technician who has none yet; empty until `replace`."""
        return cls(id=cls.id_of(technician_id), technician_id=technician_id)

    @staticmethod
    def id_of(technician_id: UUID) -> UUID:
        return uuid5(technician_id, "hours")

    def replace(self, zone: str, holidays: str, shifts: Iterable[Shift]) -> None:
        """They work at these hours and at no others."""
        self.zone, self.holidays = zone, holidays
        self.shifts = list(shifts)

    def view(self) -> WorkingHoursView:
        return WorkingHoursView.model_validate(self, from_attributes=True)


class Conflict(Aggregate):
    """A planned visit that did not fit, until somebody decides or it no longer matters."""

    __tablename__ = "conflict"

    technician_id: Mapped[UUID]
    reclamation_id: Mapped[UUID]
    reclamation_reference: Mapped[str]
    intervention_id: Mapped[UUID | None]
    problem: Mapped[ConflictKind]
    wanted: Mapped[Slot] = mapped_column(Kept(Slot))
    proposals: Mapped[list[Slot]] = mapped_column(Kept(list[Slot]))
    status: Mapped[ConflictStatus]

    def move(self, to: ConflictStatus, by: Actor) -> None:
        CONFLICT.check(self.status, to, by)
        self.status = to

    def view(self) -> ConflictView:
        return ConflictView.model_validate(self, from_attributes=True)
