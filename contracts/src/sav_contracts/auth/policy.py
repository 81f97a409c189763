"""What admins set while everything runs: policies, and the keys that sign tokens. Auth owns both."""

import logging
from datetime import time, timedelta
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args
from uuid import UUID, uuid5

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from sav_contracts import canonical
from sav_contracts.calendar.hours import Shift, Weekday
from sav_contracts.claims.reclamation import Priority
from sav_contracts.interventions.visit import Purpose
from sav_contracts.labels import label
from sav_contracts.messages import Changed, Command, Event, PersonId, View
from sav_contracts.numbers import plainly
from sav_contracts.public_holidays import STORED, Holidays
from sav_contracts.sentences import Text
from sav_contracts.time_zone import CENTRAL, Zone
from sav_contracts.visibility import ALL, NOTHING, Visible
from sav_contracts.wrong_value import WrongValue

log = logging.getLogger(__name__)

NAMESPACE = UUID("6f1d5b0a-3c55-5f0e-9a53-6b0f5c1d7e42")

PolicyName = Literal["rate_limits", "cors", "cut_offs", "buffers", "sla_targets", "dunning"]
Count = Annotated[int, Field(ge=1, le=100_000)]


def _as_sent(origin: str, info: ValidationInfo) -> str:
    if info.context == STORED:
        return canonical.or_itself(canonical.origin, origin)
    return canonical.origin(origin)


Origin = Annotated[str, Field(max_length=300), AfterValidator(_as_sent)]


class Policy(BaseModel):
    """One complete policy; omitted fields have their defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[PolicyName]

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        super().__pydantic_on_complete__()
        cls.__pydantic_validator__ = plainly(cls)

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
    # Days after a réclamation was closed in which its client may reopen it.
    reopens_days: Annotated[int, Field(ge=0, le=365)] = 30
    # Minutes before a visit's start until which a client may choose its time.
    notice_minutes: Annotated[int, Field(ge=0, le=10_080)] = 120
    # Minutes before a booked visit's start until which a client may move or cancel it.
    changes_until_minutes: Annotated[int, Field(ge=0, le=20_160)] = 1440
    # Days after a réclamation was resolved in which another one about the same product counts as its repeat.
    repeat_within_days: Annotated[int, Field(ge=0, le=3650)] = 90
    # Hours before the day of a visit from which its technician may set out without saying why.
    sets_out_hours: Annotated[int, Field(ge=0, le=168)] = 2

    @property
    def repeat_within(self) -> timedelta:
        return timedelta(days=self.repeat_within_days)

    @property
    def closes_after(self) -> timedelta:
        return timedelta(days=self.closes_after_days)

    @property
    def reopens(self) -> timedelta:
        return timedelta(days=self.reopens_days)

    @property
    def feedback(self) -> timedelta:
        return timedelta(days=self.feedback_days)

    @property
    def sets_out(self) -> timedelta:
        return timedelta(hours=self.sets_out_hours)

    @property
    def notice(self) -> timedelta:
        return timedelta(minutes=self.notice_minutes)

    @property
    def changes_until(self) -> timedelta:
        return timedelta(minutes=self.changes_until_minutes)


# From `SHORTEST_VISIT` to `LONGEST_VISIT`.
VisitMinutes = Annotated[int, Field(ge=15, le=720)]


class Buffers(Policy):
    """How long visits are planned to take, and the time kept free around them."""

    name: ClassVar[PolicyName] = "buffers"

    # For the way from one visit to the next.
    travel_minutes: Annotated[int, Field(ge=0, le=480)] = 30
    # By what a visit is for. The first visit for a réclamation is a repair.
    diagnostic_minutes: VisitMinutes = 60
    repair_minutes: VisitMinutes = 120
    maintenance_minutes: VisitMinutes = 90
    install_minutes: VisitMinutes = 240

    @property
    def travel(self) -> timedelta:
        return timedelta(minutes=self.travel_minutes)

    def length(self, purpose: Purpose) -> timedelta:
        """How long a visit for this takes."""
        minutes: dict[Purpose, int] = {
            "diagnostic": self.diagnostic_minutes,
            "repair": self.repair_minutes,
            "maintenance": self.maintenance_minutes,
            "install": self.install_minutes,
        }
        return timedelta(minutes=minutes[purpose])


class OpeningsOverlap(WrongValue):
    code = "openings_overlap"
    day: Text
    en = "two openings overlap on {day}"
    fr = "deux plages d’ouverture se chevauchent ({day})"


class HardlyOpen(WrongValue):
    code = "hardly_open"
    hours: int
    en = "open at least {hours} hours a week"
    fr = "ouvert au moins {hours} heures par semaine"


# Minutes of working time.
Working = Annotated[int, Field(ge=1, le=60_000)]
# With fewer, a target would lie years ahead.
FEWEST_HOURS = 5
OFFICE_HOURS = tuple(
    Shift(day=day, start=start, end=end)
    for day in get_args(Weekday)[:5]
    for start, end in ((time(8), time(12)), (time(13), time(17)))
)


class RespondsTooLate(WrongValue):
    code = "responds_too_late"
    field = "respond_minutes"
    en = "not later than it is to be resolved (resolve_minutes)"
    fr = "pas plus tard que le délai de résolution (resolve_minutes)"


class SlaTarget(BaseModel):
    """How soon somebody responds to a réclamation and resolves it, in minutes of working time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    respond_minutes: Working
    resolve_minutes: Working

    @model_validator(mode="after")
    def _responds_first(self, info: ValidationInfo) -> Self:
        if info.context != STORED and self.respond_minutes > self.resolve_minutes:
            raise RespondsTooLate().error()
        return self


class SlaTargets(Policy):
    """How soon réclamations are responded to and resolved, by priority, and when the firm works.

    Working time is the time in `openings` of days that are no public holidays, by the clock of `zone`.
    """

    name: ClassVar[PolicyName] = "sla_targets"

    critical: SlaTarget = SlaTarget(respond_minutes=60, resolve_minutes=8 * 60)
    high: SlaTarget = SlaTarget(respond_minutes=4 * 60, resolve_minutes=24 * 60)
    normal: SlaTarget = SlaTarget(respond_minutes=8 * 60, resolve_minutes=40 * 60)
    low: SlaTarget = SlaTarget(respond_minutes=16 * 60, resolve_minutes=80 * 60)
    openings: Annotated[tuple[Shift, ...], Field(max_length=50)] = OFFICE_HOURS
    zone: Zone = CENTRAL
    holidays: Holidays = "FR"
    # The share of a target after which managers are warned; and so many days before a legal period ends.
    warn_percent: Annotated[int, Field(ge=1, le=99)] = 75
    legal_warning_days: Annotated[int, Field(ge=1, le=29)] = 7

    @model_validator(mode="after")
    def _is_open(self) -> Self:
        ordered = sorted(self.openings, key=lambda one: (one.day, one.start))
        for one, other in pairwise(ordered):
            if one.day == other.day and other.span[0] < one.span[1]:
                raise OpeningsOverlap(day=label(one.day)).error()
        if sum((_length(one) for one in self.openings), timedelta()) < timedelta(hours=FEWEST_HOURS):
            raise HardlyOpen(hours=FEWEST_HOURS).error()
        return self

    def target(self, priority: Priority) -> SlaTarget:
        """The target of a priority."""
        targets: dict[Priority, SlaTarget] = {
            "critical": self.critical,
            "high": self.high,
            "normal": self.normal,
            "low": self.low,
        }
        return targets[priority]


def _length(shift: Shift) -> timedelta:
    start, end = shift.span
    return end - start


class NotInOrder(WrongValue):
    code = "not_in_order"
    en = "each number of days is larger than the one before"
    fr = "chaque nombre de jours est supérieur au précédent"


def _in_order(days: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise NotInOrder().error()
    return days


class Dunning(Policy):
    """When clients are reminded of overdue invoices: so many days after the due day, once for each number."""

    name: ClassVar[PolicyName] = "dunning"

    reminder_days: Annotated[
        tuple[Annotated[int, Field(ge=1, le=365)], ...],
        Field(max_length=5, examples=[[7, 21, 45]]),
        AfterValidator(_in_order),
    ] = (7, 21, 45)


POLICIES: dict[PolicyName, type[Policy]] = {
    policy.name: policy for policy in (RateLimits, Cors, CutOffs, Buffers, SlaTargets, Dunning)
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
            return policy.model_validate(self.value, extra="ignore", context=STORED)
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
