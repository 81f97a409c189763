"""How the description of the API says what may be answered: refusals and headers, the same for every operation."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

Json = dict[str, Any]

REFUSALS = {
    "400": "The body is not what its content type says",
    "401": "No valid token",
    "403": "Not for this role, or not for you",
    "404": "There is no such record, or none that you may see",
    "409": "The record's state does not allow it; `moves` holds what it allows",
    "410": "The link was used or has expired",
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
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def refusals(codes: Iterable[str]) -> Json:
    """A problem document for each status."""
    return {code: {"description": REFUSALS[code], "content": PROBLEM} for code in sorted(codes)}


def with_headers(responses: Json, more: Mapping[str, Collection[str]] | None = None) -> Json:
    """The responses with the headers that each carries; `more` says in which statuses there are others."""
    some = {"Retry-After": LATER} | dict(more or {})
    for status, response in responses.items():
        names = [*ALWAYS, *(name for name, statuses in some.items() if status in statuses)]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return responses


def headers() -> Json:
    """What `with_headers` refers to."""
    return {name: {"description": told, "schema": {"type": "string"}} for name, told in HEADERS.items()}
