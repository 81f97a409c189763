"""What a list request asks for: filters, sort, place; checked against the surface, turned into SQL."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic_core import from_json

from sav_chassis.errors import FieldError, Invalid
from sav_contracts.actor import Actor, Role
from sav_contracts.messages import View
from sav_contracts.surface import Row

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
TIMES = ("created_at", "updated_at")
SINCE_AND_UNTIL = {"created_from": ">=", "created_to": "<"}
PARAMETERS = ("limit", "after", "sort", *SINCE_AND_UNTIL)

Query = Mapping[str, Sequence[str]]


def form(view: type[View], actor: Actor) -> type[View]:
    """The shape in which this caller reads a view."""
    if actor.role is not Role.CLIENT:
        return view
    shown = get_type_hints(view.for_client)["return"]
    return shown if isinstance(shown, type) and issubclass(shown, View) and shown is not View else view


def doc(actor: Actor) -> str:
    """The column that holds what this caller may read."""
    return "doc_client" if actor.role is Role.CLIENT else "doc"


@dataclass
class Listing:
    """`where` pairs a condition, with `$` for its parameter, and the parameter's value."""

    order: str = "created_at"
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


def parse(row: Row, view: type[View], query: Query, actor: Actor) -> Listing:
    """The request of a list; `Invalid` names every parameter that is unknown or has a wrong value."""
    listing = Listing()
    shown = form(view, actor).model_fields
    filters = [name for name in row.filters if name in shown]
    sorts = [name for name in row.sorts if name in shown]
    for name, values in query.items():
        try:
            if name in filters:
                listing.where.append(
                    _equals(name, [_value(shown[name].annotation, value) for value in values], actor)
                )
            elif name in SINCE_AND_UNTIL and row.sorts:
                listing.where.append((f"v.created_at {SINCE_AND_UNTIL[name]} $", _time(values[-1])))
            elif name == "limit":
                listing.limit = _limit(values[-1])
            elif name == "sort" and row.sorts:
                listing.descending = values[-1].startswith("-")
                chosen = values[-1].removeprefix("-")
                if chosen not in sorts:
                    raise ValueError(f"one of {', '.join(sorts)}, with a minus in front for descending")
                listing.order = chosen
            elif name != "after":
                known = [*filters, *(PARAMETERS if row.sorts else ("limit", "after"))]
                raise ValueError(f"there is no such parameter; there are {', '.join(known)}")
        except ValueError as error:
            listing.wrong.append(FieldError(field=name, message=_message(error)))
    if "after" in query:
        try:
            listing.after = place(query["after"][-1], listing.order)
        except ValueError:
            listing.wrong.append(
                FieldError(field="after", message="not the `next` of a page sorted like this one")
            )
    if listing.wrong:
        raise Invalid.fields(listing.wrong)
    return listing


def column(name: str, actor: Actor) -> str:
    """Where a field is read: from what this caller may see."""
    return f"v.{name}" if name in TIMES else f"v.{doc(actor)} ->> '{name}'"


def mark(order: str, value: Any, id: UUID) -> str:
    """Where a page ended, for the next request."""
    told = value.isoformat() if isinstance(value, datetime) else value
    return urlsafe_b64encode(json.dumps([order, told, str(id)]).encode()).decode().rstrip("=")


def place(after: str, order: str) -> tuple[Any, UUID]:
    """Reads a mark back; `ValueError` where it is none, or of another order."""
    # pydantic's reader bounds the depth and refuses lone surrogates; Python's does neither.
    marked = from_json(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    if not (isinstance(marked, list) and len(marked) == 3 and all(isinstance(part, str) for part in marked)):
        raise ValueError("not a mark")
    if marked[0] != order or "\0" in marked[1]:
        raise ValueError("a mark of another order")
    return _time(marked[1]) if order in (*TIMES, "at") else marked[1], UUID(marked[2])


def _equals(name: str, values: list[Any], actor: Actor) -> tuple[str, Any]:
    if name in ("client_id", "technician_id"):
        return f"v.{name} = ANY($::uuid[])", values
    return f"{column(name, actor)} = ANY($::text[])", [
        json.dumps(v) if isinstance(v, bool) else str(v) for v in values
    ]


def _value(annotation: Any, text: str) -> Any:
    if "\0" in text:
        raise ValueError("no NUL characters")
    return TypeAdapter(annotation).validate_python(text)


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
