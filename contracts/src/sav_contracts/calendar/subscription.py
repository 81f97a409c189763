"""A person's visits in the calendar of their telephone."""

from typing import Annotated, ClassVar

from pydantic import Field

from sav_contracts.auth.fields import LinkToken, Locale
from sav_contracts.messages import Command, Message, Query


class CalendarAddress(Message):
    """The secret address of a person's calendar, which is shown only now. Whoever has it reads their visits."""

    url: str = Field(examples=["https://sav.example.com/api/me/calendar.ics?token=AZ8…"])


class RotateCalendarAddress(Command[CalendarAddress]):
    """Get an address to which a telephone's calendar subscribes (iCalendar); an earlier one ends.

    A program reads there, without signing in, the visits of the last two years and those to come: a client when the
    technician arrives, a technician when they work. Texts are in `language`.
    """

    secret: ClassVar[bool] = True

    language: Locale = "fr"


class CalendarFile(Message):
    """A calendar as a file; no `text` where the caller holds this one already."""

    name: str = Field(examples=["sav.ics"])
    tag: str = Field(examples=['"6f1d0b2c"'])
    text: str | None = Field(examples=["BEGIN:VCALENDAR…"])


class GetCalendarFeed(Query[CalendarFile]):
    """The visits of the person whose secret address it is."""

    token: LinkToken
    # The entity tag of the file that the caller holds, as in `If-None-Match`.
    known: Annotated[str, Field(max_length=200)] | None = Field(default=None, examples=['"6f1d0b2c"'])
