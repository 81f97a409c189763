"""Windows of time for visits."""

from pydantic import AwareDatetime, Field, model_validator

from sav_contracts.messages import (
    Message,
)
from sav_contracts.times import LONGEST_VISIT, SHORTEST_VISIT, Moment
from sav_contracts.wrong_value import WrongValue


class EndsTooEarly(WrongValue):
    code = "ends_too_early"
    en = "a slot ends after it starts"
    fr = "un créneau se termine après son début"


class WrongLength(WrongValue):
    code = "wrong_length"
    en = "a visit lasts from 15 minutes to 12 hours"
    fr = "une intervention dure de 15 minutes à 12 heures"


class Slot(Message):
    """A window of time for a visit, with its zone offset, from `start` until `end`."""

    start: AwareDatetime = Field(examples=["2026-03-05T08:00:00Z"])
    end: AwareDatetime = Field(examples=["2026-03-05T10:00:00Z"])

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Slot":
        if self.end <= self.start:
            raise EndsTooEarly().error()
        return self


class WantedSlot(Slot):
    """A requested window of time, with the length of a visit. Events keep whatever slot was recorded."""

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _is_as_long_as_a_visit(self) -> "WantedSlot":
        if not SHORTEST_VISIT <= self.end - self.start <= LONGEST_VISIT:
            raise WrongLength().error()
        return self
