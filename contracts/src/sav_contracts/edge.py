"""The query that the edge answers itself: the audit of requests."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from sav_contracts.actor import Role
from sav_contracts.messages import Line, Message, PersonId, Query
from sav_contracts.times import EndsBeforeFrom, Moment


class RequestShown(Message):
    """One request. `id` is the X-Request-ID of its answer, and the correlation id of everything it caused."""

    id: UUID
    at: datetime
    user_id: PersonId | None
    role: Role
    route: str = Field(examples=["POST /reclamations"])
    status: int
    ms: float
    address: str | None = Field(examples=["192.0.2.7"])


class Requests(Message):
    """Requests, the newest first; `next` is the `after` of the following page."""

    items: list[RequestShown]
    next: str | None = Field(examples=["4715"])


class FindRequests(Query[Requests]):
    """Find who asked for what, when, from where and with which result. New requests appear after a second or two.

    `route` is one of this description (`POST /reclamations`), or `none` where no route matched. Queries, bodies and
    tokens are not kept. Requests are deleted after some time.
    """

    user_id: PersonId | None = None
    route: Line | None = Field(default=None, examples=["POST /reclamations"])
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    request_id: UUID | None = None
    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")] | None = Field(
        default=None, examples=["4715"]
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "FindRequests":
        if self.start and self.end and self.end < self.start:
            raise EndsBeforeFrom().error("to")
        return self
