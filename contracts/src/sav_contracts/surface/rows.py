"""The rows of the table of routes: one class for each way of answering."""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any, get_args

from pydantic import BaseModel

from sav_contracts.actor import MANAGERS, PEOPLE, Role
from sav_contracts.edge import FindRequests
from sav_contracts.messages import Query, RequestMessage, View
from sav_contracts.visibility import ALL, NOTHING, Rule

ANYBODY = frozenset(Role)
CLIENT = frozenset({Role.CLIENT})
TECHNICIAN = frozenset({Role.TECHNICIAN})
MANAGER = frozenset({Role.MANAGER})
ADMIN = frozenset({Role.ADMIN})
CLIENT_AND_MANAGERS = CLIENT | MANAGERS
EVERYBODY = PEOPLE

TIMES = ("created_at", "updated_at")


# Compared by identity: statements and routes are cached per row.
@dataclass(frozen=True, eq=False)
class Row:
    """One method and path, what it does, and its roles; other roles are refused.

    The records that a role reaches follow from `visible` of the view that is read, answered or computed from. A rule in
    `only` replaces it for a role, and must not show more.
    """

    feature: str
    route: str
    message: type[RequestMessage[Any]] | type[View]
    roles: frozenset[Role]
    _: KW_ONLY
    only: Mapping[Role, Rule] = field(default_factory=dict)
    # Whether an admin who has not set up a second factor yet may use it.
    enrolling: bool = False

    def __post_init__(self) -> None:
        """`TypeError` where it shows more than its view does."""
        if self.view is None:
            if self.only:
                raise TypeError(f"{self.route}: there is no view to narrow")
            return
        for role, rule in self.only.items():
            if role not in self.roles or not rule.within(self.view.visible.to(role)):
                raise TypeError(f"{self.route} shows a {role} more than {self.view.__name__} does")
        if issubclass(self.message, (View, Query)):
            for role in self.roles:
                if self.rule(role) == NOTHING:
                    raise TypeError(
                        f"{self.route} is for a {role}, to whom {self.view.__name__} shows nothing"
                    )

    @property
    def status(self) -> int:
        return 200

    @property
    def reply(self) -> type[BaseModel]:
        """The model of its reply, in the form for staff."""
        return self.message.reply_type() if issubclass(self.message, RequestMessage) else self.message

    @cached_property
    def view(self) -> type[View] | None:
        """The view that is read, that a query is computed from, or that a command replies with."""
        if issubclass(self.message, Query):
            return self.message.of
        return self.reply if issubclass(self.reply, View) and self.reply is not View else None

    def rule(self, role: Role) -> Rule:
        """Which records of its view a role reaches through it."""
        if self.view is None or role not in self.roles:
            return NOTHING
        return self.only.get(role, self.view.visible.to(role))

    @property
    def method(self) -> str:
        return self.route.split(" ")[0]

    @property
    def path(self) -> str:
        return self.route.split(" ")[1]


@dataclass(frozen=True, eq=False)
class MessageRow(Row):
    """A command or query that its owner answers."""

    message: type[RequestMessage[Any]]
    _: KW_ONLY
    status: int = 200


@dataclass(frozen=True, eq=False)
class SignedRow(MessageRow):
    """A message of another system, which signs it: its field `payload` is the body as it came, `signature` a header."""

    _: KW_ONLY
    headers: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TextRow(MessageRow):
    """A query whose reply is sent as a file: its `text` in this media type, under its `name`.

    `held` names the field of the query that says which file the caller holds; the reply has a `tag` then, and no text
    where that is the same file.
    """

    _: KW_ONLY
    media_type: str
    held: str = ""


@dataclass(frozen=True, eq=False)
class EdgeQueryRow(Row):
    """A query about requests, which the edge answers itself."""

    message: type[FindRequests]


@dataclass(frozen=True, eq=False)
class ReadRow(Row):
    """A view from the read model. The subclasses say which of its records.

    The last id in the path is the record's, or its parent's (`{article_id}` for a stock level).
    """

    message: type[View]


@dataclass(frozen=True, eq=False)
class ListRow(ReadRow):
    """A list: its filters and sort fields, and the fields that `q` searches.

    A field that holds the id of another record (`client_id`) is searched by what the list of those searches. Of a field
    that holds a message or several of them, one of theirs is named (`place.city`). Where the view has an `interval`, `from` and `to` choose the records that overlap it. `ranges` are sort fields that hold times:
    `due_from` and `due_to` choose by `due_at`.
    """

    _: KW_ONLY
    filters: tuple[str, ...] = ()
    sorts: tuple[str, ...] = TIMES
    search: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_fields(self, *self.filters, *self.sorts)
        if unknown := [name for name in self.search if not _holds(self.message, name)]:
            raise TypeError(f"{self.route}: {self.message.__name__} has no field {', '.join(unknown)}")
        if unsorted := set(self.ranges) - set(self.sorts):
            raise TypeError(f"{self.route}: no list is sorted by {', '.join(sorted(unsorted))}")

    def bounds(self) -> dict[str, tuple[str, str]]:
        """The parameters of `ranges`: by name the field, and how it is compared with the value."""
        return {
            f"{name.removesuffix('_at')}_{bound}": (name, sign)
            for name in self.ranges
            for bound, sign in (("from", ">="), ("to", "<"))
        }

    def periods(self) -> list[tuple[str, str]]:
        """The parameters that choose since when, each with the one that chooses until when."""
        ranges = [name.removesuffix("_at") for name in (*self.ranges, "created")]
        pairs = [(f"{name}_from", f"{name}_to") for name in ranges]
        return [("from", "to"), *pairs] if self.has_interval else pairs

    @property
    def has_interval(self) -> bool:
        """Whether its records take place from one time until another."""
        return self.message.interval is not View.interval


@dataclass(frozen=True, eq=False)
class RecordRow(ReadRow):
    """A record."""


@dataclass(frozen=True, eq=False)
class FieldRow(ReadRow):
    """One `field` of a record, of the type `shown`; not found where the record has none."""

    _: KW_ONLY
    field: str
    shown: type[BaseModel]

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_fields(self, self.field)


@dataclass(frozen=True, eq=False)
class OwnRecordRow(ReadRow):
    """The caller's own record."""


@dataclass(frozen=True, eq=False)
class TimelineRow(ReadRow):
    """The events of a record.

    Also those of some kinds that belong to a record that names this one: by kind, the kind of that record.
    """

    _: KW_ONLY
    through: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FileRow(ReadRow):
    """A file of a record, in one of these media types; `file` is the field that holds it.

    A picture may be asked for in smaller `sizes`.
    """

    _: KW_ONLY
    file: str
    media_types: tuple[str, ...] = ("image/jpeg", "image/png", "application/pdf")
    sizes: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_fields(self, self.file)

    @property
    def is_for_all(self) -> bool:
        """Whether everybody who is signed in may see the file of every record."""
        return all(self.rule(role) == ALL for role in PEOPLE)


@dataclass(frozen=True, eq=False)
class PaperRow(ReadRow):
    """A paper (PDF) that the edge prints from a record when somebody asks for it; `paper` is its name there."""

    _: KW_ONLY
    paper: str


@dataclass(frozen=True, eq=False)
class ExportRow(ReadRow):
    """The records of a list as a spreadsheet, with the filters and the search of the list."""

    _: KW_ONLY
    list: ListRow

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.list.message is not self.message or not self.roles <= self.list.roles:
            raise TypeError(f"{self.route} exports another list, or for others")


@dataclass(frozen=True, eq=False)
class DashboardRow(ReadRow):
    """Figures of a list's records, in the form for staff or for clients; `counted` are fields that it counts by."""

    _: KW_ONLY
    list: ListRow
    shown: type[BaseModel]
    shown_to_client: type[BaseModel]
    counted: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_fields(self, *self.counted)
        if self.list.message is not self.message or not self.roles <= self.list.roles:
            raise TypeError(f"{self.route} counts another list, or for others")


def expect_fields(row: ReadRow, *names: str) -> None:
    """`TypeError` where the view of the row has no such field; fields within a field are none of its own."""
    if unknown := [name for name in names if name not in row.message.model_fields]:
        raise TypeError(f"{row.route}: {row.message.__name__} has no field {', '.join(unknown)}")


def _holds(model: type[BaseModel], name: str) -> bool:
    """Whether a model has this field, or holds a message that has it."""
    first, _, within = name.partition(".")
    field = model.model_fields.get(first)
    if field is None or not within:
        return field is not None
    return any(_holds(held, within) for held in _models(field.annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def address_of(field: str) -> tuple[str, ...]:
    """What a search looks at of the address in a field: no notes on how to get in."""
    return tuple(f"{field}.{part}" for part in ("address", "postcode", "city"))


AnyRow = (
    MessageRow
    | EdgeQueryRow
    | ListRow
    | RecordRow
    | FieldRow
    | OwnRecordRow
    | TimelineRow
    | FileRow
    | PaperRow
    | ExportRow
    | DashboardRow
)


def list_and_record(
    feature: str,
    path: str,
    view: type[View],
    roles: frozenset[Role],
    *,
    only: Mapping[Role, Rule] | None = None,
    filters: tuple[str, ...] = (),
    sorts: tuple[str, ...] = (),
    search: tuple[str, ...] = (),
    ranges: tuple[str, ...] = (),
) -> tuple[ListRow, RecordRow]:
    """The two rows of a view that is served as a list and one by one."""
    only = only or {}
    return (
        ListRow(
            feature,
            f"GET {path}",
            view,
            roles,
            only=only,
            filters=filters,
            sorts=(*TIMES, *sorts),
            search=search,
            ranges=ranges,
        ),
        RecordRow(feature, f"GET {path}/{{{view.kind()}_id}}", view, roles, only=only),
    )
