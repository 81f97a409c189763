"""A row of a timeline, as the edge serves it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sav_contracts.actor import Role
from sav_contracts.messages import Message, PersonId


class Entry(Message):
    """One event about a root: what happened to which record, when, and in which role somebody did it.

    `by_id` is for staff; a client reads the role only.
    """

    id: UUID
    at: datetime
    type: str
    kind: str
    subject: UUID
    by: Role
    by_id: PersonId | None = None
    facts: dict[str, Any]
