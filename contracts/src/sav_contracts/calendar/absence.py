"""When a technician is away."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.calendar.hours import UnfitVisits
from sav_contracts.messages import Command, Event, Message, Personal, PersonId, Query, Reason, View
from sav_contracts.times import Day, Moment
from sav_contracts.visibility import Own, Visible
from sav_contracts.wrong_value import WrongValue

AbsenceCause = Literal["leave", "sick", "training", "other"]
AbsenceStatus = Literal["planned", "removed"]


class AbsenceView(View):
    """A time in which a technician takes no visits, from `start` until `end`. A removed one no longer counts."""

    visible: ClassVar[Visible] = Visible(technician=Own("technician_id"))

    technician_id: PersonId
    start: datetime = Field(examples=["2026-03-09T23:00:00Z"])
    end: datetime = Field(examples=["2026-03-14T23:00:00Z"])
    cause: AbsenceCause
    note: Personal[str] | None = Field(examples=["Formation pompes à chaleur, Lyon."])
    status: AbsenceStatus

    def for_client(self) -> None:
        return None

    @property
    def parent(self) -> UUID:
        return self.technician_id

    def interval(self) -> tuple[datetime, datetime]:
        return self.start, self.end

    def is_open(self) -> bool:
        return self.status == "planned"


class WhenAway(WrongValue):
    code = "when_away"
    field = "start"
    en = "start and end, or first_day and last_day: say when, by one of both"
    fr = "start et end, ou first_day et last_day : indiquez la période, par l’un des deux"


class EndsBeforeItBegins(WrongValue):
    code = "ends_before_it_begins"
    en = "an absence ends after it begins"
    fr = "une absence se termine après son début"


class AbsenceGiven(Message):
    """When a technician is away: whole days in the zone of their working hours, or from one time until another."""

    technician_id: PersonId
    first_day: Day | None = Field(default=None, examples=["2026-03-10"])
    # With it; by default the same day.
    last_day: Day | None = Field(default=None, examples=["2026-03-14"])
    start: Moment | None = Field(default=None, examples=[None])
    end: Moment | None = Field(default=None, examples=[None])

    @model_validator(mode="after")
    def _says_when(self) -> "AbsenceGiven":
        by_days = self.first_day is not None
        by_time = self.start is not None and self.end is not None
        if by_days == by_time or (not by_days and self.last_day) or (by_days and (self.start or self.end)):
            raise WhenAway().error()
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise EndsBeforeItBegins().error("last_day")
        if self.start and self.end and self.end <= self.start:
            raise EndsBeforeItBegins().error("end")
        return self


class AddAbsence(AbsenceGiven, Command[AbsenceView]):
    """Record that a technician is away. Nobody is offered their times then; what is booked stays until somebody decides.

    Clients never read it, and no other technician. The same time and cause repeated is no error: the answer is the
    absence that is recorded already.
    """

    cause: AbsenceCause
    note: Personal[Reason] | None = Field(default=None, examples=["Formation pompes à chaleur, Lyon."])


class RemoveAbsence(Command[AbsenceView]):
    """Remove an absence: the technician is there after all."""

    technician_id: PersonId
    absence_id: UUID


class PreviewAbsence(AbsenceGiven, Query[UnfitVisits]):
    """Find the visits that are held or booked in this time. Nothing is saved."""

    of: ClassVar[type[View] | None] = AbsenceView


class AbsenceAdded(Event[AbsenceView]):
    """A technician is away for some time."""


class AbsenceRemoved(Event[AbsenceView]):
    """An absence was removed: the technician is there."""
