"""Feedback and reports."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.auth.fields import LinkToken
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import Command, Event, Message, Personal, PersonId, Prose, Query, View
from sav_contracts.times import Day
from sav_contracts.visibility import Own, Visible

FeedbackStatus = Literal["invited", "given"]


class FeedbackView(View):
    """What a client says about a closed visit: `rating` from 1 to 5, `recommend` from 0 to 10."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=Own("technician_id"))

    client_id: PersonId
    technician_id: PersonId
    intervention_id: UUID
    reclamation_id: UUID | None
    status: FeedbackStatus
    rating: int | None = Field(examples=[5])
    recommend: int | None = Field(examples=[9])
    comment: Personal[str] | None = Field(examples=["À l'heure, aimable, et il fait chaud."])
    # Whether the client wants to be called about it.
    contact_me: bool
    # Until then it may be given or changed.
    open_until: datetime = Field(examples=["2026-03-20T08:30:00Z"])
    # What people know the visit by, and its day there. None in older ones.
    visit: str | None = Field(default=None, examples=["REC-2026-000001"])
    visited_on: date | None = Field(default=None, examples=["2026-03-05"])

    def is_open(self) -> bool:
        return self.status == "invited"

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset(root for root in (self.intervention_id, self.reclamation_id) if root)


class FeedbackWritten(Message):
    """What a client writes about a visit: `rating` from 1 to 5, `recommend` from 0 to 10."""

    rating: Annotated[int, Field(ge=1, le=5)] = Field(examples=[5])
    recommend: Annotated[int, Field(ge=0, le=10)] | None = Field(default=None, examples=[9])
    comment: Personal[Prose] | None = Field(default=None, examples=["À l'heure, aimable, et il fait chaud."])
    contact_me: bool = False


class GiveFeedback(Command[FeedbackView], FeedbackWritten):
    """Say how a closed visit was. Repeating it within two weeks changes the feedback."""

    intervention_id: UUID


class FeedbackAsked(Message):
    """The feedback that a link asks for, as whoever holds the link reads it."""

    status: FeedbackStatus
    rating: int | None = Field(examples=[5])
    recommend: int | None = Field(examples=[9])
    comment: Personal[str] | None = Field(examples=["À l'heure, aimable, et il fait chaud."])
    contact_me: bool
    open_until: datetime = Field(examples=["2026-03-20T08:30:00Z"])
    visit: str | None = Field(default=None, examples=["REC-2026-000001"])
    visited_on: date | None = Field(default=None, examples=["2026-03-05"])


class GetFeedbackByLink(Query[FeedbackAsked]):
    """Read the feedback that the link of an invitation asks for."""

    token: LinkToken


class GiveFeedbackByLink(Command[FeedbackAsked], FeedbackWritten):
    """Say how a closed visit was, by the link of the invitation. Repeating it within two weeks changes the feedback."""

    secret: ClassVar[bool] = True

    token: LinkToken


class Count(Message):
    """The number of one kind."""

    name: str = Field(examples=["leak"])
    count: int


class MissedVisits(Message):
    """How many visits of a technician their clients, and they themselves, did not come to."""

    technician_id: PersonId
    by_client: int
    by_technician: int


class ReclamationsReport(Message):
    """Réclamations opened in a period that the caller may see; `hours_…` are medians of elapsed hours.

    `resolved` excludes those that were reopened. `visits` are those with a validated report. `feedback` and
    `average_rating` are about the feedback on these visits; for a technician, on their own. `invoiced` and `received`
    are sums of the invoices issued for them, including VAT, in the platform's currency; None for a technician.
    `missed_by_…` are visits to which the client, or the technician, did not come, and `missed` the same for each
    technician; for a technician, their own. A client reads no `missed`.
    """

    start: date
    end: date
    opened: int
    resolved: int
    closed: int
    cancelled: int
    open: int
    by_status: list[Count]
    by_problem: list[Count]
    by_priority: list[Count]
    by_coverage: list[Count]
    visits: int
    hours_to_qualify: float | None
    hours_to_resolve: float | None
    resolved_at_first_visit: int
    feedback: int
    average_rating: float | None
    invoiced: Decimal | None
    received: Decimal | None
    missed_by_client: int = 0
    missed_by_technician: int = 0
    missed: list[MissedVisits] = Field(
        default=[],
        examples=[
            [
                {
                    "technician_id": "018e0000-0000-7000-8000-000000000012",
                    "by_client": 2,
                    "by_technician": 1,
                }
            ]
        ],
    )


class GetReclamationsReport(Query[ReclamationsReport]):
    """Get the réclamations opened from `from` to `to`, both included, as days in UTC. Default: the last 30 days."""

    of: ClassVar[type[View] | None] = ReclamationView

    start: Day | None = Field(default=None, alias="from")
    end: Day | None = Field(default=None, alias="to")


class FeedbackInvited(Event[FeedbackView]):
    """A client is asked how a visit was."""


class FeedbackGiven(Event[FeedbackView]):
    """A client gave or changed feedback on a visit."""

    client_sees: ClassVar[bool] = True
