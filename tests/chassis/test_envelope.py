"""An event on the wire is the same event on the other side."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import aio_pika
import pytest
import toy
from aio_pika.abc import AbstractIncomingMessage
from hypothesis import example, given
from hypothesis import strategies as st

from sav_chassis.envelope import HEADER, Envelope, Undecodable
from sav_chassis.testing import enveloped
from sav_contracts.actor import Role

PLAIN = enveloped(toy.filled(100, 2))
OPTIONAL = {"causationid", "traceparent"}
# Of a bigint, in which the log keeps the sequence.
LARGEST = 2**63 - 1


def received(message: aio_pika.Message, **changed: Any) -> AbstractIncomingMessage:
    """A message as it is delivered, with other headers or another body."""
    fields = {"headers": message.headers, "body": message.body, "message_id": message.message_id}
    return cast(AbstractIncomingMessage, SimpleNamespace(**(fields | changed)))


ENVELOPES = st.builds(
    Envelope,
    id=st.uuids(),
    type=st.just("toy.BoxFilled.v1"),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    kind=st.just("box"),
    subject=st.uuids(),
    sequence=st.integers(1, LARGEST),
    body=st.text(st.characters(codec="utf-8")),
    actor_id=st.uuids(),
    actor_role=st.sampled_from(Role),
    correlation_id=st.uuids(),
    causation_id=st.none() | st.uuids(),
    traceparent=st.none() | st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)


@given(envelope=ENVELOPES)
def test_what_is_sent_is_what_is_received(envelope: Envelope) -> None:
    assert Envelope.from_amqp(received(envelope.to_amqp())) == envelope


@given(amount=st.integers(), note=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_the_event_in_it_is_the_same(amount: int, note: str) -> None:
    event = toy.filled(100, 2, amount=amount, note=note)
    assert Envelope.from_amqp(received(enveloped(event).to_amqp())).event() == event


WORDS = ["type", "kind"]
FORMS = ["id", "time", "subject", "sequence", "actorid", "actorrole", "correlationid"]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in WORDS + FORMS for value in (None, 7, b"\xff")]
    # Any text may be a type or kind; `event` knows which there are.
    + [(name, value) for name in FORMS for value in ("", "nonsense")],
)
def test_a_missing_or_misshapen_header_is_undecodable(name: str, value: Any) -> None:
    message = PLAIN.to_amqp()
    headers = {key: told for key, told in message.headers.items() if key != f"{HEADER}{name}"}
    if value is not None:
        headers[f"{HEADER}{name}"] = value
    with pytest.raises(Undecodable):
        Envelope.from_amqp(received(message, headers=headers))


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\xed\xa0\x80"])
def test_a_body_that_is_no_text_is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        Envelope.from_amqp(received(PLAIN.to_amqp(), body=body))


@pytest.mark.parametrize("type", ["toy.BoxBurnt.v1", "toy.BoxFilled.v2", ""])
def test_an_unknown_type_is_undecodable(type: str) -> None:
    with pytest.raises(Undecodable, match="unknown event type"):
        PLAIN.model_copy(update={"type": type}).event()


@pytest.mark.parametrize("body", ["", "{", "[]", '{"state": {}}'])
def test_a_body_of_another_form_is_undecodable(body: str) -> None:
    with pytest.raises(Undecodable):
        PLAIN.model_copy(update={"body": body}).event()


def test_fields_that_are_unknown_today_are_ignored() -> None:
    newer = PLAIN.body[:-1] + ',"weather":"fine"}'
    assert PLAIN.model_copy(update={"body": newer}).event() == PLAIN.event()


@given(first=st.integers(1, LARGEST), second=st.integers(1, LARGEST))
@example(first=9, second=10)
def test_sequences_compare_as_texts_as_they_do_as_numbers(first: int, second: int) -> None:
    one, other = (sequence_of(PLAIN.model_copy(update={"sequence": number})) for number in (first, second))
    assert (one < other, one == other) == (first < second, first == second)


def sequence_of(envelope: Envelope) -> str:
    return str(envelope.to_amqp().headers[f"{HEADER}sequence"])


def test_a_message_from_before_the_zeros_and_the_name_of_its_schema_is_read() -> None:
    message = PLAIN.to_amqp()
    before = {f"{HEADER}sequence": "2", f"{HEADER}dataschema": "/schemas/toy.BoxFilled.v1.json"}
    assert Envelope.from_amqp(received(message, headers={**message.headers, **before})) == PLAIN


def test_headers_of_others_are_left_alone() -> None:
    message = PLAIN.to_amqp()
    more = {**message.headers, f"{HEADER}weather": "fine", "x-delivery-count": 3}
    assert Envelope.from_amqp(received(message, headers=more)) == PLAIN


def test_without_a_cause_there_is_no_header_for_it() -> None:
    first = PLAIN.model_copy(update={"causation_id": None, "traceparent": None})
    assert not OPTIONAL & {name.removeprefix(HEADER) for name in first.to_amqp().headers}
    caused = PLAIN.model_copy(update={"causation_id": UUID(int=9)})
    assert caused.to_amqp().headers[f"{HEADER}causationid"] == str(UUID(int=9))
