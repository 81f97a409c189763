"""Every event is a CloudEvent: the official SDK for JavaScript takes it in strict mode and reads what was sent."""

from uuid import UUID

import pytest
from cloud_events import answered, sent
from foreign import Reader

from sav_chassis.envelope import Envelope
from sav_chassis.testing import enveloped
from sav_contracts.message_types import EVENTS
from sav_contracts.published import revisions

SAMPLES = [
    pytest.param(name, sample, id=f"{name} {number}")
    for name in EVENTS
    for number, sample in enumerate(revisions("samples", name), 1)
]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def whole(name: str, sample: str) -> Envelope:
    """The event with everything that an envelope can hold."""
    first = enveloped(EVENTS[name].model_validate_json(sample))
    return first.model_copy(update={"causation_id": UUID(int=9), "traceparent": TRACE})


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_the_sdk_takes_every_event_in_every_revision(name: str, sample: str, cloud_events: Reader) -> None:
    caused = whole(name, sample)
    for envelope in (caused, caused.model_copy(update={"causation_id": None, "traceparent": None})):
        message = envelope.to_amqp()
        assert answered(cloud_events, message) == {"read": sent(message)}
        assert all(message.headers.values()), message.headers


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("dataschema", "/schemas/claims.ReclamationCreated.v1.json"),
        ("time", "yesterday"),
        ("subject", ""),
        ("source", "the claims"),
        ("correlationId", "7"),
    ],
)
def test_the_sdk_refuses_what_is_no_cloud_event(attribute: str, value: str, cloud_events: Reader) -> None:
    name = "claims.ReclamationCreated.v1"
    message = whole(name, revisions("samples", name)[-1]).to_amqp()
    assert answered(cloud_events, message, **{attribute: value}).keys() == {"refused"}
