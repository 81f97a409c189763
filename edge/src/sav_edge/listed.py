"""What lists need beside the JSON of a record: columns of the table `view` and their indexes, as the surface declares them.

Every filter is a lexeme of the column `found`, beside the words that a search finds; every sort field has a column
(`by_…`); an interval is the column `during`. Everything is folded here, in Python, when it is stored and when it is
asked: see `folding`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from hashlib import md5
from importlib.metadata import version
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from asyncpg import Range

from sav_chassis import views
from sav_chassis.views import Columns
from sav_contracts.actor import Role
from sav_contracts.messages import View
from sav_contracts.surface import SURFACE, DashboardRow, ListRow
from sav_contracts.surface.rows import TIMES
from sav_edge.folding import CORRECTABLE, Word, fold, lexemes, order, query

# The first is to be raised when `folding` or this module stores something else for the same record.
FORM = (3, unicodedata.unidata_version, version("anyascii"))
# What the lexemes of filters begin with, as staff and as a client read them, and the words of a client who reads others.
STAFFS, CLIENTS, CLIENTS_WORD = "=", "^", "~"
# Characters of a filter's value that are compared.
LONGEST = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The type of a sort column, and what stands in it for a record without a value: NULL could not be compared with.
TEXT = ('text COLLATE "C"', "")
# What stands in its place where the earliest come first: what has no time comes last either way.
EMPTY_LAST = (
    "coalesce(nullif({column}, timestamptz '1970-01-01 00:00:00+00'), timestamptz '9999-01-01 00:00:00+00')"
)
# What is over. As a number, of which the planner knows nothing: where it thinks that few are, it would sort them all.
OVER = "open::int <> 1"
SORTED_AS: Mapping[Any, tuple[str, Any]] = {
    datetime: ("timestamptz", EPOCH),
    Decimal: ("numeric", Decimal(0)),
    int: ("bigint", 0),
    bool: ("boolean", False),
}
IS_CORRECTABLE = re.compile(CORRECTABLE).fullmatch
OF_COPIES = frozenset(name for name, _ in views.COLUMNS)
# Few enough to be read by every search.
PENDING = "fastupdate = on, gin_pending_list_limit = 256"


@dataclass(frozen=True)
class Listed:
    """What the lists of a view ask of its records."""

    view: type[View]
    filters: tuple[str, ...]
    sorts: tuple[str, ...]
    search: tuple[str, ...]
    # Ids of other records that are searched too.
    others: tuple[str, ...]
    has_interval: bool
    # Fields by which a dashboard counts its records.
    counted: tuple[str, ...]

    @property
    def named(self) -> list[str]:
        """Those of `others` that are in no column of every service's copies: they get one here."""
        return [name for name in self.others if named_column(name) != name]

    @cached_property
    def declared(self) -> str:
        """What the columns of a record of this view are made by: where that changes, they are made anew."""
        made_by = (FORM, self.filters, self.sorts, self.search, self.has_interval, self.counted, self.named)
        more = (self.view.empty_means,) if self.view.empty_means else ()
        return md5(repr(made_by + more).encode()).hexdigest()[:8]

    def made_from(self, version: int) -> str:
        """The value of the column `made_from`."""
        return f"{self.declared} {version}"

    @property
    def stale(self) -> str:
        """The SQL condition for records whose columns were not made of this version, or by another declaration."""
        return f"kind = '{self.view.kind()}' AND made_from IS DISTINCT FROM '{self.declared} ' || version"

    def indexes(self) -> Iterator[tuple[str, str]]:
        """What its indexes are for, and what each is on."""
        kind = self.view.kind()
        only = f"WHERE kind = '{kind}'"
        yield f"list_{kind}_stale", f"view (id) WHERE {self.stale}"
        # Those by `created_at` are in `view_newest`.
        for sort in ("updated_at", *self.sorts):
            yield f"list_{kind}_{sort}", f"view ({sort_column(sort)}, id) {only}"
            if may_lack_time(self.view, sort):
                first = EMPTY_LAST.format(column=sort_column(sort))
                yield f"list_{kind}_{sort}_first", f"view (({first}), id) {only}"
        if self.view.over_in:
            yield from (
                (f"list_{kind}_over_{sort}", f"view ({sort}, id) {only} AND {OVER}") for sort in TIMES
            )
        if self.filters or self.search:
            yield f"list_{kind}_found", f"view USING gin (found) WITH ({PENDING}) {only}"
        if self.counted:
            # With all that a dashboard asks for, so that it reads nothing beside them.
            columns = ", ".join(("status", *map(counted_column, self.counted), "created_at"))
            for name, key in (
                ("open", columns),
                ("opened", "created_at"),
                ("ended", sort_column("ended_at")),
            ):
                which = only + (" AND open" if name == "open" else "")
                yield f"list_{kind}_count_{name}", f"view ({key}, technician_id) {which}"
        # Those of a client are in `view_client`.
        for column in (named_column(name) for name in self.others if name != "client_id"):
            yield f"list_{kind}_{column}", f"view ({column}) {only} AND {column} IS NOT NULL"
        if self.has_interval:
            yield f"list_{kind}_during", f"view USING gist (during) {only}"

    def found(self, view: View, shown: View | None) -> str | None:
        """The text of the `tsvector` of a record, of which clients are `shown` this form."""
        texts = self._texts(view)
        terms = [_folded(texts).terms]
        # A client's form may say something else: a visit that was accepted is planned for them.
        theirs = None if shown is view else shown
        if theirs and (others := self._texts(theirs)) != texts:
            terms += [CLIENTS_WORD, *(f"{CLIENTS_WORD}{lexeme}" for lexeme in lexemes(others))]
        values, other = self._filtered(view), self._filtered(theirs) if theirs else None
        for name, value in values.items():
            terms += _terms(STAFFS, name, value)
            if other and other[name] != value:
                terms += [_quoted(f"{CLIENTS}{name}"), *_terms(CLIENTS, name, other[name])]
        return " ".join(filter(None, terms)) or None

    def words(self, view: View) -> frozenset[str]:
        """The words of a record to which a search corrects others."""
        return _folded(self._texts(view)).correctable

    @cached_property
    def _searched(self) -> Mapping[str, list[str]]:
        """The fields that are searched; of one that holds messages, which of theirs."""
        found: dict[str, list[str]] = {}
        for name in self.search:
            first, _, within = name.partition(".")
            found.setdefault(first, []).extend([within] if within else [])
        return found

    def _texts(self, view: View) -> tuple[str, ...]:
        texts: list[str] = []
        # As below: the form of clients lacks fields, and `getattr` is slow at saying so.
        fields = vars(view)
        for name, within in self._searched.items():
            value = fields.get(name)
            if not value:
                continue
            for one in value if isinstance(value, list | tuple) else (value,):
                texts += [text for part in within if (text := vars(one)[part])] if within else [one]
        return tuple(texts)

    def _filtered(self, view: View) -> dict[str, Any]:
        """What each filter finds the record by; None where this form of it lacks the field."""
        fields = vars(view)
        values = {name: fields.get(name) for name in self.filters}
        for name, meant in view.empty_means.items():
            if name in values and not values[name]:
                values[name] = list(meant)
        return values


def _of_rows() -> Iterator[Listed]:
    rows: dict[type[View], list[ListRow]] = {}
    for row in SURFACE:
        # The children of a record are few: where nothing more is asked of them, they need no index of their own.
        if isinstance(row, ListRow) and (
            "{" not in row.path or row.filters or row.search or row.sorts != TIMES
        ):
            rows.setdefault(row.message, []).append(row)
    searched = {view.kind() for view, its in rows.items() if any(row.search for row in its)}
    for view, its in rows.items():
        search = dict.fromkeys(name for row in its for name in row.search)
        others = [name for name in search if name.removesuffix("_id") in searched and name.endswith("_id")]
        yield Listed(
            view,
            tuple(dict.fromkeys(name for row in its for name in row.filters)),
            tuple(dict.fromkeys(name for row in its for name in row.sorts if name not in TIMES)),
            tuple(name for name in search if name not in others),
            tuple(others),
            its[0].has_interval,
            tuple(
                name
                for row in SURFACE
                if isinstance(row, DashboardRow) and row.message is view
                for name in row.counted
            ),
        )


LISTED: Mapping[type[View], Listed] = {listed.view: listed for listed in _of_rows()}
# The views by the name of a field with their records' ids.
OTHERS: Mapping[str, type[View]] = {f"{view.kind()}_id": view for view in LISTED}


def sort_column(name: str) -> str:
    return name if name in TIMES else f"by_{name}"


def counted_column(name: str) -> str:
    return f"of_{name}"


def named_column(name: str) -> str:
    """The column with the id of another record that a search finds first."""
    return name if name in OF_COPIES else f"names_{name}"


@cache
def sorted_as(view: type[View], name: str) -> tuple[str, Any]:
    """The SQL type of a sort column, and what stands for no value."""
    return SORTED_AS.get(_bare(view.model_fields[name].annotation), TEXT)


@cache
def may_lack_time(view: type[View], name: str) -> bool:
    """Whether this sort is by a time, and a record may have none."""
    return sorted_as(view, name)[1] is EPOCH and NoneType in get_args(view.model_fields[name].annotation)


def _bare(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _bare(next(part for part in get_args(annotation) if part is not NoneType))
    return annotation


def _sort_columns() -> dict[str, str]:
    found: dict[str, str] = {}
    for listed in LISTED.values():
        for name in listed.sorts:
            type, _ = sorted_as(listed.view, name)
            if found.setdefault(sort_column(name), type) != type:
                raise TypeError(
                    f"{listed.view.__name__}.{name} is sorted as {type}, in another list otherwise"
                )
    return found


# The columns of the edge's `view` beyond those of every service's, with their types.
OWN: Mapping[str, str] = (
    {
        # By which declaration and of which version the others were made: processes of another release make other ones.
        "made_from": "text",
        "found": "tsvector",
        "during": "tstzrange",
    }
    | _sort_columns()
    | {named_column(name): "uuid" for listed in LISTED.values() for name in listed.named}
    | {
        counted_column(name): "boolean" if listed.view.model_fields[name].annotation is bool else "text"
        for listed in LISTED.values()
        for name in listed.counted
    }
)
OWN_COLUMNS: Columns = tuple((name, type.split(" ")[0]) for name, type in OWN.items())
COLUMNS: Columns = views.COLUMNS + OWN_COLUMNS
# The name of each index says what it is on: where that changes, it is another one.
INDEXES: Mapping[str, str] = {
    f"{purpose}_{md5(on.encode()).hexdigest()[:6]}": on
    for listed in LISTED.values()
    for purpose, on in listed.indexes()
}


def row_of(view: View) -> tuple[Any, ...]:
    """A view as a row of the edge's table."""
    shown = view.for_client()
    return views.row_beside(view, shown) + own_values(view, shown)


def own_values(view: View, shown: View | None) -> tuple[Any, ...]:
    """The values of the columns `OWN` of a record, of which clients are `shown` this form."""
    listed = LISTED.get(type(view))
    if listed is None:
        return (None,) * len(OWN)
    own = {
        "made_from": listed.made_from(view.version),
        "found": listed.found(view, shown),
        "during": _range(view.interval()),
    }
    fields = vars(view)
    for name in listed.sorts:
        _, missing = sorted_as(type(view), name)
        value = fields[name]
        if value is None:
            value = missing
        elif isinstance(missing, str):
            value = order(str(value))
        own[sort_column(name)] = value
    own |= {named_column(name): fields[name] for name in listed.named}
    own |= {counted_column(name): fields[name] for name in listed.counted}
    return tuple(map(own.get, OWN))


def _range(interval: tuple[datetime, datetime] | None) -> Range[datetime] | None:
    if interval is None:
        return None
    start, end = interval
    # PostgreSQL refuses a range that ends before it starts.
    return Range(start, end) if start < end else Range(start, start, upper_inc=True)


class Folded(NamedTuple):
    """What a search finds a record by, as text of a `tsvector`, and the words to which it corrects others."""

    terms: str
    correctable: frozenset[str]


# A record is told several times with the same texts and values: each is folded once.
@lru_cache(maxsize=2048)
def _folded(texts: tuple[str, ...]) -> Folded:
    found = lexemes(texts)
    return Folded(
        # In letters and digits only, they need no quotes.
        " ".join(found),
        frozenset(filter(IS_CORRECTABLE, found)),
    )


def _terms(mark: str, name: str, value: Any) -> list[str]:
    """What a filter finds a record by, in the text of a `tsvector`; a field that holds several values is found by each."""
    if value is None:
        return []
    if isinstance(value, list):
        return [_equal(mark, name, one) for one in value]
    return [_equal(mark, name, value)]


@lru_cache(maxsize=4096, typed=True)
def _equal(mark: str, name: str, value: Any) -> str:
    return _quoted(f"{mark}{name}={_value(value)}")


def _value(value: Any) -> str:
    return fold(str(value))[:LONGEST] if not isinstance(value, bool) else str(value).lower()


def _quoted(lexeme: str) -> str:
    """A lexeme in the text of a `tsvector` or `tsquery` (PostgreSQL, 8.11)."""
    doubled = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def filter_query(name: str, values: Iterable[Any], role: Role) -> str:
    """The text of a `tsquery` for the records with one of these values in a field, as the role reads it."""
    return "(" + " | ".join(_equals(name, value, role) for value in values) + ")"


def _equals(name: str, value: Any, role: Role) -> str:
    theirs, same = (_quoted(f"{mark}{name}={_value(value)}") for mark in (CLIENTS, STAFFS))
    if role is not Role.CLIENT:
        return same
    return f"({same} & !{_quoted(f'{CLIENTS}{name}')} | {theirs})"


def search_query(word: Word, role: Role, longer_than: int = 0) -> str:
    """The text of a `tsquery` for the records in which a word occurs, as the role reads them; see `folding.query`."""
    staffs, clients = (query(word, mark, longer_than) for mark in ("", CLIENTS_WORD))
    return f"({staffs} & !{_quoted(CLIENTS_WORD)} | {clients})" if role is Role.CLIENT else staffs
