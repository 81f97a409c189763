"""The events described for other systems: valid, whole, and as they are sent."""

import json
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, ValidationError
from references import references

from sav_chassis import topology
from sav_chassis.envelope import HEADER, Envelope
from sav_contracts.actor import Role
from sav_contracts.message_types import EVENTS
from sav_ops.documents import asyncapi

Json = dict[str, Any]

# The standard's own schema (Apache License 2.0), unchanged: `schemas/3.0.0-without-$id.json` of the repository
# asyncapi/spec-json-schemas at 7dd3990d9fff9df76e81c8d2ab544e0000f29aff.
STANDARD = Draft7Validator(json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text()))


@pytest.fixture(scope="module", name="document")
def the_document() -> Json:
    told: Json = json.loads(asyncapi.document())
    return told


def test_the_document_is_valid_asyncapi(document: Json) -> None:
    assert document["asyncapi"] == "3.0.0"
    STANDARD.validate(document)


@pytest.mark.parametrize(
    "place",
    [
        ("channels", "claims.ReclamationCreated.v1", "address"),
        ("operations", "claims.sends.claims.ReclamationCreated.v1", "action"),
        ("components", "messages", "claims.ReclamationCreated.v1", "payload"),
        ("components", "channelBindings", "events", "amqp", "exchange", "type"),
    ],
)
def test_the_standard_finds_what_is_wrong(document: Json, place: tuple[str, ...]) -> None:
    wrong: Any = deepcopy(document)
    holder = wrong
    for name in place[:-1]:
        holder = holder[name]
    assert place[-1] in holder
    holder[place[-1]] = 7
    with pytest.raises(ValidationError):
        STANDARD.validate(wrong)


def test_every_reference_leads_somewhere(document: Json) -> None:
    found = set(references(document))
    assert len(found) > len(EVENTS)
    for reference in found:
        assert at(document, reference)


def at(document: Json, reference: str) -> Any:
    place: Any = document
    for part in reference.removeprefix("#/").split("/"):
        place = place[part]
    return place


def test_every_event_is_a_channel_whose_address_is_its_routing_key(document: Json) -> None:
    assert {channel["address"] for channel in document["channels"].values()} == EVENTS.keys()
    for name, channel in document["channels"].items():
        [message] = [at(document, one["$ref"]) for one in channel["messages"].values()]
        assert message["name"] == channel["address"] == name
        exchange = at(document, channel["bindings"]["$ref"])["amqp"]["exchange"]
        assert exchange == {"name": topology.EVENTS, "type": "topic", "durable": True, "autoDelete": False}


def test_an_event_is_sent_by_its_owner_unless_superseded_and_received_by_every_queue_that_is_bound_to_it(
    document: Json,
) -> None:
    told = Counter(
        (name.split(f".{operation['action']}s.")[0], operation["action"], operation["channel"]["$ref"])
        for name, operation in document["operations"].items()
    )
    emitted = {name: event for name, event in EVENTS.items() if not event.superseded_by}
    assert emitted.keys() < EVENTS.keys()
    sent = {(event.owner, "send", f"#/channels/{name}") for name, event in emitted.items()}
    received = {
        (queue, "receive", f"#/channels/{name}")
        for queue, names in topology.wanted().items()
        for name in names
        if name != "#"
    }
    assert set(told) == sent | received
    assert set(told.values()) == {1}


def test_the_headers_are_those_that_are_sent(document: Json) -> None:
    told = document["components"]["schemas"]["Headers"]
    whole = Envelope(
        id=UUID(int=1),
        type="claims.ReclamationCreated.v1",
        at=datetime(2026, 3, 2, tzinfo=UTC),
        kind="reclamation",
        subject=UUID(int=2),
        sequence=1,
        body="{}",
        actor_id=UUID(int=3),
        actor_role=Role.CLIENT,
        correlation_id=UUID(int=4),
        causation_id=UUID(int=5),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    bare = whole.model_copy(update={"causation_id": None, "traceparent": None})
    assert told["properties"].keys() == whole.to_amqp().headers.keys()
    assert set(told["required"]) == bare.to_amqp().headers.keys()
    Draft202012Validator(told).validate(dict(whole.to_amqp().headers))
    location = document["components"]["correlationIds"]["request"]["location"]
    assert location == f"$message.header#/{HEADER}correlationid"
    assert location.partition("#/")[2] in told["required"]


def test_every_example_is_such_a_body(document: Json) -> None:
    for name, message in document["components"]["messages"].items():
        [example] = message["examples"]
        schema = message["payload"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(example["payload"])
        EVENTS[name].model_validate(example["payload"])
