"""Other times for a visit, of which its client chooses one by a link."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.auth.fields import LinkToken
from sav_contracts.calendar.conflict import ConflictView
from sav_contracts.messages import Command, Event, Message, PersonId, Query
from sav_contracts.slot import Slot, WantedSlot

# More than people compare.
MOST_OFFERED = 5


class TimeToOffer(Message):
    """A time at which somebody could go; without `technician_id` the visit's own technician."""

    technician_id: PersonId | None = None
    slot: WantedSlot


class OfferTimes(Command[ConflictView]):
    """Ask the client of a visit that does not fit which other time suits them, by a link in a message.

    Without `times` they are offered what the conflict proposes, as far as it is still free. Nothing is held meanwhile:
    a time that is gone when they answer is not among those they can choose. Offering again replaces what was offered,
    and its link. The link works once, and ends with the conflict, or when the last of the times begins.
    """

    conflict_id: UUID
    times: Annotated[list[TimeToOffer], Field(max_length=MOST_OFFERED, default_factory=list)]


class TimeShown(Message):
    """A time that can be chosen, by its number."""

    choice: int = Field(examples=[1])
    technician: str = Field(examples=["Karim Haddad"])
    start: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    end: datetime = Field(examples=["2026-03-05T10:00:00Z"])
    arrival_from: datetime = Field(examples=["2026-03-05T08:00:00Z"])
    arrival_until: datetime = Field(examples=["2026-03-05T09:00:00Z"])


class OfferShown(Message):
    """What whoever holds the link reads: the time that cannot be kept, and those that are free instead."""

    reference: str = Field(examples=["REC-2026-000001"])
    # In which the times are to be read.
    zone: str = Field(examples=["Europe/Paris"])
    # When the technician was to arrive; None where the visit had no time yet.
    instead_of: Slot | None
    times: list[TimeShown]
    status: Literal["open", "answered"]
    chosen: TimeShown | None = None


class GetOfferByLink(Query[OfferShown]):
    """Read the times that a link offers and that are still free."""

    token: LinkToken


class ChooseTime(Command[OfferShown]):
    """Choose one of the times that a link offers. The link works once; the same answer repeated is no error."""

    secret: ClassVar[bool] = True

    token: LinkToken
    choice: Annotated[int, Field(ge=1, le=MOST_OFFERED)]


class TimesOffered(Event[ConflictView]):
    """A client was asked which time suits them. The sender signs the link from the grant, so that no secret is sent."""

    grant_id: UUID
    expires_at: datetime = Field(examples=["2026-03-06T08:00:00Z"])
    # How long after the start of each time its technician may arrive.
    arrival_minutes: int = Field(examples=[60])


class OfferUnanswered(Event[ConflictView]):
    """A client has not answered for two days, or the last of the times that were offered has begun.

    They may still answer until `state.offered_until`.
    """
