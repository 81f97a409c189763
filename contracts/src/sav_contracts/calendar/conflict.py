"""A visit that does not fit into the calendar, and what can be done."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.calendar.appointment import roots_of
from sav_contracts.messages import Changed, Command, Event, Message, PersonId, View
from sav_contracts.slot import Slot, WantedSlot
from sav_contracts.visibility import Own, Visible
from sav_contracts.wrong_value import WrongValue

ConflictKind = Literal[
    "slot_taken", "outside_hours", "impossible_time", "absence", "overrun", "technician_left"
]


ConflictStatus = Literal["open", "resolved", "moot"]

# Why a time is proposed before others.
ProposalReason = Literal["wanted_time", "same_day", "same_technician", "works_there"]


class Alternative(Message):
    """A time at which another technician who can do the work is free."""

    technician_id: PersonId
    start: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    end: datetime = Field(examples=["2026-03-05T10:00:00Z"])


class ProposedTime(Alternative):
    """A time that would do, for its own technician or another one, and what speaks for it."""

    reasons: list[ProposalReason] = Field(examples=[["wanted_time", "works_there"]])


_EXAMPLE = {
    "technician_id": "018e0000-0000-7000-8000-000000000012",
    "start": "2026-03-05T08:00:00Z",
    "end": "2026-03-05T10:00:00Z",
}


class ConflictView(View):
    """A visit that does not fit into the calendar as planned, with other times that are free.

    Of many that do not fit for one cause, the other times of most follow a moment later.
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
        examples=[[_EXAMPLE]],
    )
    # Whether the visit had no time; `wanted` is the first that is proposed then.
    no_time_yet: bool = False
    # `proposals` and `alternatives` in one list, the best first, with what speaks for each. Empty in old ones.
    ranked: list[ProposedTime] = Field(default=[], examples=[[_EXAMPLE | {"reasons": ["wanted_time"]}]])
    # The booked appointment that it is about, which stays until it is decided.
    appointment_id: UUID | None = None
    # What its client may choose from by the link that was sent, and until when.
    offered: list[Alternative] = Field(default=[], examples=[[_EXAMPLE]])
    offered_until: datetime | None = Field(default=None, examples=["2026-03-06T08:00:00Z"])

    def interval(self) -> tuple[datetime, datetime]:
        return self.wanted.start, self.wanted.end

    def for_client(self) -> None:
        return None

    def is_open(self) -> bool:
        return self.status == "open"

    def timeline_roots(self) -> frozenset[UUID]:
        return roots_of(self.id, self.reclamation_id, self.intervention_id)


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


class AlsoInConflict(Message):
    """Another visit that does not fit any more for the same cause."""

    reclamation_reference: str | None = Field(examples=["REC-2026-000002"])
    intervention_id: UUID | None
    wanted: Slot


class ConflictDetected(Event[ConflictView]):
    """A planned visit does not fit into the calendar; a manager decides."""

    # Whether it came with others from one cause, of which managers are told all at once: their technician left, or the
    # event of the first of them names it.
    one_of_many: bool = False
    # The others that came with this one, whose events say `one_of_many`: the earliest, and how many `more` there are.
    others: list[AlsoInConflict] = Field(default=[])
    more: int = Field(default=0, examples=[0])


ConflictChanged = Changed[ConflictView]


class ConflictResolved(Event[ConflictView]):
    """A conflict was resolved. In older logs, `state.status` may say that it had only become moot."""

    # Whether its client chose the time, by the link that was sent; else a manager decided.
    by_client: bool = False
    # Who goes and when, where they said so. Where that is not `state.technician_id`, the visit is given to them.
    technician_id: PersonId | None = None
    slot: Slot | None = None
    outside_hours: bool = False


class ConflictBecameMoot(Event[ConflictView]):
    """A conflict no longer needs a decision: the visit got another time or is over."""
