"""Appointments, working hours, planning conflicts."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Mapped, mapped_column

from sav_calendar.hours import ARRIVAL, HOLIDAYS, USUAL_SHIFTS, ZONE, at_work
from sav_calendar.lifecycle import APPOINTMENT, CONFLICT
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import Actor
from sav_contracts.calendar import (
    Alternative,
    AppointmentStatus,
    AppointmentView,
    ConflictKind,
    ConflictStatus,
    ConflictView,
    Shift,
    WorkingHoursView,
)
from sav_contracts.slot import Slot


class Appointment(Aggregate[AppointmentView], Stateful[AppointmentStatus]):
    """A technician's slot for a réclamation, or for a visit without one. Only `planning.claim_time` makes them; a technician's do not overlap."""

    __tablename__ = "appointment"
    lifecycle = APPOINTMENT

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID]
    reclamation_id: Mapped[UUID | None]
    reclamation_reference: Mapped[str | None]
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
        """Changes state as the table allows; clears `held_until`, since it is not held any more."""
        super().move(to, by)
        self.reason, self.held_until = reason, None


class WorkingHours(Aggregate[WorkingHoursView]):
    """When a technician works; one row for each technician."""

    __tablename__ = "working_hours"
    follows_event: ClassVar[bool] = True

    technician_id: Mapped[UUID]
    zone: Mapped[str]
    holidays: Mapped[str]
    shifts: Mapped[list[Shift]] = mapped_column(JsonColumn(list[Shift]))

    @classmethod
    def of(cls, technician_id: UUID) -> "WorkingHours":
        """New working hours of a technician; to be filled by `replace`."""
        return cls(id=cls.id_of(technician_id), technician_id=technician_id)

    @classmethod
    def usual(cls, technician_id: UUID) -> "WorkingHours":
        """The usual hours, which a technician begins with."""
        hours = cls.of(technician_id)
        hours.replace(ZONE, HOLIDAYS, USUAL_SHIFTS)
        return hours

    def cover(self, start: datetime, end: datetime) -> bool:
        """Whether a visit from `start` to `end` is within them."""
        return at_work((start, end), self.shifts, self.holidays, ZoneInfo(self.zone))

    @staticmethod
    def id_of(technician_id: UUID) -> UUID:
        return uuid5(technician_id, "hours")

    def replace(self, zone: str, holidays: str, shifts: Iterable[Shift]) -> None:
        """Replaces zone, holidays and all shifts."""
        self.zone, self.holidays = zone, holidays
        self.shifts = list(shifts)


class PlanningConflict(Aggregate[ConflictView], Stateful[ConflictStatus]):
    """A planned visit that does not fit into the calendar; open until a manager resolves it or it is moot."""

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
