"""An event on the wire: CloudEvents 1.0 attributes as AMQP headers around the event's JSON body."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from pydantic import BaseModel, ConfigDict, ValidationError

from sav_chassis.errors import where
from sav_contracts import message_types
from sav_contracts.actor import Role
from sav_contracts.messages import Event
from sav_contracts.published import schema_id

HEADER = "cloudEvents:"
# Largest body, in bytes, of an event that a command emits. A list that grows belongs in records of its own.
MAX_BODY = 32_000
# Largest body, in bytes, of an event that a reaction emits: no person can shorten it. SAV sends no larger message.
MAX_DELIVERED = 64_000


class Undecodable(Exception):
    """These bytes are no event that this code knows; they go to the dead-letter queue."""


class Caller(NamedTuple):
    """Where a request comes from, as the edge sees it: client address and user agent; None for SAV itself."""

    address: str | None = None
    agent: str | None = None


# The caller is SAV itself.
INSIDE = Caller()


class Context(BaseModel):
    """Who acted, the correlation id and the causation id."""

    model_config = ConfigDict(frozen=True)

    actor_id: UUID
    actor_role: Role
    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None


class Envelope(Context):
    """One event, in the same form wherever it is logged, published, parked, replied or replayed."""

    id: UUID
    type: str
    at: datetime
    kind: str
    subject: UUID
    sequence: int
    body: str

    @property
    def source(self) -> str:
        return self.type.split(".")[0]

    def event(self) -> Event:
        """The decoded event; `Undecodable` where this code cannot read it."""
        event_type = message_types.EVENTS.get(self.type)
        if event_type is None:
            raise Undecodable(f"unknown event type {self.type}")
        try:
            return event_type.model_validate_json(self.body)
        except ValidationError as error:
            raise Undecodable(f"{self.type} {self.id}: wrong are {where(error)}") from None

    def to_amqp(self) -> aio_pika.Message:
        attributes = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": f"/{self.source}",
            "type": self.type,
            "time": self.at.isoformat(),
            "subject": str(self.subject),
            # Padded to the digits of a bigint, so that comparing the texts compares the numbers.
            "sequence": f"{self.sequence:019}",
            "dataschema": schema_id(self.type),
            "kind": self.kind,
            "actorid": str(self.actor_id),
            "actorrole": self.actor_role.value,
            "correlationid": str(self.correlation_id),
            "causationid": str(self.causation_id) if self.causation_id else "",
            "traceparent": self.traceparent or "",
        }
        return aio_pika.Message(
            self.body.encode(),
            headers={f"{HEADER}{name}": value for name, value in attributes.items() if value},
            message_id=str(self.id),
            correlation_id=str(self.correlation_id),
            type=self.type,
            timestamp=self.at,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )

    @classmethod
    def from_amqp(cls, message: AbstractIncomingMessage) -> "Envelope":
        """The envelope of a delivery; `Undecodable` where a header is missing or malformed, or the body too large."""
        if len(message.body) > MAX_DELIVERED:
            raise Undecodable(f"message {message.message_id}: {len(message.body)} bytes are too many")

        def header(name: str) -> str | None:
            value = message.headers.get(f"{HEADER}{name}")
            return value if isinstance(value, str) else None

        try:
            return cls.model_validate(
                {
                    "id": header("id"),
                    "type": header("type"),
                    "at": header("time"),
                    "kind": header("kind"),
                    "subject": header("subject"),
                    "sequence": header("sequence"),
                    "actor_id": header("actorid"),
                    "actor_role": header("actorrole"),
                    "correlation_id": header("correlationid"),
                    "causation_id": header("causationid"),
                    "traceparent": header("traceparent"),
                    "body": message.body.decode(),
                }
            )
        except UnicodeDecodeError:
            raise Undecodable(f"message {message.message_id}: the body is not UTF-8") from None
        except ValidationError as error:
            raise Undecodable(f"message {message.message_id}: wrong are {where(error)}") from None
