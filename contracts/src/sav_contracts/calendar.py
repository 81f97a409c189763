"""Visits in time: working hours, free slots, appointments, conflicts."""

from datetime import datetime, time
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from sav_contracts.claims import Slot
from sav_contracts.messages import Command, Event, Message, PersonId, Query, Scope, View
from sav_contracts.zone import Zone

AppointmentStatus = Literal["held", "booked", "expired", "done", "no_show", "cancelled"]
ConflictKind = Literal["slot_taken", "outside_hours", "absence", "overrun"]
ConflictStatus = Literal["open", "resolved", "moot"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class AppointmentView(View):
    """A visit in the calendar: from `start` until `end`, which its client reads as the arrival window first."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    technician_id: PersonId
    reclamation_id: UUID
    reclamation_reference: str
    # None while the visit of a booked slot is still being planned.
    intervention_id: UUID | None
    start: datetime
    end: datetime
    zone: str
    # When the technician may arrive.
    arrival_from: datetime
    arrival_until: datetime
    status: AppointmentStatus
    held_until: datetime | None
    # For calendars: the same visit keeps its uid, a move raises its sequence (RFC 5545, 3.8.4.7 and 3.8.7.4).
    uid: str
    sequence: int
    reason: str | None

    def is_open(self) -> bool:
        return self.status in {"held", "booked"}

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.id, self.reclamation_id})


class Shift(Message):
    """Hours of work on one weekday, in the technician's zone."""

    day: Weekday
    start: time
    end: time

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Shift":
        if self.end <= self.start or self.start.tzinfo or self.end.tzinfo:
            raise ValueError("a shift ends after it starts, in local time")
        return self


class WorkingHoursView(View):
    """When a technician works."""

    scope: ClassVar[Scope] = Scope.ROOT

    technician_id: PersonId
    zone: str
    # Whose public holidays are free: a country, or a country and its region (ISO 3166).
    holidays: str
    shifts: list[Shift]

    def for_client(self) -> None:
        return None

    @property
    def parent(self) -> UUID:
        return self.technician_id


class ConflictView(View):
    """A visit that could not be put into the calendar as planned, with other times that are free."""

    scope: ClassVar[Scope] = Scope.ROOT

    technician_id: PersonId
    reclamation_id: UUID
    reclamation_reference: str
    intervention_id: UUID | None
    problem: ConflictKind
    wanted: Slot
    proposals: list[Slot]
    status: ConflictStatus

    def for_client(self) -> None:
        return None

    def is_open(self) -> bool:
        return self.status == "open"

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.id, self.reclamation_id})


class FreeSlot(Message):
    """A time at which this technician can come."""

    technician_id: UUID
    start: datetime
    end: datetime
    arrival_from: datetime
    arrival_until: datetime


class FreeSlots(Message):
    """Free times, the earliest first."""

    items: list[FreeSlot]


class FindFreeSlots(Query[FreeSlots]):
    """When somebody could come: for a réclamation (its technician, or all who could take it), or of one technician.

    From `start` (now, where none is given) until `end` (two weeks later, where none is given; at most six weeks).
    """

    reclamation_id: UUID | None = None
    technician_id: PersonId | None = None
    start: AwareDatetime | None = Field(default=None, alias="from")
    end: AwareDatetime | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _says_for_what(self) -> "FindFreeSlots":
        if self.reclamation_id is None and self.technician_id is None:
            raise ValueError("reclamation_id or technician_id: say whose free times")
        return self


class HoldSlot(Command[AppointmentView]):
    """Hold a free slot for a few minutes, for a réclamation that may be planned."""

    reclamation_id: UUID
    technician_id: PersonId
    start: AwareDatetime


class BookAppointment(Command[AppointmentView]):
    """Book the slot that is held."""

    appointment_id: UUID


class SetHours(Command[WorkingHoursView]):
    """Set a technician's working hours, all of them."""

    technician_id: PersonId
    zone: Zone = "Europe/Paris"
    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = "FR"
    shifts: Annotated[list[Shift], Field(max_length=28)]


class HoursChanged(Event):
    """A technician's working hours are new or different."""

    tells: ClassVar[bool] = False

    state: WorkingHoursView


class AppointmentChanged(Event):
    """A slot is held or no longer held, or the visit of an appointment is known."""

    tells: ClassVar[bool] = False

    state: AppointmentView


class AppointmentBooked(Event):
    """A visit stands in the calendar."""

    client_sees: ClassVar[bool] = True

    state: AppointmentView


class AppointmentCancelled(Event):
    """A visit is out of the calendar; its time is free."""

    client_sees: ClassVar[bool] = True

    state: AppointmentView


class AppointmentKept(Event):
    """The visit took place, or its client was not there."""

    state: AppointmentView


class ConflictDetected(Event):
    """A planned visit does not fit into the calendar; a manager decides."""

    state: ConflictView


class ConflictChanged(Event):
    """What a conflict says is shown anew."""

    tells: ClassVar[bool] = False

    state: ConflictView


class ConflictResolved(Event):
    """A conflict needs nobody any more: a manager decided, or the visit found another time or is over."""

    state: ConflictView
