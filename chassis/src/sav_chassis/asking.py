"""Asking a service over the broker: one long-lived reply queue, answers by correlation id, a deadline."""

import asyncio
import time
from typing import Any, NamedTuple
from uuid import UUID

import aio_pika
import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from sav_chassis import tracing
from sav_chassis.envelope import Envelope
from sav_chassis.errors import DeadlinePassed, Problem, SavError, Unavailable
from sav_chassis.topology import COMMANDS, is_blocked
from sav_chassis.vital import end
from sav_contracts.messages import Asked

log = structlog.get_logger()

# How much longer than the deadline the caller waits for the answer of work that was done in time.
GRACE = 1.0
# Seconds between two publishes to nobody. A broker in alarm says so to who publishes: no command shall be the first.
FEEL = 1.0


class Caller(NamedTuple):
    """From where somebody asks, as the edge sees it: client address and user agent; None for SAV itself."""

    address: str | None = None
    agent: str | None = None


# Who asks is SAV itself.
INSIDE = Caller()


class Ask(BaseModel):
    """A command or query on its way to its owner."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    type: str
    body: bytes
    deadline: float
    token: str | None = None
    key: str | None = None
    caller: Caller = INSIDE
    # `id.version`: of the first of these records that it changes, one of these versions is meant.
    expected: frozenset[str] = frozenset()
    correlation_id: UUID
    traceparent: str | None = None


class Answer(BaseModel):
    """The reply as JSON in the form the caller may see, or the problem, and the events that came of it."""

    model_config = ConfigDict(frozen=True)

    body: str | None = None
    problem: Problem | None = None
    events: list[Envelope] = []

    @classmethod
    def refusal(cls, error: SavError) -> "Answer":
        return cls(problem=error.problem)


class CommandClient:
    """Asks; usable from `start` to `close`, by any number of callers at once."""

    def __init__(self, connection: AbstractRobustConnection) -> None:
        self._connection = connection
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    async def start(self) -> None:
        self._channel = await self._connection.channel(publisher_confirms=False)
        self._replies = await self._channel.declare_queue(exclusive=True, auto_delete=True)
        await self._replies.consume(self._on_reply, no_ack=True)
        self._feeling = asyncio.create_task(self._feel(), name="feeling for an alarm")

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached just now."""
        return self._connection.connected.is_set() and not self._connection.is_closed

    async def is_heard(self) -> bool:
        """Whether the broker can be reached and takes messages just now."""
        return self.connected and not await is_blocked(self._connection)

    async def close(self) -> None:
        await end(self._feeling)
        await self._channel.close()

    async def ask(
        self,
        message: Asked[Any],
        seconds: float,
        *,
        token: str | None = None,
        key: str | None = None,
        caller: Caller = INSIDE,
        expected: frozenset[str] = frozenset(),
        correlation_id: UUID | None = None,
        traceparent: str | None = None,
    ) -> Answer:
        """The owner's answer. `Unavailable` where it could not even be asked, `DeadlinePassed` without an answer."""
        id = uuid7()
        conversation = correlation_id or id
        with tracing.message("send", message.type_name(), COMMANDS, id, conversation, traceparent) as span:
            headers = {
                "deadline": repr(time.time() + seconds),
                "token": token,
                "key": key,
                **caller._asdict(),
                "expected": " ".join(expected) or None,
                "conversation": str(conversation),
                "traceparent": span.traceparent,
            }
            return await self._ask(message, seconds, id, headers)

    async def _ask(
        self, message: Asked[Any], seconds: float, id: UUID, headers: dict[str, str | None]
    ) -> Answer:
        asked = aio_pika.Message(
            message.wire(),
            headers={name: value for name, value in headers.items() if value is not None},
            type=message.type_name(),
            message_id=str(id),
            correlation_id=str(id),
            reply_to=self._replies.name,
            expiration=seconds,
            content_type="application/json",
            # May hold a password: never written to the broker's disk.
            delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT,
        )
        answer = self._waiting[str(id)] = asyncio.get_running_loop().create_future()
        try:
            await self._send(asked, message.owner, seconds)
            return await asyncio.wait_for(answer, seconds + GRACE)
        except TimeoutError:
            raise DeadlinePassed(
                f"{message.owner} did not answer in time; whether it was done is unknown: "
                "repeat it with the Idempotency-Key of this answer, and it is done once",
                retry_after=2,
            ) from None
        finally:
            del self._waiting[str(id)]

    async def _send(self, asked: aio_pika.Message, owner: str, seconds: float) -> None:
        away = Unavailable("the message broker is away; nothing was done", retry_after=2)
        try:
            async with asyncio.timeout(seconds):
                await self._channel.get_underlay_channel()
                exchange = await self._channel.get_exchange(COMMANDS, ensure=False)
        except (TimeoutError, AMQPError, ConnectionError, RuntimeError) as error:
            log.warning("command not sent", command=asked.type, error=repr(error))
            raise away from None
        if await is_blocked(self._connection):
            raise Unavailable(
                "the message broker takes no messages just now (alarm); nothing was done", retry_after=5
            )
        try:
            async with asyncio.timeout(seconds):
                await exchange.publish(asked, routing_key=owner)
        except ChannelInvalidStateError:
            raise away from None
        except (AMQPError, ConnectionError, RuntimeError) as error:
            # It may have left before the connection broke.
            log.warning("command perhaps not sent", command=asked.type, error=repr(error))
            raise TimeoutError from None

    async def _feel(self) -> None:
        nothing = aio_pika.Message(b"", delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT)
        while True:
            await asyncio.sleep(FEEL)
            if await self.is_heard():
                publish = self._channel.default_exchange.publish
                sending = publish(nothing, routing_key="sav.nobody", mandatory=False, timeout=FEEL)
                # Whatever becomes of it: where the broker is away, `connected` says so.
                await asyncio.gather(sending, return_exceptions=True)

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        waiting = self._waiting.get(message.correlation_id or "")
        if waiting and not waiting.done():
            waiting.set_result(Answer.model_validate_json(message.body))
