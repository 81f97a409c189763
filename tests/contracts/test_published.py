"""What was published is read by today's code, in every revision, with every field."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from aio_pika.abc import AbstractIncomingMessage
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from sav_chassis.envelope import Envelope
from sav_chassis.testing import enveloped
from sav_contracts.actor import Actor, Role
from sav_contracts.message_types import EVENTS
from sav_contracts.messages import Event
from sav_contracts.published import HERE, revisions
from sav_ops.documents import event_samples

Json = dict[str, Any]

# Every revision of every event: its name, the number, its schema and its sample.
PUBLISHED = [
    pytest.param(name, json.loads(schema), sample, id=f"{name} {number}")
    for name in EVENTS
    for number, (schema, sample) in enumerate(
        zip(revisions("schemas", name), revisions("samples", name), strict=True), 1
    )
]


def test_every_event_has_a_schema_and_a_sample_for_each_revision() -> None:
    for name in EVENTS:
        assert 0 < len(revisions("schemas", name)) == len(revisions("samples", name)), name


def test_every_event_that_was_ever_published_is_known() -> None:
    for what in ("schemas", "samples"):
        assert {folder.name for folder in (HERE / what).iterdir()} == EVENTS.keys()


@pytest.mark.parametrize(("name", "schema", "sample"), PUBLISHED)
def test_todays_code_reads_every_sample_and_gives_every_field_back(
    name: str, schema: Json, sample: str
) -> None:
    event = EVENTS[name].model_validate_json(sample)
    lost = list(differences(json.loads(sample), json.loads(event.model_dump_json())))
    assert lost == []


def differences(known: Any, told: Any, place: str = "") -> Iterator[str]:
    """Where what is told lacks something of what is known, or says it otherwise; it may say more."""
    if isinstance(known, dict) and isinstance(told, dict):
        for name, value in known.items():
            if name in told:
                yield from differences(value, told[name], f"{place}.{name}")
            else:
                yield f"{place}.{name} is lost"
    elif isinstance(known, list) and isinstance(told, list) and len(known) == len(told):
        for number, (one, other) in enumerate(zip(known, told, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif known != told:
        yield f"{place} was {known!r} and is {told!r}"


@pytest.mark.parametrize(("name", "schema", "sample"), PUBLISHED)
def test_every_sample_follows_the_schema_of_its_revision_and_todays(
    name: str, schema: Json, sample: str
) -> None:
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(sample))
    Draft202012Validator(json.loads(revisions("schemas", name)[-1])).validate(json.loads(sample))


@pytest.mark.parametrize(("name", "schema", "sample"), PUBLISHED)
def test_a_sample_of_every_event_travels_in_its_envelope(name: str, schema: Json, sample: str) -> None:
    by = Actor(id=UUID(int=21), role=Role.MANAGER)
    envelope = enveloped(EVENTS[name].model_validate_json(sample), by)
    sent = envelope.to_amqp()
    delivered = SimpleNamespace(headers=sent.headers, body=sent.body, message_id=sent.message_id)
    received = Envelope.from_amqp(cast(AbstractIncomingMessage, delivered))
    assert received == envelope
    assert received.type == name
    assert json.loads(received.event().model_dump_json()) == json.loads(envelope.body)


def test_every_optional_field_is_filled_in_some_sample() -> None:
    events = [EVENTS[name].model_validate_json(revisions("samples", name)[-1]) for name in EVENTS]
    known: set[tuple[str, str]] = set()
    filled: set[tuple[str, str]] = set()
    for event in events:
        for model in models(event):
            name = type(model).__name__
            known |= {(name, field) for field in type(model).model_fields}
            filled |= {(name, field) for field, value in model if value not in (None, [], {})}
    assert known - filled == set()


def models(told: Any) -> Iterator[BaseModel]:
    if isinstance(told, BaseModel):
        yield told
        for _, value in told:
            yield from models(value)
    elif isinstance(told, list):
        for one in told:
            yield from models(one)


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())
def test_a_sample_is_the_same_every_time(event: type[Event]) -> None:
    assert event_samples.sample(event) == event_samples.sample(event)
