"""The kinds of messages: commands and queries go to one owner, events to any number of services; views show records."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    Self,
    TypeVar,
    cast,
    get_args,
    get_origin,
)
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    SerializationInfo,
    StringConstraints,
    create_model,
)
from typing_extensions import TypeVar as TypeVarWithDefault

from sav_contracts import canonical
from sav_contracts.numbers import plainly
from sav_contracts.visibility import Visible

Reply = TypeVar("Reply", bound=BaseModel)
T = TypeVar("T")

PERSON_ID = "person id"
PERSONAL = "personal"
# The types of values that are no messages and hold none.
PLAIN = (str, int, float, Decimal, date, time, timedelta, UUID, Enum, NoneType)
# Replaces erased values in logged messages.
ERASED = "…"

# Every stored message row lists the ids marked so; erasure finds a person's rows by them.
PersonId = Annotated[UUID, PERSON_ID]
# Data about a person: erasure blanks these fields.
Personal = Annotated[T, PERSONAL]


def canonical_form(form: Callable[[str], str]) -> BeforeValidator:
    """Makes a field read texts in canonical form: for types of commands and filters, never of events and views."""
    return BeforeValidator(lambda given: form(given) if isinstance(given, str) else given)


# PostgreSQL cannot store NUL, and a description must not send control characters to a terminal.
_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=_LINE), canonical_form(canonical.line)
]
Prose = Annotated[
    str, StringConstraints(min_length=1, max_length=4000, pattern=_TEXT), canonical_form(canonical.prose)
]
# The same while it is being written: it may be empty.
UnfinishedProse = Annotated[
    str, StringConstraints(max_length=4000, pattern=_TEXT), canonical_form(canonical.prose)
]
# Why something was done. Short, since it is in the event and in the view.
Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=_TEXT),
    canonical_form(canonical.prose),
    Field(examples=["Convenu au téléphone avec la cliente."]),
]
# The name of a record, such as an article, a réclamation or an invoice.
Reference = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40, pattern=_LINE),
    canonical_form(canonical.reference),
    Field(examples=["REC-2026-000001"]),
]
# Tells one item from all that are built like it.
Serial = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60, pattern=_LINE),
    canonical_form(canonical.serial),
    Field(examples=["LUM24-0007431"]),
]

# How events and views have always read lines and reasons.
RecordedLine = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
RecordedReason = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
    ),
]


class ComparedAs:
    """Marks a text of a view. A filter for it is read as this type, which makes the canonical form."""

    def __init__(self, type_: Any) -> None:
        self.type = type_


def _reveal(secret: SecretStr, info: SerializationInfo) -> str:
    return secret.get_secret_value() if info.context == "wire" else str(secret)


# Masked wherever it is printed or dumped, except by `RequestMessage.wire`.
Secret = Annotated[SecretStr, PlainSerializer(_reveal, return_type=str)]


class Message(BaseModel):
    """What all messages share: immutable, named after the owner's contract file, the class and the major version."""

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


class RequestMessage(Message, Generic[Reply]):
    """A message with exactly one handler, which replies with `Reply`. Unknown fields are refused."""

    # A parameter's name may be a keyword of Python (`from`).
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        super().__pydantic_on_complete__()
        # JSON bodies say which values are numbers, so that nothing else is taken for one, at any depth.
        cls.__pydantic_validator__ = plainly(cls)

    # Whether only SAV itself sends it: it has no route.
    internal_only: ClassVar[bool] = False

    def wire(self) -> bytes:
        """The body as sent to the owner, including secrets."""
        return self.model_dump_json(context="wire", exclude_unset=True).encode()

    def takes(self) -> float:
        """Seconds that its owner may need beyond the usual deadline."""
        return 0.0

    @classmethod
    def reply_type(cls) -> type[BaseModel]:
        for base in cls.__mro__:
            arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
            if arguments:
                return arguments[0]  # type: ignore[no-any-return]
        raise TypeError(f"{cls.__name__} does not say what it is answered with")


class Command(RequestMessage[Reply], Generic[Reply]):
    """Asks the owner to change something. `secret` commands are never stored, logged or parked."""

    secret: ClassVar[bool] = False


class Query(RequestMessage[Reply], Generic[Reply]):
    """Asks the owner for something that must be computed and is no view."""

    # The view whose records it is computed from. The caller is answered from the records they see. None: it is only
    # about the caller, or only for a role that sees everything.
    of: "ClassVar[type[View] | None]" = None


class View(Message):
    """The public snapshot of an aggregate after its version-th event."""

    # Who sees which of its records. Reads, `tx.load`, streams and docs/roles.md follow from it.
    visible: ClassVar[Visible]
    # The name of its `Changed` event, where that is not `<Kind>Changed`.
    changed: ClassVar[str] = ""
    # The lists that stand for all of these values where they are empty.
    empty_means: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # The values of `status` with which a record is over, whatever else it says: a list of these passes open ones by.
    over_in: ClassVar[frozenset[str]] = frozenset()

    id: UUID
    version: int
    created_at: datetime = Field(examples=["2026-03-02T08:15:00Z"])
    updated_at: datetime = Field(examples=["2026-03-06T08:30:00Z"])

    @classmethod
    @cache
    def kind(cls) -> str:
        """The kind of its records: `reclamation` for `ReclamationView`, `parts_order` for `PartsOrderView`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("View")).lower()

    def for_client(self) -> "View | None":
        """The form that a client gets; None while a client must not see the record."""
        return self

    def is_open(self) -> bool:
        """Whether work on the record goes on. A technician sees the clients of open records only."""
        return True

    def interval(self) -> tuple[datetime, datetime] | None:
        """From when until when it takes place. A list of views that say so takes `from` and `to`."""
        return None

    def timeline_roots(self) -> frozenset[UUID]:
        """The records whose timelines show events about this one."""
        return frozenset({self.id}) if self.in_timelines() else frozenset()

    @classmethod
    def in_timelines(cls) -> bool:
        """Whether timelines show events about its records: they do where a record has a client or a technician."""
        own = bool({"client_id", "technician_id"} & cls.model_fields.keys())
        return own or cls.timeline_roots is not View.timeline_roots

    @property
    def parent(self) -> UUID | None:
        """The id of the record that this one belongs to."""
        return None

    @classmethod
    def filter_type(cls, name: str) -> Any:
        """The type that reads a filter's value for this field; of a list, for one of its values."""
        field = cls.model_fields[name]
        marked = (mark.type for mark in field.metadata if isinstance(mark, ComparedAs))
        of_list = get_args(field.annotation)[0] if get_origin(field.annotation) is list else field.annotation
        return next(marked, of_list)

    def narrowed_to(self, form: type["V"]) -> "V":
        """This view in the smaller `form`, for `for_client`."""
        # Field by field: pydantic would return this very object where `form` is one of its base classes.
        return form.model_validate({name: getattr(self, name) for name in form.model_fields})


V = TypeVar("V", bound=View)
# Where it does not matter which view an event carries, plain `Event` will do.
ViewT = TypeVarWithDefault("ViewT", bound=View, default=Any)


def set_by_the_chassis() -> Any:
    """A field that may be omitted when an event is made, and that every read event has. mypy needs the default."""
    return Field()


class Event(Message, Generic[ViewT]):
    """A fact that happened. Its class declares the facts; the chassis adds the owner's view as `state`.

    Making an event with an unknown fact raises an error. Reading one ignores unknown facts.
    """

    client_sees: ClassVar[bool] = False
    # Whether timelines have a line for it. Events whose name tells a reader nothing (`ProductChanged`) have none.
    makes_timeline_line: ClassVar[bool] = True
    # The events that replaced it. It is read from logs, but can no longer be made.
    superseded_by: "ClassVar[tuple[type[Event], ...]]" = ()

    # The view after the transaction; before that it has no values.
    state: ViewT = set_by_the_chassis()

    if not TYPE_CHECKING:  # mypy uses the constructor that pydantic makes for each event, with its facts

        def __init__(self, **facts: Any) -> None:
            if instead := self.superseded_by:
                names = " or ".join(event.__name__ for event in instead)
                raise TypeError(f"{type(self).__name__} is only read from logs: emit {names}")
            given = {"state": _without_values(self.state_type()), **facts}
            self.__pydantic_validator__.validate_python(given, self_instance=self, extra="forbid")

        # Tells pydantic not to call this constructor when it reads events.
        __init__.__pydantic_base_init__ = True

    def with_state(self, state: View) -> Self:
        """The event with its view, once that is known after the transaction."""
        if not isinstance(state, self.state_type()):
            raise TypeError(f"{type(self).__name__} tells nothing of a {state.kind()}")
        return self.model_copy(update={"state": state})

    def for_client(self) -> Self | None:
        """The event with the facts that a client reads in the timeline; None where the event is internal."""
        return self if self.client_sees else None

    @classmethod
    def state_type(cls) -> type[View]:
        return cast(type[View], cls.model_fields["state"].annotation)


@cache
def _without_values(view: type[View]) -> View:
    return view.model_construct()  # type: ignore[call-arg]


class Revokes(Event[ViewT], Generic[ViewT]):
    """Revokes access: services refuse the tokens of `revoked` that were issued before the event's time."""

    # Ids of sessions, and ids of users for all their sessions.
    revoked: tuple[UUID, ...]


class Changed(Event[ViewT], Generic[ViewT]):
    """Shows a record anew and tells nothing else. `Changed[ReclamationView]` is `ReclamationChanged`, and so on."""

    makes_timeline_line: ClassVar[bool] = False

    def __class_getitem__(cls, typevar_values: Any) -> Any:
        return changed(typevar_values)


@cache
def changed(view: type[View]) -> type[Event]:
    """The `Changed` event of a view that is known only at run time."""
    return create_model(
        view.changed or f"{view.__name__.removesuffix('View')}Changed",
        __base__=Changed,
        __module__=view.__module__,
        __doc__="Shows the record anew, as it is now, and tells nothing else.",
        state=(view, ...),
    )


@cache
def _marked(model: type[BaseModel], mark: str = PERSON_ID) -> frozenset[str]:
    def marked(annotation: Any, metadata: tuple[Any, ...]) -> bool:
        if mark in metadata:
            return True
        extra = annotation.__metadata__ if get_origin(annotation) is Annotated else ()
        return mark in extra or any(marked(inner, ()) for inner in get_args(annotation))

    return frozenset(
        name for name, field in model.model_fields.items() if marked(field.annotation, tuple(field.metadata))
    )


def is_erased(message: BaseModel) -> bool:
    """Whether personal data was blanked in this message, at any depth."""
    marked = _marked(type(message), PERSONAL)
    for name in type(message).model_fields:
        value = getattr(message, name)
        for item in value if isinstance(value, (list, tuple, set, frozenset)) else (value,):
            if (name in marked and item == ERASED) or (isinstance(item, BaseModel) and is_erased(item)):
                return True
    return False


@cache
def _may_name(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields in which a message may name a person: marked ones, and those that may hold other messages."""
    marked = _marked(model)
    fields = model.model_fields.items()
    return tuple(name for name, field in fields if name in marked or not _is_plain(field.annotation))


def _is_plain(annotation: Any) -> bool:
    """Whether its values are certain to hold no messages."""
    if get_origin(annotation) is Literal:
        return True
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _is_plain(parts[0])
    return (
        all(map(_is_plain, parts))
        if parts
        else isinstance(annotation, type) and issubclass(annotation, PLAIN)
    )


def persons(message: BaseModel) -> frozenset[UUID]:
    """The ids of all persons that this message names, at any depth."""
    found: set[UUID] = set()
    marked = _marked(type(message))
    for name in _may_name(type(message)):
        value = getattr(message, name)
        for item in value if isinstance(value, (list, tuple, set, frozenset)) else (value,):
            if isinstance(item, BaseModel):
                found |= persons(item)
            elif name in marked and isinstance(item, UUID):
                found.add(item)
    return frozenset(found)
