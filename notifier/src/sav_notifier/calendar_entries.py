"""What a mail about an appointment gives to the calendar of its reader."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from sav_chassis.calendar_files import Entry
from sav_contracts.auth.fields import Locale
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.sentences import Text
from sav_notifier.message import Message

# Not the mail's subject, which says what happened and when: the entry stays, and shows its time itself.
VISIT = Text("Visit for {reference}", "Intervention pour {reference}")
# What the entry says of which another one takes the place.
REPLACED = Text("Appointment replaced", "Rendez-vous remplacé")


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

    def written(self, summary: str) -> Entry:
        """The entry with this title, the only text that it has."""
        return Entry(
            uid=self.uid,
            sequence=self.sequence,
            start=self.start,
            end=self.end,
            zone=self.zone,
            summary=summary,
            description="",
            location="",
            cancelled=self.cancelled,
            changed_at=self.changed_at,
        )


def calendar_entries(message: Message, language: Locale) -> list[Entry]:
    """What a mail attaches: its own visit, then the one whose place that takes, as cancelled."""
    own: VisitEntry | None = getattr(message, "entry", None)
    before: VisitEntry | None = getattr(message, "entry_before", None)
    called = str(getattr(VISIT, language)).format(reference=getattr(message, "reference", ""))
    said = [(own, called), (before, str(getattr(REPLACED, language)))]
    return [entry.written(summary) for entry, summary in said if entry]
