"""The refusals and headers in the OpenAPI description, the same for every operation."""

import json
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

Json = dict[str, Any]

REFUSALS = {
    "400": "The body is not what its content type says",
    "401": "No valid token",
    "403": "Not for this role, or not for you",
    "404": "There is no such record, or none that you may see",
    "409": "The record's state does not allow it; `moves` holds what it allows, `alternatives` times that are free",
    "410": "The link is incomplete, was used or has expired",
    "408": "The body did not come in time",
    "412": "The record is not in the version any more that `If-Match` names",
    "413": "The body, or a file in it, is too large",
    "415": "The body, or a file in it, is of a type that is not taken here",
    "422": "Wrong fields, each named in `errors`",
    "429": "Too many requests or attempts; try again after `Retry-After` seconds",
    "503": "Who should answer is away; nothing was done",
    "504": "No answer in time; repeat with the same Idempotency-Key",
}
HEADERS = {
    "X-Request-ID": "The caller's own (a UUID), or a new one; in the log and in all that came of the request",
    "RateLimit-Policy": "How many requests (`q`) of this kind may be made in how many seconds (`w`)",
    "RateLimit": "How many are left (`r`), and in how many seconds (`t`) it is all of them again",
    "Retry-After": "Seconds",
    "ETag": "Of what is answered: for If-None-Match, and a record's for If-Match too",
    "Location": "Where the new record is",
    "Idempotency-Key": "The caller's own, or a new one: with it the request may be repeated",
}
ALWAYS = ("X-Request-ID", "RateLimit", "RateLimit-Policy")
LATER = {"429", "503", "504"}


@cache
def codes() -> dict[str, list[str]]:
    """The codes that a problem of each status may have."""
    known: dict[str, list[str]] = json.loads((files("sav_contracts") / "codes.json").read_text())
    return known


@cache
def _rooms() -> dict[str, list[str]]:
    """The rooms of each code that only these raise."""
    known: dict[str, list[str]] = json.loads((files("sav_contracts") / "codes_of_rooms.json").read_text())
    return known


def refusals(statuses: Iterable[str], owner: str | None = None) -> Json:
    """A problem document for each status, with the codes that the owner of the route raises, and those of all."""
    return {
        status: {"description": REFUSALS[status], "content": _problem(status, owner)}
        for status in sorted(statuses)
    }


def _problem(status: str, owner: str | None) -> Json:
    known = [code for code in codes()[status] if owner in _rooms().get(code, [owner])]
    narrowed = {"properties": {"code": {"enum": known}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]}
    return {"application/problem+json": {"schema": schema}}


def with_headers(responses: Json, more: Mapping[str, Collection[str]] | None = None) -> Json:
    """The responses with the headers of each; `more` maps further headers to the statuses that carry them."""
    some = {"Retry-After": LATER} | dict(more or {})
    for status, response in responses.items():
        names = [*ALWAYS, *(name for name, statuses in some.items() if status in statuses)]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return responses


def headers() -> Json:
    """The headers that `with_headers` refers to."""
    return {
        name: {"description": description, "schema": {"type": "string"}}
        for name, description in HEADERS.items()
    }
