"""A visit that its client confirms, moves or cancels by a link, without an account."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.auth.fields import LinkToken
from sav_contracts.calendar.appointment import AppointmentStatus
from sav_contracts.messages import Command, Message, Query, Reason
from sav_contracts.times import Day, Moment
from sav_contracts.wrong_value import WrongValue

LinkAnswer = Literal["confirm", "move", "cancel"]


class OfferedTime(Message):
    """A free time: when its technician would arrive."""

    start: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    arrival_until: datetime = Field(examples=["2026-03-05T09:00:00Z"])
    # Whether it begins within the cut-off: the visit could not be moved or cancelled by its link any more.
    final: bool = False


class VisitShown(Message):
    """A visit as whoever holds its link reads it. Times are to be read in `zone`."""

    reference: str = Field(examples=["REC-2026-000001"])
    technician: str | None = Field(examples=["Karim Haddad"])
    arrival_from: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    arrival_until: datetime = Field(examples=["2026-03-05T09:00:00Z"])
    zone: str = Field(examples=["Europe/Paris"])
    status: AppointmentStatus
    # Whether its client said that they will be there at this time.
    confirmed: bool = False
    # Names what is read here, who comes and when, for the answer to it.
    seen: UUID | None = None
    # Whether SAV is finding out who comes and when: it is not confirmed until that is settled.
    unsettled: bool = False
    # The token with which its client chooses another time (`/times/{token}`), while they are asked to.
    times_token: str | None = Field(default=None, examples=[None])
    # Whether it may be moved and cancelled by the link now.
    may_change: bool = False
    # Other times that are free: the next ones from `times_from` on, a day where the visit is. None are looked for while
    # it may not be moved.
    times_from: date | None = Field(default=None, examples=["2026-03-05"])
    times: list[OfferedTime] = Field(
        default=[], examples=[[{"start": "2026-03-06T08:00:00Z", "arrival_until": "2026-03-06T09:00:00Z"}]]
    )


class WhichTime(WrongValue):
    code = "which_time"
    field = "start"
    en = "say to which time the visit is to be moved"
    fr = "indiquez à quel créneau déplacer la visite"


class GetVisitByLink(Query[VisitShown]):
    """Read the visit that a link is about, with the next other times that are free.

    They begin on the day `from` or later (by the clock where the visit is; default: the visit's own day; at most a year
    ahead). An earlier time that is held for its client comes first.
    """

    token: LinkToken
    since: Day | None = Field(default=None, alias="from", examples=["2026-03-05"])


class AnswerVisitByLink(Command[VisitShown]):
    """Confirm the visit that a link is about, move it to a free time, or cancel it, by the rules for its client.

    The same answer repeated is no error. With `seen`, as it was shown, it is refused where somebody else comes now, or at
    another time.
    """

    secret: ClassVar[bool] = True

    token: LinkToken
    answer: LinkAnswer
    start: Moment | None = None
    reason: Reason | None = Field(default=None, examples=["Je ne serai pas là."])
    seen: UUID | None = None

    @model_validator(mode="after")
    def _says_when(self) -> "AnswerVisitByLink":
        if self.answer == "move" and self.start is None:
            raise WhichTime().error()
        return self
