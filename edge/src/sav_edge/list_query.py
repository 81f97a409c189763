"""The list query: filters, search, sort and page, checked against the surface and turned into SQL."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_type_hints
from uuid import UUID

from asyncpg import Range
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from sav_chassis import marks
from sav_chassis.errors import WrongFields
from sav_chassis.pydantic_messages import ANOTHER, meant
from sav_contracts.actor import Actor, Role
from sav_contracts.messages import View
from sav_contracts.sentences import Text
from sav_contracts.surface import ListRow, TimelineRow
from sav_contracts.times import EndsBeforeFrom, Moment
from sav_contracts.visibility import Limited
from sav_contracts.wrong_value import WrongValue
from sav_edge.folding import THEN, Word, asked, numbered
from sav_edge.json_bodies import GivenTwice
from sav_edge.listed import EMPTY_LAST, EPOCH, filter_query, may_lack_time, sort_column, sorted_as

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Characters of a search; each of its words is searched for separately.
MAX_SEARCH = 200
SINCE_AND_UNTIL = {"created_from": ">=", "created_to": "<"}
FROM_AND_TO = ("from", "to")

# What PostgreSQL compares with; a mark is written by us, and may be sent by anybody.
RECORDED: Mapping[type[Any], Any] = {
    datetime: AwareDatetime,
    Decimal: Annotated[Decimal, Field(max_digits=30, decimal_places=10)],
    int: Annotated[int, Field(ge=-(2**63), lt=2**63)],
}

QueryParameters = Mapping[str, Sequence[str]]


def parameters(row: ListRow | TimelineRow, shown: type[View] | None = None) -> list[str]:
    """The names of a list's query parameters, with filters on fields of the form `shown` only."""
    if isinstance(row, TimelineRow):
        return ["limit", "after"]
    fields = (shown or row.message).model_fields
    return [
        *(name for name in row.filters if name in fields),
        *(["q"] if row.search else []),
        *(FROM_AND_TO if row.has_interval else []),
        *(name for name, (field, _) in row.bounds().items() if field in fields),
        "limit",
        "after",
        "sort",
        *SINCE_AND_UNTIL,
    ]


def form(view: type[View], actor: Actor) -> type[View]:
    """The form in which this caller reads a view; `TypeError` where it declares no form for clients."""
    return _client_form(view) if actor.role is Role.CLIENT else view


@cache
def _client_form(view: type[View]) -> type[View]:
    if view.for_client is View.for_client:
        return view
    returned = get_type_hints(view.for_client)["return"]
    shown = [part for part in get_args(returned) or (returned,) if part is not NoneType]
    # A less exact type could be mistaken for the staff's form.
    if len(shown) != 1 or shown[0] is View or not issubclass(shown[0], View):
        raise TypeError(f"{view.__name__}.for_client does not say in which form a client reads it")
    found: type[View] = shown[0]
    return found


class NoSuchParameter(WrongValue):
    code = "no_such_parameter"
    known: str
    en = "there is no such parameter; there are {known}"
    fr = "ce paramètre n’existe pas ; il y a {known}"


class NoNext(WrongValue):
    code = "no_next"
    en = "not the `next` of a page sorted like this one"
    fr = "ce n’est pas le `next` d’une page triée comme celle-ci"


class HoldsNul(WrongValue):
    code = "holds_nul"
    en = "no NUL characters"
    fr = "pas de caractères NUL"


class SearchTooLong(WrongValue):
    code = "search_too_long"
    most: int = MAX_SEARCH
    en = "at most {most} characters"
    fr = "au plus {most} caractères"


class NoSort(WrongValue):
    code = "no_sort"
    sorts: str
    en = "one of {sorts}, with a minus in front for descending"
    fr = "l’une de ces valeurs : {sorts}, précédée d’un moins pour l’ordre décroissant"


class NoLimit(WrongValue):
    code = "no_limit"
    most: int = MAX_LIMIT
    en = "a number from 1 to {most}"
    fr = "un nombre de 1 à {most}"


@dataclass
class Listing:
    """A parsed list query. `where` pairs a condition, with `$` for its parameter, and the parameter's value.

    `times` are those that were given, by parameter; `filters` are texts of a `tsquery`, all of which must hold; `searched` are the words that must occur,
    `numbered` the reference that they may be: where it is found, nothing else was meant.
    `over`: the filters leave out everything that is open.
    """

    order: str = "created_at"
    sorted_as: Any = EPOCH
    may_lack_time: bool = False
    descending: bool = True
    limit: int = DEFAULT_LIMIT
    after: tuple[Any, UUID] | None = None
    where: list[tuple[str, Any]] = field(default_factory=list)
    times: dict[str, datetime] = field(default_factory=dict)
    filters: list[str] = field(default_factory=list)
    over: bool = False
    searched: list[Word] = field(default_factory=list)
    numbered: Word | None = None
    wrong: list[tuple[str, Text]] = field(default_factory=list)

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    @property
    def beyond(self) -> str:
        return "<" if self.descending else ">"

    @property
    def key(self) -> str:
        """What to sort by. A record without a time comes last; one without another value first, or last in descending order."""
        column = f"v.{sort_column(self.order)}"
        # In a range each has one.
        in_range = any(condition.startswith(f"{column} ") for condition, _ in self.where)
        first = self.may_lack_time and not self.descending and not in_range
        return EMPTY_LAST.format(column=column) if first else column

    def sort_by(self, view: type[View], name: str) -> None:
        """Sorts by this field."""
        self.order, (_, self.sorted_as) = name, sorted_as(view, name)
        self.may_lack_time = may_lack_time(view, name)


def parse(row: ListRow | TimelineRow, query: QueryParameters, actor: Actor) -> Listing:
    """The parsed list query; `WrongFields` names every parameter that is unknown or has a wrong value."""
    listing = Listing()
    shown = form(row.message, actor)
    known = parameters(row, shown)
    several: set[str] = {*row.filters, "q"} if isinstance(row, ListRow) else set()
    for name, values in query.items():
        try:
            if name not in known:
                raise NoSuchParameter(known=", ".join(known)).error()
            if len(values) > 1 and name not in several:
                listing.wrong.append((name, GivenTwice(field=name).text()))
            elif name == "limit":
                listing.limit = _limit(values[0])
            elif isinstance(row, ListRow):
                _choose(listing, row, shown, name, values, actor)
        except ValueError as error:
            listing.wrong.append((name, _meant(error)))
    if len(query.get("after", ())) == 1:
        try:
            listing.after = place(query["after"][0], listing)
        except ValueError:
            listing.wrong.append(("after", NoNext().text()))
    times = listing.times
    for since, until in row.periods() if isinstance(row, ListRow) else ():
        if since in times and until in times and times[until] < times[since]:
            listing.wrong.append((until, EndsBeforeFrom(since=since).text()))
    if listing.wrong:
        raise WrongFields.of(listing.wrong)
    if interval := {name: times[name] for name in FROM_AND_TO if name in times}:
        listing.where += _overlapping(**interval)
    if isinstance(row, ListRow) and (limit := limit_of(row, actor.role)):
        listing.filters.append(filter_query(limit.field, limit.values, Role.SYSTEM))
    return listing


def limit_of(row: ListRow, role: Role) -> Limited | None:
    """The rule for this role, where it chooses by a field that the list can be filtered by: then it is such a filter.

    How many records have a value in their JSON the planner only guesses: hardly any, so that it would read them all.
    """
    rule = row.rule(role)
    return rule if isinstance(rule, Limited) and rule.field in row.filters else None


def _choose(
    listing: Listing, row: ListRow, shown: type[View], name: str, values: Sequence[str], actor: Actor
) -> None:
    """Adds one parameter's condition or order to the listing; `ValueError` where its value is wrong."""
    fields = shown.model_fields
    if name in row.filters:
        chosen = [_value(shown.filter_type(name), value) for value in values]
        listing.filters.append(filter_query(name, chosen, actor.role))
        # A client may read another state than the one that says what is open.
        if name == "status" and actor.role is not Role.CLIENT:
            listing.over = row.message.over_in.issuperset(chosen)
    elif name == "q":
        text = " ".join(values)
        listing.searched, listing.numbered = _words(text), numbered(text)
        if not listing.searched and "".join(values).strip():
            listing.where.append(("$", False))
    elif name == "sort":
        listing.descending = values[0].startswith("-")
        sorts = [sort for sort in row.sorts if sort in fields]
        listing.sort_by(row.message, _sort(values[0].removeprefix("-"), sorts))
    elif name != "after":
        time = listing.times[name] = _time(values[0])
        if name in SINCE_AND_UNTIL:
            listing.where.append((f"v.created_at {SINCE_AND_UNTIL[name]} $", time))
        elif name in row.bounds():
            compared, sign = row.bounds()[name]
            column = f"v.{sort_column(compared)}"
            # A record without a value is no part of any range.
            listing.where.append((f"{column} > 'epoch'::timestamptz AND {column} {sign} $", time))


def _overlapping(**interval: datetime) -> list[tuple[str, Any]]:
    """The conditions for what starts before `to` and ends after `from`."""
    after, before = interval.get("from"), interval.get("to")
    if after and before and after >= before:
        return _overlapping(**{"from": after}) + _overlapping(to=before)
    # In one piece: the planner takes two conditions for independent, and goes through the table.
    return [("v.during && $::tstzrange", Range(after, before, lower_inc=False))]


def mark(listing: Listing, value: Any, id: UUID) -> str:
    """Encodes where a page ended, for the following request."""
    sort_value = value.isoformat() if isinstance(value, datetime) else str(value)
    return marks.mark(listing.order, sort_value, str(id))


def place(after: str, listing: Listing) -> tuple[Any, UUID]:
    """Decodes a mark; `ValueError` where it is not one, or belongs to another sort order."""
    order, value, id = marks.parts_of(after, 3)
    if order != listing.order:
        raise ValueError("a mark of another order")
    return _recorded(type(listing.sorted_as), value), UUID(id)


def _words(text: str) -> list[Word]:
    if "\0" in text:
        raise HoldsNul().error()
    if len(text) > MAX_SEARCH:
        raise SearchTooLong().error()
    return asked(text)


def _sort(name: str, sorts: Sequence[str]) -> str:
    if name not in sorts:
        raise NoSort(sorts=", ".join(sorts)).error()
    return name


def _value(annotation: Any, text: str) -> Any:
    if "\0" in text:
        raise HoldsNul().error()
    return _adapter(annotation).validate_python(text)


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    """Made once for each type, not for each request."""
    return TypeAdapter(annotation)


def _time(text: str) -> datetime:
    time: datetime = _value(Moment, text)
    return time


def _recorded(kind: type[Any], text: str) -> Any:
    """The sort value in a mark; unlike a parameter's, a time may be outside the range of `Moment`."""
    if kind is str and text and THEN not in text:
        raise ValueError("a mark of a release that sorted in another way")
    value = _value(RECORDED.get(kind, kind), text)
    try:
        return value.astimezone(UTC) if isinstance(value, datetime) else value
    except OverflowError:
        raise ValueError("not a mark") from None


def _limit(text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise NoLimit().error()
    return int(text)


def _meant(error: ValueError) -> Text:
    if isinstance(error, ValidationError):
        return meant(error.errors()[0])
    return (
        meant({"type": error.type, "ctx": error.context})
        if isinstance(error, PydanticCustomError)
        else ANOTHER
    )
