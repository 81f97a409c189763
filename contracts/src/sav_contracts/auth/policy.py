"""What admins set while everything runs: policies, and the keys that sign tokens. Auth owns both."""

import logging
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sav_contracts.messages import Changed, Command, Event, PersonId, View
from sav_contracts.visibility import ALL, NOTHING, Visible

log = logging.getLogger(__name__)

NAMESPACE = UUID("6f1d5b0a-3c55-5f0e-9a53-6b0f5c1d7e42")

PolicyName = Literal["rate_limits", "cors", "cut_offs", "buffers"]
Count = Annotated[int, Field(ge=1, le=100_000)]


# What a browser sends as `Origin` (RFC 6454, 6.2): lower case, without a path or a final slash.
Origin = Annotated[str, Field(max_length=300, pattern=r"^https?://[^\s\x00-\x1f\x7fA-Z/?#@]+$")]


class Policy(BaseModel):
    """One complete policy; omitted fields have their defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[PolicyName]

    @classmethod
    def id(cls) -> UUID:
        """The id of its record, the same in every installation."""
        return uuid5(NAMESPACE, cls.name)


P = TypeVar("P", bound=Policy)


class Limits(BaseModel):
    """Requests a minute: reads, writes and uploads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reads: Count
    writes: Count
    uploads: Count


class RateLimits(Policy):
    """How many requests a caller may make: each person, or each address without a token."""

    name: ClassVar[PolicyName] = "rate_limits"

    anyone: Limits = Limits(reads=120, writes=30, uploads=1)
    client: Limits = Limits(reads=300, writes=60, uploads=20)
    technician: Limits = Limits(reads=600, writes=120, uploads=60)
    manager: Limits = Limits(reads=1200, writes=300, uploads=60)
    admin: Limits = Limits(reads=1200, writes=300, uploads=60)
    # For each address, whoever the caller is: requests with a password or a link.
    sign_ins: Count = 20


class Cors(Policy):
    """The origins whose pages may call the API from a browser; none by default."""

    name: ClassVar[PolicyName] = "cors"

    origins: Annotated[tuple[Origin, ...], Field(max_length=50)] = ()


class CutOffs(Policy):
    """The times until which something may be done."""

    name: ClassVar[PolicyName] = "cut_offs"

    # Days after which a resolved réclamation closes without an answer; days after a visit was closed in which feedback
    # may be given and changed.
    closes_after_days: Annotated[int, Field(ge=1, le=365)] = 7
    feedback_days: Annotated[int, Field(ge=1, le=365)] = 14
    # Minutes before a visit's start until which a client may choose its time.
    notice_minutes: Annotated[int, Field(ge=0, le=10_080)] = 120

    @property
    def closes_after(self) -> timedelta:
        return timedelta(days=self.closes_after_days)

    @property
    def feedback(self) -> timedelta:
        return timedelta(days=self.feedback_days)

    @property
    def notice(self) -> timedelta:
        return timedelta(minutes=self.notice_minutes)


class Buffers(Policy):
    """Time kept free around visits."""

    name: ClassVar[PolicyName] = "buffers"

    # For the way from one visit to the next.
    travel_minutes: Annotated[int, Field(ge=0, le=480)] = 30

    @property
    def travel(self) -> timedelta:
        return timedelta(minutes=self.travel_minutes)


POLICIES: dict[PolicyName, type[Policy]] = {
    policy.name: policy for policy in (RateLimits, Cors, CutOffs, Buffers)
}


class PolicyView(View):
    """A policy in force, and who set it; None while it has its defaults."""

    visible: ClassVar[Visible] = Visible(manager=NOTHING)

    name: PolicyName = Field(examples=["buffers"])
    value: dict[str, Any] = Field(examples=[{"travel_minutes": 45}])
    changed_by: PersonId | None

    def in_force(self, policy: type[P]) -> P:
        """The stored value as this policy. Unknown fields are ignored, and missing ones have their defaults.

        Where today's bounds refuse a value of an earlier release, all fields have their defaults. That is logged once.
        """
        try:
            return policy.model_validate(self.value, extra="ignore")
        except ValidationError as error:
            wrong = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
            _warn(self.name, self.version, "; ".join(f"{field}: {why}" for field, why in wrong))
            return policy()

    def timeline_roots(self) -> frozenset[UUID]:
        """A policy has a timeline of its own."""
        return frozenset({self.id})


@cache
def _warn(name: PolicyName, version: int, why: str) -> None:
    """Cached, so that it logs once for each version: a policy is read again and again."""
    log.warning("policy %s has its defaults: its version %d is refused: %s", name, version, why)


class ChangePolicy(Command[PolicyView]):
    """Set a whole policy; omitted fields get their defaults. It is in force within a second."""

    name: PolicyName
    value: Annotated[dict[str, Any], Field(max_length=50)] = Field(examples=[{"travel_minutes": 45}])


class PolicySet(Event[PolicyView]):
    """An admin set a policy. The changed fields, as they `were` and as they are `now`."""

    were: dict[str, Any] = Field(examples=[{"travel_minutes": 30}])
    now: dict[str, Any] = Field(examples=[{"travel_minutes": 45}])


PolicyChanged = Changed[PolicyView]


class SigningKeyView(View):
    """A public key (Ed25519, PEM) that tokens are verified with."""

    visible: ClassVar[Visible] = Visible(client=ALL, technician=ALL, anyone=ALL)

    key_id: str = Field(examples=["5d0c9a41b7e2f836"])
    pem: str = Field(
        examples=[
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
        ]
    )


class SigningKeyAdded(Event[SigningKeyView]):
    """Auth announced a new key with which it will sign."""

    makes_timeline_line: ClassVar[bool] = False
