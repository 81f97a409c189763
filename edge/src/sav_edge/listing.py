"""What a list request asks for: filters, search, sort, place; checked against the surface, turned into SQL."""

import json
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
from pydantic_core import from_json

from sav_chassis.errors import FieldError, Invalid
from sav_contracts.actor import Actor, Role
from sav_contracts.messages import View
from sav_contracts.surface import Row

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Characters of a search; words are looked for one by one.
MAX_SEARCH = 200
TIMES = ("created_at", "updated_at")
SINCE_AND_UNTIL = {"created_from": ">=", "created_to": "<"}
FROM_AND_TO = {"from": ">=", "to": "<"}
# What stands in a column of its own beside the document.
IDS = ("client_id", "technician_id", "product_id", "user_id")

Query = Mapping[str, Sequence[str]]


def _accented() -> dict[str, str]:
    """Each letter with the accented ones that are read as it (Latin-1 and Latin Extended-A): `e` with `èéêëÈÉ…`."""
    found: dict[str, str] = {}
    for letter in map(chr, range(0xC0, 0x180)):
        bare = unicodedata.normalize("NFD", letter)[0].lower()
        if bare.isascii():
            found[bare] = found.get(bare, "") + letter
    return found


ACCENTED = _accented()


def parameters(row: Row) -> list[str]:
    """The names of what may be asked of a list."""
    return [
        *row.filters,
        *(["q"] if row.search else []),
        *(FROM_AND_TO if row.during else []),
        "limit",
        "after",
        *(["sort", *SINCE_AND_UNTIL] if row.sorts else []),
    ]


def form(view: type[View], actor: Actor) -> type[View]:
    """The shape in which this caller reads a view; `TypeError` where a client reads none."""
    return _client_form(view) if actor.role is Role.CLIENT else view


@cache
def _client_form(view: type[View]) -> type[View]:
    if view.for_client is View.for_client:
        return view
    returned = get_type_hints(view.for_client)["return"]
    shown = [part for part in get_args(returned) or (returned,) if part is not NoneType]
    # Anything less exact could be taken for the staff's form.
    if len(shown) != 1 or shown[0] is View or not issubclass(shown[0], View):
        raise TypeError(f"{view.__name__}.for_client does not say in which form a client reads it")
    return shown[0]  # type: ignore[no-any-return]


def doc(actor: Actor) -> str:
    """The column that holds what this caller may read."""
    return "doc_client" if actor.role is Role.CLIENT else "doc"


@dataclass
class Listing:
    """`where` pairs a condition, with `$` for its parameter, and the parameter's value."""

    order: str = "created_at"
    timed: bool = True
    descending: bool = True
    limit: int = DEFAULT_LIMIT
    after: tuple[Any, UUID] | None = None
    where: list[tuple[str, Any]] = field(default_factory=list)
    wrong: list[FieldError] = field(default_factory=list)

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    @property
    def beyond(self) -> str:
        return "<" if self.descending else ">"

    def key(self, actor: Actor) -> str:
        """What is sorted by. A record without a value comes first, or last where the order is descending."""
        if self.order in TIMES:
            return f"v.{self.order}"
        value = column(self.order, actor)
        # A row comparison with NULL is never true: the following page would be empty.
        return f"coalesce(({value})::timestamptz, 'epoch')" if self.timed else f"coalesce({value}, '')"


def parse(row: Row, view: type[View], query: Query, actor: Actor) -> Listing:
    """The request of a list; `Invalid` names every parameter that is unknown or has a wrong value."""
    listing = Listing()
    shown = form(view, actor).model_fields
    known = [name for name in parameters(row) if name in shown or name not in row.filters]
    for name, values in query.items():
        try:
            if name not in known:
                raise ValueError(f"there is no such parameter; there are {', '.join(known)}")
            if name in row.filters:
                chosen = [_value(shown[name].annotation, value) for value in values]
                listing.where.append(_equals(name, chosen, actor))
            elif name == "q":
                listing.where.append(
                    _search([name for name in row.search if name in shown], " ".join(values), actor)
                )
            elif name in SINCE_AND_UNTIL:
                listing.where.append((f"v.created_at {SINCE_AND_UNTIL[name]} $", _time(values[-1])))
            elif name in FROM_AND_TO:
                time = f"({column(row.during, actor)})::timestamptz"
                listing.where.append((f"{time} {FROM_AND_TO[name]} $", _time(values[-1])))
            elif name == "limit":
                listing.limit = _limit(values[-1])
            elif name == "sort":
                listing.descending = values[-1].startswith("-")
                listing.order = _sort(values[-1].removeprefix("-"), [s for s in row.sorts if s in shown])
                listing.timed = _is_time(shown[listing.order].annotation)
        except ValueError as error:
            listing.wrong.append(FieldError(field=name, message=_message(error)))
    if "after" in query:
        try:
            listing.after = place(query["after"][-1], listing)
        except ValueError:
            listing.wrong.append(
                FieldError(field="after", message="not the `next` of a page sorted like this one")
            )
    if listing.wrong:
        raise Invalid.fields(listing.wrong)
    return listing


def column(name: str, actor: Actor) -> str:
    """Where a field is read: from what this caller may see."""
    return f"v.{doc(actor)} ->> '{name}'"


def mark(listing: Listing, value: Any, id: UUID) -> str:
    """Where a page ended, for the next request."""
    told = value.isoformat() if isinstance(value, datetime) else value
    return urlsafe_b64encode(json.dumps([listing.order, told, str(id)]).encode()).decode().rstrip("=")


def place(after: str, listing: Listing) -> tuple[Any, UUID]:
    """Reads a mark back; `ValueError` where it is none, or of another order."""
    # pydantic's reader bounds the depth and refuses lone surrogates; Python's does neither.
    marked = from_json(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    if not (isinstance(marked, list) and len(marked) == 3 and all(isinstance(part, str) for part in marked)):
        raise ValueError("not a mark")
    if marked[0] != listing.order or "\0" in marked[1]:
        raise ValueError("a mark of another order")
    return _time(marked[1]) if listing.timed else marked[1], UUID(marked[2])


def _equals(name: str, values: list[Any], actor: Actor) -> tuple[str, Any]:
    if name in IDS and actor.role is not Role.CLIENT:
        return f"v.{name} = ANY($::uuid[])", values
    return f"{column(name, actor)} = ANY($::text[])", [
        json.dumps(v) if isinstance(v, bool) else str(v) for v in values
    ]


def _search(names: Sequence[str], text: str, actor: Actor) -> tuple[str, Any]:
    """Every word occurs in one of the fields, in capitals or not, with accents or without."""
    if "\0" in text:
        raise ValueError("no NUL characters")
    if len(text) > MAX_SEARCH:
        raise ValueError(f"at most {MAX_SEARCH} characters")
    said = f"concat_ws(' ', {', '.join(column(name, actor) for name in names)})"
    return f"{said} ~* ALL ($::text[])", [_pattern(word) for word in text.split()]


def _pattern(word: str) -> str:
    """A regular expression (PostgreSQL, 9.7.3) for the word however its letters are accented."""
    bare = [letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter)]
    return "".join(_letter(letter) for letter in bare)


def _letter(letter: str) -> str:
    if accented := ACCENTED.get(letter.lower()):
        return f"[{letter}{accented}]"
    # A backslash takes away any meaning but that of letters and digits, to which it gives one.
    return f"\\{letter}" if letter.isascii() and not letter.isalnum() else letter


def _sort(name: str, sorts: Sequence[str]) -> str:
    if name not in sorts:
        raise ValueError(f"one of {', '.join(sorts)}, with a minus in front for descending")
    return name


def _is_time(annotation: Any) -> bool:
    return annotation is datetime or datetime in get_args(annotation)


def _value(annotation: Any, text: str) -> Any:
    if "\0" in text:
        raise ValueError("no NUL characters")
    return _adapter(annotation).validate_python(text)


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    """Made once for each type, not for each request."""
    return TypeAdapter(annotation)


def _time(text: str) -> datetime:
    time: datetime = _value(AwareDatetime, text)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999 in UTC") from None


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise ValueError(f"a number from 1 to {MAX_LIMIT}")
    return int(text)


def _message(error: ValueError) -> str:
    return error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
