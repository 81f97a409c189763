"""What the edge itself is asked: who has asked it for what."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from sav_contracts.actor import Role
from sav_contracts.messages import Line, Message, PersonId, Query


class RequestShown(Message):
    """One request: `id` is the X-Request-ID of its answer, and the correlation id of all that came of it."""

    id: UUID
    at: datetime
    user_id: PersonId | None
    role: Role
    route: str
    status: int
    ms: float
    address: str | None


class Requests(Message):
    """Requests, the newest first; `next` is the `after` of the following page."""

    items: list[RequestShown]
    next: str | None


class FindRequests(Query[Requests]):
    """Who asked for what, when, from where, with which result. The newest are there after a second or two.

    `route` is one of this description (`POST /reclamations`), or `none` for what there is no route for. Queries,
    bodies and tokens are not kept, and no request for ever.
    """

    user_id: PersonId | None = None
    route: Line | None = None
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    request_id: UUID | None = None
    start: AwareDatetime | None = Field(default=None, alias="from")
    end: AwareDatetime | None = Field(default=None, alias="to")
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")] | None = None
