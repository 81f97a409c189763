"""When a technician works."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from sav_contracts.messages import Changed, Command, Message, PersonId, Query, View
from sav_contracts.public_holidays import Holidays
from sav_contracts.time_zone import Zone
from sav_contracts.times import Day
from sav_contracts.visibility import Own, Visible
from sav_contracts.wrong_value import WrongValue

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class NoLocalTime(WrongValue):
    code = "no_local_time"
    en = "a time on the clock, without a zone, such as 08:30"
    fr = "une heure locale, sans fuseau, par exemple 08:30"


class ShiftEndsTooEarly(WrongValue):
    code = "shift_ends_too_early"
    en = "a shift ends after it starts"
    fr = "une plage de travail se termine après son début"


def _local(at: time) -> time:
    if at.tzinfo:
        raise NoLocalTime().error()
    return at


LocalTime = Annotated[time, AfterValidator(_local)]


class Shift(Message):
    """Hours of work on one weekday, in the technician's zone. One until midnight ends at `00:00:00`."""

    day: Weekday
    start: LocalTime = Field(examples=["08:00:00"])
    end: LocalTime = Field(examples=["12:00:00"])

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Shift":
        if self.end <= self.start and self.end != time():
            raise ShiftEndsTooEarly().error()
        return self

    @property
    def span(self) -> tuple[timedelta, timedelta]:
        """Its start and end by the clock on the wall, counted from the beginning of its day."""
        start, end = (datetime.combine(date.min, at) - datetime.min for at in (self.start, self.end))
        return start, end or timedelta(days=1)


class PlannedHours(Message):
    """Working hours that hold from a day to come, from its beginning in their zone, until the next ones that are planned."""

    effective_from: date = Field(examples=["2026-04-01"])
    zone: str = Field(examples=["Europe/Paris"])
    # The country, or country and region or department (ISO 3166), whose public holidays are days off.
    holidays: str = Field(examples=["FR"])
    shifts: list[Shift]


class WorkingHoursView(View):
    """When a technician works: the hours that hold now, and those that are planned."""

    visible: ClassVar[Visible] = Visible(technician=Own("technician_id"))
    changed: ClassVar[str] = "HoursChanged"

    technician_id: PersonId
    zone: str = Field(examples=["Europe/Paris"])
    # The country, or country and region or department (ISO 3166), whose public holidays are days off.
    holidays: str = Field(examples=["FR"])
    shifts: list[Shift]
    # The day on which the present ones began; None where nothing else was ever set.
    effective_from: date | None = Field(default=None, examples=["2026-03-01"])
    # Those to come, the earliest first.
    planned: list[PlannedHours] = Field(
        default=[],
        examples=[
            [
                {
                    "effective_from": "2026-04-01",
                    "zone": "Europe/Paris",
                    "holidays": "FR-67",
                    "shifts": [{"day": "mon", "start": "08:00:00", "end": "12:00:00"}],
                }
            ]
        ],
    )

    def for_client(self) -> None:
        return None

    @property
    def parent(self) -> UUID:
        return self.technician_id


class HoursGiven(Message):
    """Working hours as a person enters them. What is free between two shifts of a day is a break."""

    technician_id: PersonId
    zone: Zone = "Europe/Paris"
    holidays: Holidays = "FR"
    shifts: Annotated[list[Shift], Field(max_length=28)]
    # The day from which they hold, in their zone; by default today.
    effective_from: Day | None = Field(default=None, examples=["2026-04-01"])


class SetHours(HoursGiven, Command[WorkingHoursView]):
    """Set all working hours of a technician from a day on (`effective_from`; default: today, at most a year ahead).

    Those of now hold until then. Hours that were planned from that day on, or later, are replaced. `holidays` names a
    country or a part of it; where public holidays differ within a region of France, the department (`FR-67`).
    """


class UnfitVisit(Message):
    """A held or booked visit that would no longer fit."""

    appointment_id: UUID
    reclamation_id: UUID | None
    intervention_id: UUID | None
    # What people call it by; None for a visit without a réclamation.
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    start: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    end: datetime = Field(examples=["2026-03-05T10:00:00Z"])


class UnfitVisits(Message):
    """The visits that would no longer fit, the earliest first: at most 200 of them, and how many there are."""

    items: list[UnfitVisit]
    total: int = Field(examples=[2])


class PreviewHours(HoursGiven, Query[UnfitVisits]):
    """Find the visits that would no longer be within these working hours, and are now. Nothing is saved."""

    of: ClassVar[type[View] | None] = WorkingHoursView


HoursChanged = Changed[WorkingHoursView]
