"""What a mail about an appointment gives to the calendar of its reader."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from sav_chassis.calendar_files import Entry
from sav_contracts.calendar.appointment import AppointmentView


class VisitEntry(BaseModel):
    """An appointment as it stood when the message was made; it has nothing that people typed."""

    model_config = ConfigDict(frozen=True)

    uid: str
    sequence: int
    start: datetime
    end: datetime
    zone: str
    cancelled: bool
    changed_at: datetime

    @classmethod
    def of(cls, appointment: AppointmentView, *, for_client: bool, cancelled: bool = False) -> Self:
        """For a client it is the time within which the technician arrives, for staff all of it."""
        start, end = appointment.interval()
        if for_client:
            start, end = appointment.arrival_from, appointment.arrival_until
        return cls(
            uid=appointment.uid,
            sequence=appointment.sequence,
            start=start,
            end=end,
            zone=appointment.zone,
            cancelled=cancelled,
            changed_at=appointment.updated_at,
        )

    def written(self, subject: str) -> Entry:
        """The entry under the subject of its mail, the only text that it has."""
        return Entry(
            uid=self.uid,
            sequence=self.sequence,
            start=self.start,
            end=self.end,
            zone=self.zone,
            summary=subject,
            description="",
            location="",
            cancelled=self.cancelled,
            changed_at=self.changed_at,
        )
