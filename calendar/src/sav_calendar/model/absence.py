"""When technicians are away."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from sav_calendar.lifecycle import ABSENCE
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate
from sav_contracts.calendar.absence import AbsenceCause, AbsenceStatus, AbsenceView


class Absence(Aggregate[AbsenceView], Stateful[AbsenceStatus]):
    """A time in which a technician takes no visits."""

    __tablename__ = "absence"
    lifecycle = ABSENCE

    technician_id: Mapped[UUID]
    start: Mapped[datetime]
    end: Mapped[datetime]
    cause: Mapped[AbsenceCause]
    note: Mapped[str | None]
    status: Mapped[AbsenceStatus]
