"""A row of a timeline, as the edge serves it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from sav_contracts.actor import Role
from sav_contracts.messages import Message, PersonId


class Entry(Message):
    """One event of a timeline: what happened to which record, when, and the role of the actor.

    `by_id` is for staff; a client gets only the role.
    """

    id: UUID
    at: datetime
    type: str = Field(examples=["claims.ReclamationCreated.v1"])
    kind: str = Field(examples=["reclamation"])
    subject: UUID
    by: Role
    by_id: PersonId | None = None
    facts: dict[str, Any]
