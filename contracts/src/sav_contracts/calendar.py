"""Working hours, free slots, appointments, conflicts."""

from datetime import datetime, time
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import Changed, Command, Event, Message, PersonId, Query, View
from sav_contracts.slot import Slot, WantedSlot
from sav_contracts.time_zone import Zone
from sav_contracts.times import Moment
from sav_contracts.visibility import Own, Visible
from sav_contracts.wrong_value import WrongValue

AppointmentStatus = Literal["held", "booked", "expired", "done", "no_show", "cancelled"]
ConflictKind = Literal[
    "slot_taken", "outside_hours", "impossible_time", "absence", "overrun", "technician_left"
]
ConflictStatus = Literal["open", "resolved", "moot"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


# Why an appointment was cancelled whose client is told once it is settled who comes instead.
NOT_TOLD_YET = "technician_left"


def _roots(id: UUID, reclamation_id: UUID | None, intervention_id: UUID | None) -> frozenset[UUID]:
    """Its own timeline, and the réclamation's; that of its visit where there is no réclamation."""
    case = reclamation_id or intervention_id
    return frozenset({id, case} if case else {id})


class AppointmentView(View):
    """A visit in the calendar, from `start` until `end`. Messages to its client give the arrival window instead."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=Own("technician_id"))

    client_id: PersonId
    technician_id: PersonId
    # None where its visit is for no réclamation.
    reclamation_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    # None while the visit for a booked slot is still being planned.
    intervention_id: UUID | None
    start: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    end: datetime = Field(examples=["2026-03-05T10:00:00Z"])
    zone: str = Field(examples=["Europe/Paris"])
    # When the technician may arrive.
    arrival_from: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    arrival_until: datetime = Field(examples=["2026-03-05T09:00:00Z"])
    status: AppointmentStatus
    held_until: datetime | None = Field(examples=["2026-03-04T12:10:00Z"])
    # For calendar programs: a visit keeps its uid, and each move raises its sequence (RFC 5545, 3.8.4.7 and 3.8.7.4).
    uid: str = Field(examples=["visit-000001@sav"])
    sequence: int
    reason: str | None = Field(examples=["Convenu au téléphone avec la cliente."])

    def for_client(self) -> "AppointmentView":
        """As booked, as long as nobody has decided who comes instead of a technician who left."""
        if self.status != "cancelled" or self.reason != NOT_TOLD_YET:
            return self
        return self.model_copy(update={"status": "booked", "reason": None})

    def interval(self) -> tuple[datetime, datetime]:
        return self.start, self.end

    def is_open(self) -> bool:
        return self.status in {"held", "booked"}

    def timeline_roots(self) -> frozenset[UUID]:
        return _roots(self.id, self.reclamation_id, self.intervention_id)


class NoLocalTime(WrongValue):
    code = "no_local_time"
    en = "a time on the clock, without a zone, such as 08:30"
    fr = "une heure locale, sans fuseau, par exemple 08:30"


class ShiftEndsTooEarly(WrongValue):
    code = "shift_ends_too_early"
    en = "a shift ends after it starts"
    fr = "une plage de travail se termine après son début"


class WhoseTimes(WrongValue):
    code = "whose_times"
    en = "reclamation_id, intervention_id or technician_id: say whose free times"
    fr = "reclamation_id, intervention_id ou technician_id : indiquez de qui vous cherchez les disponibilités"


class TimeForWhat(WrongValue):
    code = "time_for_what"
    en = "reclamation_id or intervention_id: say what the time is for, by one of them"
    fr = "reclamation_id ou intervention_id : indiquez à quoi sert ce créneau, par l’un des deux"


def _local(at: time) -> time:
    if at.tzinfo:
        raise NoLocalTime().error()
    return at


LocalTime = Annotated[time, AfterValidator(_local)]


class Shift(Message):
    """Hours of work on one weekday, in the technician's zone."""

    day: Weekday
    start: LocalTime = Field(examples=["08:00:00"])
    end: LocalTime = Field(examples=["12:00:00"])

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Shift":
        if self.end <= self.start:
            raise ShiftEndsTooEarly().error()
        return self


class WorkingHoursView(View):
    """When a technician works."""

    visible: ClassVar[Visible] = Visible(technician=Own("technician_id"))
    changed: ClassVar[str] = "HoursChanged"

    technician_id: PersonId
    zone: str = Field(examples=["Europe/Paris"])
    # The country, or country and region (ISO 3166), whose public holidays are days off.
    holidays: str = Field(examples=["FR"])
    shifts: list[Shift]

    def for_client(self) -> None:
        return None

    @property
    def parent(self) -> UUID:
        return self.technician_id


class Alternative(Message):
    """A time at which another technician who can do the work is free."""

    technician_id: PersonId
    start: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    end: datetime = Field(examples=["2026-03-05T10:00:00Z"])


class ConflictView(View):
    """A visit that does not fit into the calendar as planned, with other times that are free.

    Where its technician takes no visits any more (`technician_left`), its time is free again, and nobody has told its
    client yet: give the réclamation to another technician, or end the visit.
    """

    visible: ClassVar[Visible] = Visible(technician=Own("technician_id"))

    technician_id: PersonId
    # None where its visit is for no réclamation.
    reclamation_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    intervention_id: UUID | None
    problem: ConflictKind
    wanted: Slot
    proposals: list[Slot]
    status: ConflictStatus
    # Who could go instead, and when: first at the wanted time, then those who work there.
    alternatives: list[Alternative] = Field(
        default_factory=list,
        examples=[
            [
                {
                    "technician_id": "018e0000-0000-7000-8000-000000000012",
                    "start": "2026-03-05T08:00:00Z",
                    "end": "2026-03-05T10:00:00Z",
                }
            ]
        ],
    )
    # Whether the visit had no time; `wanted` is the first that is proposed then.
    no_time_yet: bool = False

    def for_client(self) -> None:
        return None

    def is_open(self) -> bool:
        return self.status == "open"

    def timeline_roots(self) -> frozenset[UUID]:
        return _roots(self.id, self.reclamation_id, self.intervention_id)


class FreeSlot(Message):
    """A time when this technician is free to come."""

    technician_id: UUID
    start: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    end: datetime = Field(examples=["2026-03-05T10:00:00Z"])
    arrival_from: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    arrival_until: datetime = Field(examples=["2026-03-05T09:00:00Z"])


class FreeSlots(Message):
    """Free times, the earliest first."""

    items: list[FreeSlot]


class FindFreeSlots(Query[FreeSlots]):
    """Find free times: for a réclamation (of its technician, or of all who could take it), for a visit without one (of
    its technician), or of one technician.

    From `from` (default: now) until `to` (default: two weeks later; at most six weeks).
    """

    of: ClassVar[type[View] | None] = ReclamationView

    reclamation_id: UUID | None = None
    intervention_id: UUID | None = None
    technician_id: PersonId | None = None
    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _says_for_what(self) -> "FindFreeSlots":
        if not (self.reclamation_id or self.intervention_id or self.technician_id):
            raise WhoseTimes().error()
        if self.reclamation_id and self.intervention_id:
            raise TimeForWhat().error()
        return self


class HoldSlot(Command[AppointmentView]):
    """Hold a free slot for a few minutes, for a réclamation that may be planned, or for a visit without a réclamation.

    A manager may choose a time outside the technician's working hours with `outside_hours`.
    """

    reclamation_id: UUID | None = None
    intervention_id: UUID | None = None
    technician_id: PersonId
    start: Moment
    outside_hours: bool = False

    @model_validator(mode="after")
    def _says_for_what(self) -> "HoldSlot":
        if (self.reclamation_id is None) == (self.intervention_id is None):
            raise TimeForWhat().error()
        return self


class BookAppointment(Command[AppointmentView]):
    """Book the slot that is held."""

    appointment_id: UUID


class DecideSomething(WrongValue):
    code = "decide_something"
    en = "technician_id or slot: say who goes, or when"
    fr = "technician_id ou slot : indiquez qui intervient, ou quand"


class ResolveConflict(Command[ConflictView]):
    """Decide about a visit that does not fit into the calendar: who goes, and when; for instance as the conflict proposes.

    Without `technician_id` its own technician goes, at another time. Where somebody else goes, the réclamation is given
    to them, or a visit without one; without `slot` its time is chosen later. A time outside their working hours needs
    `outside_hours`.
    """

    conflict_id: UUID
    technician_id: PersonId | None = None
    slot: WantedSlot | None = None
    outside_hours: bool = False

    @model_validator(mode="after")
    def _decides(self) -> "ResolveConflict":
        if self.technician_id is None and self.slot is None:
            raise DecideSomething().error()
        return self


class SetHours(Command[WorkingHoursView]):
    """Set all working hours of a technician."""

    technician_id: PersonId
    zone: Zone = "Europe/Paris"
    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = "FR"
    shifts: Annotated[list[Shift], Field(max_length=28)]


HoursChanged = Changed[WorkingHoursView]


# A slot is held or released, or the visit of an appointment became known.
AppointmentChanged = Changed[AppointmentView]


class AppointmentBooked(Event[AppointmentView]):
    """A visit is booked in the calendar."""

    client_sees: ClassVar[bool] = True


class AppointmentCancelled(Event[AppointmentView]):
    """A visit was removed from the calendar; its time is free."""

    client_sees: ClassVar[bool] = True


class AppointmentAttended(Event[AppointmentView]):
    """The visit took place: the technician came and could work, whether or not the work is finished."""


class AppointmentMissedByClient(Event[AppointmentView]):
    """The technician came and could not get in: the client was not there."""


class AppointmentKept(Event[AppointmentView]):
    """No longer emitted. The visit took place, or its client was absent: `state.status` says which."""

    superseded_by: ClassVar[tuple[type[Event], ...]] = (AppointmentAttended, AppointmentMissedByClient)


class ConflictDetected(Event[ConflictView]):
    """A planned visit does not fit into the calendar; a manager decides."""

    # Whether it came with others from one cause, of which managers are told all at once: their technician left.
    one_of_many: bool = False


class ConflictResolved(Event[ConflictView]):
    """A manager resolved a conflict. In older logs, `state.status` may say that it had only become moot."""

    # Who goes and when, where the manager said so. Where that is not `state.technician_id`, the visit is given to them.
    technician_id: PersonId | None = None
    slot: Slot | None = None
    outside_hours: bool = False


class ConflictBecameMoot(Event[ConflictView]):
    """A conflict no longer needs a decision: the visit got another time or is over."""
