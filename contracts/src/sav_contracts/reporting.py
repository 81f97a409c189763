"""What the work amounts to: feedback and reports."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.messages import Command, Event, Message, Personal, PersonId, Prose, Query, Scope, View

FeedbackStatus = Literal["invited", "given"]


class FeedbackView(View):
    """What a client says about a closed visit: `rating` from 1 to 5, `recommend` from 0 to 10."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    technician_id: PersonId
    intervention_id: UUID
    reclamation_id: UUID
    status: FeedbackStatus
    rating: int | None
    recommend: int | None
    comment: Personal[str] | None
    # Whether the client wants to be called about it.
    contact_me: bool
    # Until when it may be given or changed.
    open_until: datetime

    def is_open(self) -> bool:
        return self.status == "invited"

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.intervention_id, self.reclamation_id})


class GiveFeedback(Command[FeedbackView]):
    """Say how a closed visit was; again within two weeks changes it."""

    intervention_id: UUID
    rating: Annotated[int, Field(ge=1, le=5)]
    recommend: Annotated[int, Field(ge=0, le=10)] | None = None
    comment: Personal[Prose] | None = None
    contact_me: bool = False


class Count(Message):
    """How many of one kind."""

    name: str
    count: int


class ReclamationsReport(Message):
    """Réclamations opened in a period, as far as the caller may see them; `hours_…` are medians, by the clock.

    `resolved` does not count what was opened again since. `visits` are those whose report was validated. `feedback` and
    `average_rating` are about what was given on them, for a technician on their own visits. `invoiced` and `received`
    are sums of the invoices issued for them, including VAT, in the platform's currency; None for a technician.
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


class GetReclamationsReport(Query[ReclamationsReport]):
    """The réclamations opened from `from` to `to`, days in UTC, both included; the last 30 where none is given."""

    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")


class FeedbackInvited(Event):
    """A client is asked how a visit was."""

    state: FeedbackView


class FeedbackGiven(Event):
    """A client said how a visit was, or changed it."""

    client_sees: ClassVar[bool] = True

    state: FeedbackView


class FeedbackChanged(Event):
    """What is known of a visit's feedback is shown anew."""

    tells: ClassVar[bool] = False

    state: FeedbackView
