"""Times that are free."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.calendar.appointment import TimeForWhat
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import Message, PersonId, Query, View
from sav_contracts.times import Moment
from sav_contracts.wrong_value import WrongValue


class WhoseTimes(WrongValue):
    code = "whose_times"
    en = "reclamation_id, intervention_id or technician_id: say whose free times"
    fr = "reclamation_id, intervention_id ou technician_id : indiquez de qui vous cherchez les disponibilités"


class FreeSlot(Message):
    """A time when this technician is free to come."""

    technician_id: UUID
    start: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    end: datetime = Field(examples=["2026-03-05T10:00:00Z"])
    arrival_from: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    arrival_until: datetime = Field(examples=["2026-03-05T09:00:00Z"])
    # Whether it is when the client said that a visit would suit.
    preferred: bool = False
    # Of those that are answered, the best one is 1: preferred times first, then the smallest detour, then the earliest.
    rank: int | None = Field(default=None, examples=[1])


class FreeSlots(Message):
    """Free times in the order that was asked for."""

    items: list[FreeSlot]


class FindFreeSlots(Query[FreeSlots]):
    """Find free times: for a réclamation (of its technician, or of all who could take it), for a visit without one (of
    its technician), or of one technician.

    From `from` (default: now) until `to` (default: two weeks later; at most six weeks); the 200 earliest, or with
    `order=best` the 200 best, by `rank`. Each is as long as such a visit usually takes; its client is told the arrival
    window.
    """

    of: ClassVar[type[View] | None] = ReclamationView

    reclamation_id: UUID | None = None
    intervention_id: UUID | None = None
    technician_id: PersonId | None = None
    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")
    order: Literal["earliest", "best"] = "earliest"

    @model_validator(mode="after")
    def _says_for_what(self) -> "FindFreeSlots":
        if not (self.reclamation_id or self.intervention_id or self.technician_id):
            raise WhoseTimes().error()
        if self.reclamation_id and self.intervention_id:
            raise TimeForWhat().error()
        return self
