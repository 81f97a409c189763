"""A visit in the calendar: held, booked, over."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.interventions.visit import InterventionStatus
from sav_contracts.messages import Changed, Command, Event, PersonId, Reason, View
from sav_contracts.slot import Slot
from sav_contracts.times import Moment
from sav_contracts.visibility import Own, Visible
from sav_contracts.wrong_value import WrongValue

AppointmentStatus = Literal["held", "booked", "expired", "done", "no_show", "cancelled"]
Reminder = Literal["day_before", "two_hours"]
# Who did not come.
MissedBy = Literal["client", "technician"]
# Why a time is free again, where nobody said why.
Freed = Literal[
    "another_time",
    "another_technician",
    "not_booked",
    "offer_over",
    "reclamation_over",
    "technician_away",
    "technician_left",
    "technician_there",
    "visit_off",
]

# Why an appointment was cancelled whose client is told once it is settled who comes instead.
NOT_TOLD_YET: Freed = "technician_left"


def roots_of(id: UUID, reclamation_id: UUID | None, intervention_id: UUID | None) -> frozenset[UUID]:
    """Its own timeline, and the réclamation's; that of its visit where there is no réclamation."""
    case = reclamation_id or intervention_id
    return frozenset({id, case} if case else {id})


def may_change(start: datetime, visit: InterventionStatus | None, now: datetime, until: timedelta) -> bool:
    """Whether the client of what is booked may move or cancel it: `until` so long before its start (policy `cut_offs`).

    `visit` is the state of its visit, None while that is not known: before its technician sets out.
    """
    return visit in ("planned", "accepted") and start - now >= until


class AppointmentForClient(View):
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
    # What somebody typed; where nobody did, a code (`Freed`, `reclamation_cancelled`). In old ones SAV's own words.
    reason: str | None = Field(examples=["Convenu au téléphone avec la cliente."])
    # Whether its client said that they will be there at this time.
    confirmed: bool = False
    # Who did not come, of one that is `no_show`. None in old ones: the client.
    missed_by: MissedBy | None = None

    def interval(self) -> tuple[datetime, datetime]:
        return self.start, self.end

    def is_open(self) -> bool:
        return self.status in {"held", "booked"}

    def timeline_roots(self) -> frozenset[UUID]:
        return roots_of(self.id, self.reclamation_id, self.intervention_id)


class AppointmentView(AppointmentForClient):
    """A visit in the calendar as staff see it."""

    # Until when its technician has time for the way to the next one. None in old ones.
    busy_until: datetime | None = Field(default=None, examples=["2026-03-05T10:30:00Z"])
    # Whether that is less time than usual: planned so, from before it was kept free, or both are at one address.
    close: bool = False
    # Why it was planned so close to another one.
    closer: str | None = Field(default=None, examples=["Deux rues plus loin."])

    @property
    def unsettled(self) -> bool:
        """Whether its technician left, and nobody has decided yet who comes instead."""
        return self.status == "cancelled" and self.reason == NOT_TOLD_YET

    def for_client(self) -> AppointmentForClient:
        """As booked, as long as nobody has decided who comes instead of a technician who left."""
        shown = self.narrowed_to(AppointmentForClient)
        return shown.model_copy(update={"status": "booked", "reason": None}) if self.unsettled else shown


class TimeForWhat(WrongValue):
    code = "time_for_what"
    en = "reclamation_id or intervention_id: say what the time is for, by one of them"
    fr = "reclamation_id ou intervention_id : indiquez à quoi sert ce créneau, par l’un des deux"


class HoldSlot(Command[AppointmentView]):
    """Hold a free slot for a few minutes, for a réclamation that may be planned, or for a visit without a réclamation.

    A manager may choose a time outside the technician's working hours with `outside_hours`, and one that leaves less time
    for the way to or from another visit than usual with `closer`, the reason. At one address no way is needed.
    """

    reclamation_id: UUID | None = None
    intervention_id: UUID | None = None
    technician_id: PersonId
    start: Moment
    outside_hours: bool = False
    closer: Reason | None = None

    @model_validator(mode="after")
    def _says_for_what(self) -> "HoldSlot":
        if (self.reclamation_id is None) == (self.intervention_id is None):
            raise TimeForWhat().error()
        return self


class BookAppointment(Command[AppointmentView]):
    """Book the slot that is held. The same booking repeated is no error."""

    appointment_id: UUID


class MoveAppointment(Command[AppointmentView]):
    """Move a booked visit to another time, as long as its technician has not set out.

    A client moves their own to a free time, until the cut-off (policy `cut_offs`, `changes_until_minutes`); a technician
    their own, with a reason. Only a manager gives it to another technician, and chooses a time outside working hours
    (`outside_hours`) or with less time for the way than usual (`closer`, the reason).
    """

    appointment_id: UUID
    start: Moment
    reason: Reason | None = None
    technician_id: PersonId | None = None
    outside_hours: bool = False
    closer: Reason | None = None


class CancelAppointment(Command[AppointmentView]):
    """Cancel a booked visit: its time is free. The visit stays, and waits for another time.

    A client cancels their own until the cut-off (policy `cut_offs`, `changes_until_minutes`); a technician their own, with
    a reason.
    """

    appointment_id: UUID
    reason: Reason | None = None


class ReportNoShow(Command[AppointmentView]):
    """Say that the technician did not come, once the time is over within which they may arrive (`arrival_until`).

    The visit waits for another time.
    """

    appointment_id: UUID
    reason: Reason | None = None


# A slot is held or released, or the visit of an appointment became known.
AppointmentChanged = Changed[AppointmentView]


class AppointmentBooked(Event[AppointmentView]):
    """A visit is booked in the calendar."""

    client_sees: ClassVar[bool] = True


class AppointmentMoved(Event[AppointmentView]):
    """A visit in the calendar got another time or another technician."""

    client_sees: ClassVar[bool] = True

    before: Slot
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    # Where the technician is another one now. A réclamation is then given to them.
    previous_technician_id: PersonId | None = None
    outside_hours: bool = False
    # Whether its client moved it, signed in or by the link of a message.
    by_client: bool = False


class AppointmentCancelled(Event[AppointmentView]):
    """A visit was removed from the calendar; its time is free."""

    client_sees: ClassVar[bool] = True

    # Why, where nobody said why. None in old ones, too.
    cause: Freed | None = None
    # Whether somebody cancelled only its time: the visit waits for another one.
    called_off: bool = False
    # Whether its client did, signed in or by the link of a message.
    by_client: bool = False


class AppointmentConfirmed(Event[AppointmentView]):
    """Its client said that they will be there, by the link of a message."""

    client_sees: ClassVar[bool] = True


class AppointmentReminderDue(Event[AppointmentView]):
    """A booked visit is near: it is time to remind people of it."""

    # The day before, in the morning; or two hours before its start.
    which: Reminder
    # Whether a conflict about it is open: its client and its technician are not reminded before that ends.
    unsettled: bool = False
    # Whether its client, who was asked to choose another time, reads just now that this one stands.
    client_knows: bool = False


class AppointmentAttended(Event[AppointmentView]):
    """The visit took place: the technician came and could work, whether or not the work is finished."""


class AppointmentMissedByClient(Event[AppointmentView]):
    """The technician came and could not get in: the client was not there."""


class AppointmentMissedByTechnician(Event[AppointmentView]):
    """The technician did not come, as a manager says: the visit waits for another time."""

    client_sees: ClassVar[bool] = True

    # When its technician is free next.
    proposals: list[Slot] = Field(default=[])


class AppointmentKept(Event[AppointmentView]):
    """No longer emitted. The visit took place, or its client was absent: `state.status` says which."""

    superseded_by: ClassVar[tuple[type[Event], ...]] = (AppointmentAttended, AppointmentMissedByClient)
