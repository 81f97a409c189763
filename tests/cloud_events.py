"""Events as the official CloudEvents SDK for JavaScript reads them: the fixture `cloud_events`."""

import json
from typing import Any

from aio_pika.abc import AbstractMessage
from foreign import Reader

from sav_chassis.envelope import HEADER

Json = dict[str, Any]


def answered(sdk: Reader, message: AbstractMessage, **changed: str) -> Json:
    """`read`, the event as the SDK holds it, or `refused`, why it does not; `changed` are other values of attributes."""
    headers = {**message.headers, **{f"{HEADER}{name}": value for name, value in changed.items()}}
    told = {"headers": headers, "content_type": message.content_type, "body": message.body.decode()}
    answer: Json = sdk.read(told)
    return answer


def sent(message: AbstractMessage) -> Json:
    """The event that stands in a message, attribute by attribute."""
    attributes = {
        name.removeprefix(HEADER): value for name, value in message.headers.items() if name.startswith(HEADER)
    }
    return attributes | {"datacontenttype": message.content_type, "data": json.loads(message.body)}
