"""The list query: filters, search, sort and page, checked against the surface and turned into SQL."""

import json
import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints
from uuid import UUID

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError, from_json

from sav_chassis.errors import WrongFields
from sav_chassis.pydantic_messages import ANOTHER, meant
from sav_chassis.visibility import doc
from sav_contracts.actor import Actor, Role
from sav_contracts.messages import View
from sav_contracts.sentences import Text
from sav_contracts.surface import ListRow, TimelineRow
from sav_contracts.times import Moment
from sav_contracts.wrong_value import WrongValue

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Characters of a search; each of its words is searched for separately.
MAX_SEARCH = 200
TIMES = ("created_at", "updated_at")
SINCE_AND_UNTIL = {"created_from": ">=", "created_to": "<"}
FROM_AND_TO = {"from": ">=", "to": "<"}
# Fields that also have a column of their own.
IDS = ("client_id", "technician_id", "product_id", "user_id")

QueryParameters = Mapping[str, Sequence[str]]


def _accented() -> dict[str, str]:
    """Each ASCII letter with its accented forms (Latin-1 and Latin Extended-A): `e` with `èéêëÈÉ…`."""
    found: dict[str, str] = {}
    for letter in map(chr, range(0xC0, 0x180)):
        bare = unicodedata.normalize("NFD", letter)[0].lower()
        if bare.isascii():
            found[bare] = found.get(bare, "") + letter
    return found


ACCENTED = _accented()


def parameters(row: ListRow | TimelineRow, shown: type[View] | None = None) -> list[str]:
    """The names of a list's query parameters, with filters on fields of the form `shown` only."""
    if isinstance(row, TimelineRow):
        return ["limit", "after"]
    fields = (shown or row.message).model_fields
    return [
        *(name for name in row.filters if name in fields),
        *(["q"] if row.search else []),
        *(FROM_AND_TO if row.during else []),
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
    """A parsed list query. `where` pairs a condition, with `$` for its parameter, and the parameter's value."""

    order: str = "created_at"
    timed: bool = True
    descending: bool = True
    limit: int = DEFAULT_LIMIT
    after: tuple[Any, UUID] | None = None
    where: list[tuple[str, Any]] = field(default_factory=list)
    wrong: list[tuple[str, Text]] = field(default_factory=list)

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    @property
    def beyond(self) -> str:
        return "<" if self.descending else ">"

    def key(self, actor: Actor) -> str:
        """The SQL expression to sort by. A record without a value comes first, or last in descending order."""
        if self.order in TIMES:
            return f"v.{self.order}"
        value = column(self.order, actor)
        # A row comparison with NULL is never true: the following page would be empty.
        return f"coalesce(({value})::timestamptz, 'epoch')" if self.timed else f"coalesce({value}, '')"


def parse(row: ListRow | TimelineRow, query: QueryParameters, actor: Actor) -> Listing:
    """The parsed list query; `WrongFields` names every parameter that is unknown or has a wrong value."""
    listing = Listing()
    shown = form(row.message, actor)
    known = parameters(row, shown)
    for name, values in query.items():
        try:
            if name not in known:
                raise NoSuchParameter(known=", ".join(known)).error()
            if name == "limit":
                listing.limit = _limit(values[-1])
            elif isinstance(row, ListRow):
                _choose(listing, row, shown, name, values, actor)
        except ValueError as error:
            listing.wrong.append((name, _meant(error)))
    if "after" in query:
        try:
            listing.after = place(query["after"][-1], listing)
        except ValueError:
            listing.wrong.append(("after", NoNext().text()))
    if listing.wrong:
        raise WrongFields.of(listing.wrong)
    return listing


def _choose(
    listing: Listing, row: ListRow, shown: type[View], name: str, values: Sequence[str], actor: Actor
) -> None:
    """Adds one parameter's condition or order to the listing; `ValueError` where its value is wrong."""
    fields = shown.model_fields
    if name in row.filters:
        chosen = [_value(shown.filter_type(name), value) for value in values]
        listing.where.append(_equals(name, chosen, actor))
    elif name == "q":
        listing.where.append(
            _search([name for name in row.search if name in fields], " ".join(values), actor)
        )
    elif name in SINCE_AND_UNTIL:
        listing.where.append((f"v.created_at {SINCE_AND_UNTIL[name]} $", _time(values[-1])))
    elif name in FROM_AND_TO:
        time = f"({column(row.during, actor)})::timestamptz"
        listing.where.append((f"{time} {FROM_AND_TO[name]} $", _time(values[-1])))
    elif name == "sort":
        listing.descending = values[-1].startswith("-")
        listing.order = _sort(values[-1].removeprefix("-"), [sort for sort in row.sorts if sort in fields])
        listing.timed = _is_time(fields[listing.order].annotation)


def column(name: str, actor: Actor) -> str:
    """The SQL expression of a field, read from the form that this caller may see."""
    return f"v.{doc(actor.role)} ->> '{name}'"


def mark(listing: Listing, value: Any, id: UUID) -> str:
    """Encodes where a page ended, for the following request."""
    sort_value = value.isoformat() if isinstance(value, datetime) else value
    return urlsafe_b64encode(json.dumps([listing.order, sort_value, str(id)]).encode()).decode().rstrip("=")


def place(after: str, listing: Listing) -> tuple[Any, UUID]:
    """Decodes a mark; `ValueError` where it is not one, or belongs to another sort order."""
    # pydantic's reader bounds the depth and refuses lone surrogates; Python's does neither.
    marked = from_json(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    if not (isinstance(marked, list) and len(marked) == 3 and all(isinstance(part, str) for part in marked)):
        raise ValueError("not a mark")
    if marked[0] != listing.order or "\0" in marked[1]:
        raise ValueError("a mark of another order")
    return _recorded(marked[1]) if listing.timed else marked[1], UUID(marked[2])


def _equals(name: str, values: list[Any], actor: Actor) -> tuple[str, Any]:
    if name in IDS and actor.role is not Role.CLIENT:
        return f"v.{name} = ANY($::uuid[])", values
    return f"{column(name, actor)} = ANY($::text[])", [
        json.dumps(v) if isinstance(v, bool) else str(v) for v in values
    ]


def _search(names: Sequence[str], text: str, actor: Actor) -> tuple[str, Any]:
    """The condition that every word occurs in one of the fields, regardless of case and accents."""
    if "\0" in text:
        raise HoldsNul().error()
    if len(text) > MAX_SEARCH:
        raise SearchTooLong().error()
    said = f"concat_ws(' ', {', '.join(column(name, actor) for name in names)})"
    return f"{said} ~* ALL ($::text[])", [_pattern(word) for word in text.split()]


def _pattern(word: str) -> str:
    """A regular expression (PostgreSQL, 9.7.3) that matches the word with any accents."""
    bare = [letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter)]
    return "".join(_letter(letter) for letter in bare)


def _letter(letter: str) -> str:
    if accented := ACCENTED.get(letter.lower()):
        return f"[{letter}{accented}]"
    # A backslash makes a punctuation sign literal, but gives a letter or digit a special meaning.
    return f"\\{letter}" if letter.isascii() and not letter.isalnum() else letter


def _sort(name: str, sorts: Sequence[str]) -> str:
    if name not in sorts:
        raise NoSort(sorts=", ".join(sorts)).error()
    return name


def _is_time(annotation: Any) -> bool:
    return annotation is datetime or datetime in get_args(annotation)


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


def _recorded(text: str) -> datetime:
    """The time of a record in a mark; unlike a parameter's it may be outside the range of `Moment`."""
    time: datetime = _value(AwareDatetime, text)
    try:
        return time.astimezone(UTC)
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
