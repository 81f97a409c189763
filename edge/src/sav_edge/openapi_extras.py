"""The OpenAPI description of the routes outside the surface: the stream, health, keys, and the descriptions."""

from typing import Any

from sav_contracts.surface import SignedRow, TextRow
from sav_edge.changes import RETENTION
from sav_edge.openapi_responses import refusals, with_headers
from sav_edge.read_model import KINDS
from sav_edge.stream import HEARTBEAT, ROW

Json = dict[str, Any]

ID = "018f3b1c-7c5e-7a01-9d52-3f1e6f0a2b4d"
LISTENING = f"""Server-sent events. `changed` is a hint: which record changed, not how. GET it; where that is answered
with 404 it is not there for the caller any more. Whoever saw it before and whoever sees it now is told.

`reset`: more was missed than is told; load anew what is shown. `expired`: the token is not good any more; refresh it
and come again. A line that begins with `:` shows every {HEARTBEAT:g} seconds that the stream is alive.

Each `id`, also one without an event, is a place: `Last-Event-ID` goes on from it, at any replica, for {RETENTION}.

What is seen *through* another record gets no hint of its own when it comes into sight or leaves it. The hint of a
réclamation or visit stands for what it names and what hangs on it too: its client, its product, its technician's card,
its photos, report and timeline. Whoever shows those GETs them again.

The token travels in `Authorization`, so a page listens with `fetch`, not with `EventSource`."""
HEARD = f"""event: changed
data: {{"kind":"reclamation","id":"{ID}","version":3}}

id: 4711
event: changed
data: {{"kind":"intervention","id":"018f3b1d-02aa-7c44-8a0e-5d2c4b9f7e10","version":1}}

id: 4715
: still here

"""
SCHEMAS: Json = {
    "Hint": {
        "title": "Hint",
        "type": "object",
        "description": "The data of `changed`; those of the others are an empty object.",
        "required": ["kind", "id", "version"],
        "properties": {
            "kind": {"type": "string", "enum": sorted(KINDS)},
            "id": {"type": "string", "format": "uuid"},
            "version": {"type": "integer", "minimum": 1},
        },
    },
    "StreamEvent": {
        "title": "StreamEvent",
        "type": "object",
        "description": "One event of a stream, field by field.",
        "properties": {
            "event": {"type": "string", "enum": ["changed", "reset", "expired"]},
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"anyOf": [{"$ref": "#/components/schemas/Hint"}, {"maxProperties": 0}]},
            },
        },
    },
}
PLACE = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The last `id` that the caller has got: the stream begins with what they missed since then.",
    "schema": {"type": "string"},
    "example": "4715",
}
FILE = {
    "name": "file",
    "in": "path",
    "required": True,
    "description": "An event's type and `.json`",
    "schema": {"type": "string"},
    "example": "claims.ReclamationCreated.v1.json",
}
WORKS = {"type": "object", "additionalProperties": {"type": "boolean"}}
# RFC 7517 and, for Ed25519, RFC 8037.
KEYS = {
    "type": "object",
    "required": ["keys"],
    "properties": {
        "keys": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kty", "crv", "x", "kid", "use", "alg"],
                "additionalProperties": {"type": "string"},
            },
        }
    },
}


def paths() -> dict[str, Json]:
    """The operations, by path; all are GET."""
    operations = {
        "/stream": _listen(),
        "/health/live": _healthy(
            "getLiveness", "Whether the process works; where it does not, restart it", {"live": True}
        ),
        "/health/ready": _healthy(
            "getReadiness",
            "Whether everything answers that it needs; where it does not, send it no requests",
            {"database": True, "broker": True, "edge.views": True},
        ),
        "/.well-known/jwks.json": _page(
            "getSigningKeys", "The keys that tokens are signed with", schema=KEYS
        ),
        "/openapi.json": _page("getOpenAPI", "This description"),
        "/asyncapi.json": _page("getAsyncAPI", "The events, for systems that subscribe to them (AsyncAPI 3)"),
        "/schemas/{file}": _schema(),
        "/docs": _page("showDocs", "A page to read this and try it on", "text/html", {"type": "string"}),
    }
    return {path: {"get": operation} for path, operation in operations.items()}


def _operation(id: str, summary: str, answer: Json, *refused: str) -> Json:
    return {
        "operationId": id,
        "tags": ["edge"],
        "summary": summary,
        "parameters": [],
        "responses": with_headers({"200": answer} | refusals(refused)),
    }


def _listen() -> Json:
    # An array of the events: this is how OpenAPI 3.2 describes a sequential media type.
    events = {"type": "array", "items": {"$ref": "#/components/schemas/StreamEvent"}}
    content = {"text/event-stream": {"schema": events, "example": HEARD}}
    answer = {"description": "Events, until the caller goes", "content": content}
    operation = _operation("listen", ROW.feature, answer, "401", "403", "422", "429", "503")
    return operation | {"description": LISTENING, "parameters": [PLACE], "security": [{"token": []}]}


def _healthy(id: str, summary: str, example: Json) -> Json:
    """A health operation. A load balancer polls it, so it has no rate limit."""
    content = {"application/json": {"schema": WORKS, "example": example}}
    response = {
        "content": content,
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
    }
    answers = {"200": {"description": "It does"} | response, "503": {"description": "It does not"} | response}
    return _operation(id, summary, {}) | {"responses": answers}


def _page(
    id: str, summary: str, media_type: str = "application/json", schema: Json | None = None, *refused: str
) -> Json:
    content = {media_type: {"schema": schema or {"type": "object"}}}
    return _operation(id, summary, {"description": "Found", "content": content}, "429", *refused)


def _schema() -> Json:
    summary = "The JSON Schema of an event; its `$id` is what the header `dataschema` names"
    operation = _page("getEventSchema", summary, "application/schema+json", None, "404")
    return operation | {"parameters": [FILE]}


def signed_body(row: SignedRow) -> dict[str, Any]:
    """The body that another system signs."""
    return {
        "required": True,
        "description": f"As its sender signed it, in one of the headers {', '.join(row.headers)}.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }


def text_answer(row: TextRow) -> dict[str, Any]:
    """The file that a query answers."""
    media_type = row.media_type.partition(";")[0]
    return {"description": "The file", "content": {media_type: {"schema": {"type": "string"}}}}
