"""A row of a timeline, as the edge serves it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from sav_contracts.actor import Role
from sav_contracts.messages import Message, PersonId


class Entry(Message):
    """One event of a timeline: what happened to which record, when, and the role of the actor.

    `text` says it in plain words, in the language of Accept-Language, or else of the caller's account; where only staff
    read of an event it has none. `by_id` and `facts` are for staff: a client gets the role and the words.
    """

    id: UUID
    at: datetime
    type: str = Field(examples=["claims.ReclamationCreated.v1"])
    kind: str = Field(examples=["reclamation"])
    subject: UUID
    by: Role
    by_id: PersonId | None = None
    text: str | None = Field(default=None, examples=["La panne a été signalée"])
    facts: dict[str, Any]
