"""What admins govern while everything runs: policies, and the keys that tokens are signed with. Auth owns both."""

import logging
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sav_contracts.messages import Command, Event, PersonId, Scope, View

log = logging.getLogger(__name__)

NAMESPACE = UUID("6f1d5b0a-3c55-5f0e-9a53-6b0f5c1d7e42")

PolicyName = Literal["rate_limits", "cors", "cut_offs", "buffers"]
Count = Annotated[int, Field(ge=1, le=100_000)]


# What a browser sends as `Origin` (RFC 6454, 6.2): lower case, no path, not even a slash.
Origin = Annotated[str, Field(max_length=300, pattern=r"^https?://[^\sA-Z/?#@]+$")]


class Policy(BaseModel):
    """One policy, whole; a field that is not given has its default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[PolicyName]

    @classmethod
    def id(cls) -> UUID:
        """The id of its record, the same everywhere."""
        return uuid5(NAMESPACE, cls.name)


P = TypeVar("P", bound=Policy)


class Limits(BaseModel):
    """Requests a minute: what is read, what is changed, and files that are sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reads: Count
    writes: Count
    uploads: Count


class RateLimits(Policy):
    """How many requests a caller may make: each person, or each address where there is no token."""

    name: ClassVar[PolicyName] = "rate_limits"

    anyone: Limits = Limits(reads=120, writes=30, uploads=1)
    client: Limits = Limits(reads=300, writes=60, uploads=20)
    technician: Limits = Limits(reads=600, writes=120, uploads=60)
    manager: Limits = Limits(reads=1200, writes=300, uploads=60)
    admin: Limits = Limits(reads=1200, writes=300, uploads=60)
    # From each address, of whoever: what takes a password or a link.
    sign_ins: Count = 20


class Cors(Policy):
    """The origins whose pages may call the API from a browser; none by default."""

    name: ClassVar[PolicyName] = "cors"

    origins: Annotated[tuple[Origin, ...], Field(max_length=50)] = ()


class CutOffs(Policy):
    """Until when something may be done."""

    name: ClassVar[PolicyName] = "cut_offs"

    # After so many days a resolved réclamation that nobody answers closes; for so many after the visit was closed
    # feedback may be given and changed.
    closes_after_days: Annotated[int, Field(ge=1, le=365)] = 7
    feedback_days: Annotated[int, Field(ge=1, le=365)] = 14
    # How long before its start a client may still choose a time.
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
    """Time that is kept free around visits."""

    name: ClassVar[PolicyName] = "buffers"

    # The way from one visit to the next.
    travel_minutes: Annotated[int, Field(ge=0, le=480)] = 30

    @property
    def travel(self) -> timedelta:
        return timedelta(minutes=self.travel_minutes)


POLICIES: dict[PolicyName, type[Policy]] = {
    policy.name: policy for policy in (RateLimits, Cors, CutOffs, Buffers)
}


class PolicyView(View):
    """A policy as it is in force, and who set it; nobody, while it is as it came."""

    scope: ClassVar[Scope] = Scope.STAFF

    name: PolicyName
    value: dict[str, Any]
    changed_by: PersonId | None

    def in_force(self, policy: type[P]) -> P:
        """Its value as this policy; what today's code does not know is left out, what it has new is as it comes.

        All of it is as it comes where today's bounds refuse what an earlier release took; that is logged, once.
        """
        try:
            return policy.model_validate(self.value, extra="ignore")
        except ValidationError as error:
            wrong = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
            _warn(self.name, self.version, "; ".join(f"{field}: {why}" for field, why in wrong))
            return policy()

    def roots(self) -> frozenset[UUID]:
        """It has a timeline of its own."""
        return frozenset({self.id})


@cache
def _warn(name: PolicyName, version: int, why: str) -> None:
    """Once for each version: a policy is read again and again."""
    log.warning("policy %s is as it comes: its version %d is refused: %s", name, version, why)


class ChangePolicy(Command[PolicyView]):
    """Set a policy, all of it; what is left out gets its default. It is in force within a second."""

    name: PolicyName
    value: dict[str, Any]


class PolicySet(Event):
    """An admin set a policy; the fields that changed are as they `were`, and as they are `now`."""

    state: PolicyView
    were: dict[str, Any]
    now: dict[str, Any]


class PolicyChanged(Event):
    """What a policy says is shown anew."""

    tells: ClassVar[bool] = False

    state: PolicyView


class SigningKeyView(View):
    """A public key (Ed25519, PEM) that tokens are verified with."""

    scope: ClassVar[Scope] = Scope.PUBLIC

    key_id: str
    pem: str


class SigningKeyAdded(Event):
    """Auth is going to sign with another key."""

    tells: ClassVar[bool] = False

    state: SigningKeyView


class SigningKeyChanged(Event):
    """What is known of a key is shown anew."""

    tells: ClassVar[bool] = False

    state: SigningKeyView
