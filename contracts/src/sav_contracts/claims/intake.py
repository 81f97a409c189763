"""What is taken down with a réclamation: how it came, when a visit would suit, what it may repeat."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.messages import Message
from sav_contracts.times import Day
from sav_contracts.wrong_value import WrongValue

# How the client reported it. What a client opens on their own comes by the site.
Channel = Literal["site", "phone", "email", "counter"]
PreferredDay = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PartOfDay = Literal["morning", "afternoon", "evening"]
MOST_PREFERRED = 10


class PreferredTime(Message):
    """When a visit would suit the client, as recorded: every such weekday or one day, at any hour or in one part of it.

    Days are those of the place.
    """

    weekday: PreferredDay | None = Field(default=None, examples=["tue"])
    on: date | None = Field(default=None, examples=[None])
    part: PartOfDay | None = Field(default=None, examples=["morning"])


class WhichDay(WrongValue):
    code = "which_day"
    field = "weekday"
    en = "weekday, on: give one of them"
    fr = "weekday, on : indiquez l’un des deux"


class PreferredTimeGiven(PreferredTime):
    """When a visit would suit the client, as a person enters it: `weekday`, or one day in `on`."""

    on: Day | None = Field(default=None, examples=[None])

    @model_validator(mode="after")
    def _names_one_day(self) -> "PreferredTimeGiven":
        if (self.weekday is None) is (self.on is None):
            raise WhichDay().error()
        return self


PreferredTimes = Annotated[tuple[PreferredTimeGiven, ...], Field(max_length=MOST_PREFERRED)]


class Duplicate(Message):
    """Another réclamation of the same client about the same product, which was open when this one was opened."""

    id: UUID
    reference: str = Field(examples=["REC-2026-000001"])
