"""A réclamation that somebody has not finished writing."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from sav_contracts.auth.account import Accepted
from sav_contracts.catalog.product import Place, PlaceGiven
from sav_contracts.claims.intake import Channel, PreferredTime, PreferredTimes
from sav_contracts.claims.reclamation import ProblemType
from sav_contracts.messages import Command, Line, Message, Personal, PersonId, Prose, Query

KEPT_DAYS = 30


class SafetyDraft(Message):
    """The answers to the safety questions so far: None is not "no", and is left out when the réclamation is opened."""

    gas_smell: bool | None = None
    co_alarm: bool | None = None
    flooding: bool | None = None


class ReclamationDraft(Message):
    """An unfinished réclamation, as its author left it. Nobody else sees it."""

    client_id: PersonId | None = None
    product_id: UUID | None = None
    article: str | None = Field(default=None, examples=["Chaudière murale Lumea 24"])
    place: Place | None = None
    problem_type: ProblemType | None = Field(default=None, examples=["no_heating"])
    description: Personal[str] | None = Field(
        default=None, examples=["La chaudière ne démarre plus, les radiateurs restent froids."]
    )
    safety: SafetyDraft | None = None
    channel: Channel | None = None
    preferred_times: tuple[PreferredTime, ...] = ()
    saved_at: datetime = Field(examples=["2026-03-02T08:15:00Z"])
    # When it is dropped unless it is saved again.
    kept_until: datetime = Field(examples=["2026-04-01T08:15:00Z"])


class KeepDraft(Command[ReclamationDraft]):
    """Keep an unfinished réclamation, in place of the one kept before, for 30 days. Any field may be missing.

    It is dropped as soon as its author opens a réclamation.
    """

    client_id: PersonId | None = None
    product_id: UUID | None = None
    article: Line | None = Field(default=None, examples=["Chaudière murale Lumea 24"])
    place: PlaceGiven | None = None
    problem_type: ProblemType | None = None
    description: Personal[Prose] | None = Field(
        default=None, examples=["La chaudière ne démarre plus, les radiateurs restent froids."]
    )
    safety: SafetyDraft | None = None
    channel: Channel | None = None
    preferred_times: PreferredTimes = ()


class GetDraft(Query[ReclamationDraft]):
    """Get the réclamation that one left unfinished."""


class DropDraft(Command[Accepted]):
    """Drop the réclamation that one left unfinished, if there is one."""
