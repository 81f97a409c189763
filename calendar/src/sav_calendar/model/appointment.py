"""Appointments: a technician's time for a visit."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Mapped

from sav_calendar.hours import Span, arrival_until
from sav_calendar.lifecycle import APPOINTMENT
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate
from sav_contracts.actor import Actor
from sav_contracts.calendar.appointment import AppointmentStatus, AppointmentView, MissedBy

MINUTE = timedelta(minutes=1)


class Appointment(Aggregate[AppointmentView], Stateful[AppointmentStatus]):
    """A technician's slot for a réclamation, or for a visit without one. Only `planning.claim_time` makes them.

    The database keeps what a technician is busy with from overlapping: from `start` until `busy_until`.
    """

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
    # The time for the way to the next visit that was usual when this one was planned, and until when it lasts.
    travel: Mapped[timedelta]
    busy_until: Mapped[datetime]
    closer: Mapped[str | None]
    # The same for visits at one address; None where the address is not known.
    place: Mapped[UUID | None]
    missed_by: Mapped[MissedBy | None]
    # The wish for an earlier visit for which it is held, beside what is booked.
    offered_for: Mapped[UUID | None]
    # When its technician came and had done the work, of one that is `done`. None in old ones.
    came_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    # The start that its client confirmed: at another time it is not confirmed any more.
    confirmed_start: Mapped[datetime | None]

    @property
    def close(self) -> bool:
        """Whether less time is left for the way to the next visit than was usual."""
        return self.busy_until < self.end + self.travel

    @property
    def confirmed(self) -> bool:
        return self.confirmed_start == self.start

    @property
    def arrival_from(self) -> datetime:
        return self.start

    @property
    def arrival_until(self) -> datetime:
        return arrival_until(self.start, self.end, self.zone)

    @property
    def done_earlier(self) -> Span | None:
        """When it took place, where that was over before its time began.

        One that was entered afterwards keeps its planned time: when somebody typed it is no better.
        """
        if self.came_at is None or self.done_at is None or self.done_at > self.start:
            return None
        return self.came_at, max(self.done_at, self.came_at + MINUTE)

    def move(self, to: AppointmentStatus, by: Actor, reason: str | None = None) -> None:
        """Changes state as the table allows; clears `held_until`, since it is not held any more."""
        super().move(to, by)
        self.reason, self.held_until = reason, None
