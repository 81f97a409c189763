"""When technicians work."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID, uuid5

from sqlalchemy.orm import Mapped, mapped_column

from sav_calendar.hours import HOLIDAYS, USUAL_SHIFTS, ZONE, followed_by, midnight
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.calendar.hours import PlannedHours, Shift, WorkingHoursView


class WorkingHours(Aggregate[WorkingHoursView]):
    """When a technician works, now and from days to come; one row for each technician."""

    __tablename__ = "working_hours"
    follows_event: ClassVar[bool] = True

    technician_id: Mapped[UUID]
    zone: Mapped[str]
    holidays: Mapped[str]
    shifts: Mapped[list[Shift]] = mapped_column(JsonColumn(list[Shift]))
    effective_from: Mapped[date | None]
    # The earliest first.
    planned: Mapped[list[PlannedHours]] = mapped_column(JsonColumn(list[PlannedHours]))

    @classmethod
    def of(cls, technician_id: UUID) -> "WorkingHours":
        """New working hours of a technician; to be filled by `replace`."""
        return cls(id=cls.id_of(technician_id), technician_id=technician_id, planned=[])

    @classmethod
    def usual(cls, technician_id: UUID) -> "WorkingHours":
        """The usual hours, which a technician begins with."""
        hours = cls.of(technician_id)
        hours.replace(ZONE, HOLIDAYS, USUAL_SHIFTS)
        return hours

    @staticmethod
    def id_of(technician_id: UUID) -> UUID:
        return uuid5(technician_id, "hours")

    def replace(self, zone: str, holidays: str, shifts: Iterable[Shift]) -> None:
        """Replaces zone, holidays and all shifts of now."""
        self.zone, self.holidays = zone, holidays
        self.shifts = list(shifts)

    def plan(self, hours: PlannedHours, now: datetime) -> None:
        """Lets hours hold from their day on, in place of all that was planned from then on."""
        self.planned = followed_by(self.planned, hours)
        self.begin(now)

    def begin(self, now: datetime) -> bool:
        """Makes planned hours whose day has come the present ones. Whether there were any."""
        begun = [n for n, one in enumerate(self.planned) if midnight(one.effective_from, one.zone) <= now]
        if not begun:
            return False
        present = self.planned[begun[-1]]
        self.replace(present.zone, present.holidays, present.shifts)
        self.effective_from = present.effective_from
        self.planned = self.planned[begun[-1] + 1 :]
        return True
