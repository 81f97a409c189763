"""The events described for other systems in AsyncAPI 3.0, from the messages and the rooms' bindings."""

import json
from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from pydantic.json_schema import models_json_schema

from sav_chassis import envelope, topology
from sav_contracts.claims.reclamation import ReclamationCreated
from sav_contracts.message_types import EVENTS
from sav_contracts.messages import Event
from sav_contracts.published import schema_id
from sav_ops import rooms
from sav_ops.documents.event_samples import sample
from sav_ops.documents.schema_revisions import Described

Json = dict[str, Any]

INFO = """What happened in the after-sales service: every event that it publishes.

**To subscribe**, declare a durable queue of your own (a quorum queue, named after your system) and bind it to the topic
exchange `sav.events`: `claims.#` is everything about réclamations, `*.InterventionClosed.*` one event in every major
version. Your account needs to read the exchange, and to configure, write and read its own queue. Acknowledge a message
when its work is done. What was published before the queue was bound does not come; the records of that time are read
over HTTP.

**Delivery** is at least once, in the order of each record, which a redelivery may break. So do nothing twice for the same
message id (it is the event's id), and of a record (`cloudEvents:subject`) keep the `state` with the highest
`state.version`: `state` is the whole record after the change, so nothing has to be asked for.

**Compatibility**: inside a major version fields are only added, and they are optional. Lists of values may grow, and
bounds may widen. So ignore fields that you do not know, and expect values that you do not know. What breaks this is
another event, with another version in its name. One exception, of 2026-11-29: `reclamation_id` and `reclamation_reference`
of visits, appointments, conflicts, reports and feedback may be null, where a visit is for no réclamation. A body is smaller than {max_body} bytes.

**CloudEvents**: each message is a CloudEvent 1.0 in the binary mode of the AMQP binding: the headers `cloudEvents:…` are
its attributes, the content type is `datacontenttype`, the body is the data. `dataschema` names the schema of the body, the
same wherever SAV runs: `{named}`. The HTTP API serves it, with that name as `$id`, at
`/schemas/{event}.json`. `sequence` orders the events of one record, as text or as a number; messages
of earlier releases have it without the zeros.
"""
HEADERS: Json = {
    "specversion": {"const": "1.0"},
    "id": {
        "format": "uuid",
        "description": "The event's id, also the message id; the same in every repetition.",
    },
    "source": {"description": "The service that published it, such as `/claims`."},
    "type": {"description": "The event's name, also the routing key."},
    "time": {"format": "date-time", "description": "When it happened."},
    "subject": {"format": "uuid", "description": "The record that it is about."},
    "sequence": {
        "pattern": "^[0-9]{19}$",
        "description": "Which version of the record the event made, with zeros in front so that it sorts as text;"
        " `state.version` may be a later one.",
    },
    "dataschema": {
        "format": "uri",
        "description": "The name of the JSON Schema of the body, `urn:sav:schema:` and the event's name.",
    },
    "kind": {"description": "What the record is, such as `reclamation`."},
    "actorid": {"format": "uuid", "description": "Who did it."},
    "actorrole": {"description": "In which role; `system` where it follows from an event, or from time."},
    "correlationid": {"format": "uuid", "description": "The request that it all began with."},
    "causationid": {"format": "uuid", "description": "The message that led to it, where one did."},
    "traceparent": {"description": "W3C Trace Context, where the request is traced."},
}
EXAMPLE = ReclamationCreated.type_name()
SOMETIMES = ("causationid", "traceparent")
EXCHANGE: Json = {
    "is": "routingKey",
    "exchange": {"name": topology.EVENTS, "type": "topic", "durable": True, "autoDelete": False},
    "bindingVersion": "0.3.0",
}


def document() -> str:
    """Return the document as JSON: each event as a channel, with its publisher and SAV's queues that receive it."""
    events = [EVENTS[name] for name in sorted(EVENTS)]
    payloads, schemas = models_json_schema(
        [(event, "serialization") for event in events],
        ref_template="#/components/schemas/{model}",
        schema_generator=Described,
    )
    document_json: Json = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "SAV events",
            "version": "1",
            "description": INFO.format(max_body=envelope.MAX_BODY, event=EXAMPLE, named=schema_id(EXAMPLE)),
            "tags": [{"name": owner} for owner in rooms.SERVICES],
        },
        "defaultContentType": "application/json",
        "channels": {event.type_name(): _channel(event) for event in events},
        "operations": {name: operation for event in events for name, operation in _operations(event)},
        "components": {
            "messages": {
                event.type_name(): _message(event, payloads[event, "serialization"]) for event in events
            },
            "schemas": {"Headers": _headers()} | schemas["$defs"],
            "channelBindings": {"events": {"amqp": EXCHANGE}},
            "correlationIds": {
                "request": {"location": f"$message.header#/{envelope.HEADER}correlationid"},
            },
        },
    }
    return json.dumps(document_json, indent=2, ensure_ascii=False) + "\n"


def _channel(event: type[Event]) -> Json:
    return {
        "address": event.type_name(),
        "messages": {event.__name__: _ref("messages", event.type_name())},
        "tags": [{"name": event.owner}],
        "bindings": _ref("channelBindings", "events"),
    }


def _operations(event: type[Event]) -> Iterator[tuple[str, Json]]:
    name = event.type_name()
    channel = {"channel": {"$ref": f"#/channels/{name}"}}
    if not event.superseded_by:
        yield f"{event.owner}.sends.{name}", {"action": "send"} | channel | {"tags": [{"name": event.owner}]}
    for service in rooms.SERVICES:
        for queue, bound in rooms.load(service).bindings().items():
            if name in bound:
                purpose = "reacts to it" if queue.endswith(".events") else "keeps what it says"
                yield (
                    f"{queue}.receives.{name}",
                    {"action": "receive"}
                    | channel
                    | {
                        "summary": f"{service} {purpose}, from its queue `{queue}`.",
                        "tags": [{"name": service}],
                    },
                )


def _message(event: type[Event], payload: Json) -> Json:
    return {
        "name": event.type_name(),
        "title": event.__name__,
        "summary": getdoc(event),
        "tags": [{"name": event.owner}],
        "headers": _ref("schemas", "Headers"),
        "payload": payload,
        "correlationId": _ref("correlationIds", "request"),
        "bindings": {"amqp": {"messageType": event.type_name(), "bindingVersion": "0.3.0"}},
        "examples": [{"payload": sample(event)}],
    }


def _headers() -> Json:
    return {
        "type": "object",
        "properties": {
            f"{envelope.HEADER}{name}": {"type": "string"} | header for name, header in HEADERS.items()
        },
        "required": [f"{envelope.HEADER}{name}" for name in HEADERS if name not in SOMETIMES],
    }


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}
