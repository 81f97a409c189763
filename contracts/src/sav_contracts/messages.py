"""The grammar: commands and queries are asked of one owner, events are told to whoever listens, views are shown."""

import re
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer, SecretStr, SerializationInfo, StringConstraints

Reply = TypeVar("Reply", bound=BaseModel)
T = TypeVar("T")

PERSON_ID = "person id"
PERSONAL = "personal"

# Every stored message row lists the ids marked so: erasure finds the rows of a person by them.
PersonId = Annotated[UUID, PERSON_ID]
# What says something about a person: erasure blanks these fields.
Personal = Annotated[T, PERSONAL]

# PostgreSQL cannot store NUL, and no terminal should be driven by a description.
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=_TEXT)]
# Why something was done: short, since it travels in the event and in the view.
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=_TEXT)]


def _reveal(secret: SecretStr, info: SerializationInfo) -> str:
    return secret.get_secret_value() if info.context == "wire" else str(secret)


# Masked wherever it is printed or dumped, but for `Asked.wire`.
Secret = Annotated[SecretStr, PlainSerializer(_reveal, return_type=str)]


class Scope(StrEnum):
    """Who may see a view's records. Roots carry `client_id` and `technician_id`; children have their root's scope."""

    PUBLIC = "public"
    STAFF = "staff"
    PERSON = "person"
    ROOT = "root"
    CHILD = "child"


class Message(BaseModel):
    """What every message shares: immutable, named after its owner's contract file, its class and its major version."""

    model_config = ConfigDict(frozen=True)

    owner: ClassVar[str]
    major: ClassVar[int] = 1

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "owner" not in cls.__dict__:
            cls.owner = cls.__module__.removeprefix("sav_contracts.").split(".")[0]

    @classmethod
    def type_name(cls) -> str:
        """The wire name and, for events, the routing key: `claims.ReclamationCreated.v1`."""
        return f"{cls.owner}.{cls.__name__}.v{cls.major}"


class Asked(Message, Generic[Reply]):
    """A message with exactly one handler, which answers with `Reply`. Unknown fields are refused."""

    # A parameter may have a name that is no word in Python (`from`).
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    # Asked by SAV itself alone: it has no route.
    inside: ClassVar[bool] = False

    def wire(self) -> bytes:
        """The body as the owner gets it, secrets included."""
        return self.model_dump_json(context="wire", exclude_unset=True).encode()

    @classmethod
    def reply_type(cls) -> type[BaseModel]:
        for base in cls.__mro__:
            arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
            if arguments:
                return arguments[0]  # type: ignore[no-any-return]
        raise TypeError(f"{cls.__name__} does not say what it is answered with")


class Command(Asked[Reply], Generic[Reply]):
    """Asks the owner to change something. `secret` ones are never stored, logged or parked."""

    secret: ClassVar[bool] = False


class Query(Asked[Reply], Generic[Reply]):
    """Asks the owner for what must be computed and is no view."""


class View(Message):
    """The public snapshot of an aggregate after its version-th event."""

    scope: ClassVar[Scope]
    # The values of fields that a `limited` reach is kept to.
    limits: ClassVar[dict[str, tuple[str, ...]]] = {}

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    @cache
    def kind(cls) -> str:
        """`ReclamationView` is shown as `reclamation`, `PartsOrderView` as `parts_order`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("View")).lower()

    def for_client(self) -> "View | None":
        """What a client gets of it; None while it is not theirs to see."""
        return self

    def is_open(self) -> bool:
        """Whether work goes on: a technician sees the client of an open record only."""
        return True

    def roots(self) -> frozenset[UUID]:
        """The roots in whose timelines an event about this record belongs."""
        if self.scope is Scope.CHILD and self.parent:
            return frozenset({self.parent})
        return frozenset({self.id}) if self.scope is Scope.ROOT else frozenset()

    @property
    def parent(self) -> UUID | None:
        """The record that this one hangs on: for a child, the root that it is seen with."""
        return None

    def part(self, form: type["V"]) -> "V":
        """The smaller `form` of this view, for `for_client`."""
        # Field by field: pydantic would hand back this very object where `form` is a base class of it.
        return form.model_validate({name: getattr(self, name) for name in form.model_fields})


V = TypeVar("V", bound=View)


class Event(Message):
    """A fact that happened, with the owner's view after the transaction in `state`."""

    client_sees: ClassVar[bool] = False
    # Whether it makes a row in the timelines; what has no name worth telling (`ProductChanged`) makes none.
    tells: ClassVar[bool] = True

    state: View

    def for_client(self) -> Self | None:
        """The facts a client reads in the timeline; None where the event is internal."""
        return self if self.client_sees else None

    @classmethod
    def state_type(cls) -> type[View]:
        return cls.model_fields["state"].annotation  # type: ignore[return-value]


class Revokes(Event):
    """Takes access away: whoever hears it refuses the tokens of `revoked` that were issued before its time."""

    # Ids of sessions; and of users, for all of theirs.
    revoked: tuple[UUID, ...]


@cache
def _marked(model: type[BaseModel]) -> frozenset[str]:
    def marked(annotation: Any, metadata: tuple[Any, ...]) -> bool:
        if PERSON_ID in metadata:
            return True
        extra = annotation.__metadata__ if get_origin(annotation) is Annotated else ()
        return PERSON_ID in extra or any(marked(inner, ()) for inner in get_args(annotation))

    return frozenset(
        name for name, field in model.model_fields.items() if marked(field.annotation, tuple(field.metadata))
    )


def persons(message: BaseModel) -> frozenset[UUID]:
    """The ids of every person this message names, at any depth."""
    found: set[UUID] = set()
    marked = _marked(type(message))
    for name in type(message).model_fields:
        value = getattr(message, name)
        for item in value if isinstance(value, (list, tuple, set, frozenset)) else (value,):
            if isinstance(item, BaseModel):
                found |= persons(item)
            elif name in marked and isinstance(item, UUID):
                found.add(item)
    return frozenset(found)
