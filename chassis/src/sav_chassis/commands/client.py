"""Sends commands and queries over the broker: one lasting reply queue, replies by correlation id, a deadline."""

import asyncio
import time
from typing import Any
from uuid import UUID

import aio_pika
import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection
from aio_pika.exceptions import AMQPError
from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from sav_chassis.envelope import INSIDE, Caller, Envelope
from sav_chassis.errors import DeadlinePassed, Problem, SavError, Unavailable
from sav_chassis.telemetry import tracing
from sav_chassis.topology import COMMANDS, is_blocked
from sav_chassis.vital_tasks import end
from sav_contracts.messages import Query, RequestMessage

log = structlog.get_logger()

# Seconds that the caller waits beyond the deadline: work may finish just in time.
GRACE = 1.0
# Seconds between two probe messages. A broker in alarm tells only connections that publish, and no command should be
# the first to find out.
FEEL = 1.0
# Seconds in which the broker must confirm a probe. A hanging broker is noticed after both times together.
CONFIRM_WITHIN = 4.0
# It is waited for in as many turns: where this process itself stood still, that is one of them.
TURNS = 4
# Seconds that a restored connection has to become usable: callers should be refused quickly.
AT_ONCE = 0.1


# Errors of a connection that was lost or is being restored.
BROKEN = (AMQPError, ConnectionError, RuntimeError)


class CommandEnvelope(BaseModel):
    """A command or query on its way to its owner."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    type: str
    body: bytes
    deadline: float
    token: str | None = None
    key: str | None = None
    caller: Caller = INSIDE
    # `id.version`, from `If-Match`: the first of these records that the command changes must be in one of these.
    expected: frozenset[str] = frozenset()
    correlation_id: UUID
    traceparent: str | None = None


class CommandReply(BaseModel):
    """The reply as JSON in the form for the caller, or the problem; and the events that the command caused."""

    model_config = ConfigDict(frozen=True)

    body: str | None = None
    problem: Problem | None = None
    events: list[Envelope] = []

    @classmethod
    def refusal(cls, error: SavError) -> "CommandReply":
        return cls(problem=error.problem)


class BrokerAway(Unavailable):
    en = "The message broker is away; nothing was done"
    fr = "La messagerie interne est injoignable ; rien n’a été fait"


class BrokerFull(Unavailable):
    retry_after: int = 5
    en = "The message broker takes no messages just now (alarm); nothing was done"
    fr = "La messagerie interne n’accepte pas de messages en ce moment (alarme) ; rien n’a été fait"


class NoAnswer(DeadlinePassed):
    owner: str
    retry_after: int = 2
    en = "{owner} did not answer in time; whether it was done is unknown: repeat it with the Idempotency-Key of this answer, and it is done once"
    fr = "{owner} n’a pas répondu à temps ; on ne sait pas si la demande a été exécutée : répétez-la avec l’Idempotency-Key de cette réponse, elle ne sera exécutée qu’une fois"


class NotAnswered(Unavailable):
    """A query changes nothing, so it is not to be repeated with its key: it is simply asked again."""

    owner: str
    en = "{owner} did not answer in time; ask again in a moment"
    fr = "{owner} n’a pas répondu à temps ; réessayez dans un instant"


class CommandClient:
    """Sends commands and queries; usable from `start` to `close`, by any number of callers at a time."""

    def __init__(self, connection: AbstractRobustConnection) -> None:
        self._connection = connection
        self._waiting: dict[str, asyncio.Future[CommandReply]] = {}
        # There is a connection, but the broker does not answer on it.
        self._hangs = False

    async def start(self) -> None:
        self._channel = await self._connection.channel(publisher_confirms=False)
        self._replies = await self._channel.declare_queue(exclusive=True, auto_delete=True)
        await self._replies.consume(self._on_reply, no_ack=True)
        self._feeler = await self._connection.channel()
        self._feeling = asyncio.create_task(self._feel(), name="feeling for the broker")

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the broker now."""
        return self._connection.connected.is_set() and not self._connection.is_closed

    async def expect_heard(self) -> None:
        """Raises `Unavailable` where the broker cannot be reached or takes no messages now; never waits for it."""
        if not self.connected:
            raise BrokerAway
        if await is_blocked(self._connection):
            raise BrokerFull
        if self._hangs:
            raise BrokerAway

    async def close(self) -> None:
        await end(self._feeling)
        await self._feeler.close()
        await self._channel.close()

    async def ask(
        self,
        message: RequestMessage[Any],
        seconds: float,
        *,
        token: str | None = None,
        key: str | None = None,
        caller: Caller = INSIDE,
        expected: frozenset[str] = frozenset(),
        correlation_id: UUID | None = None,
        traceparent: str | None = None,
    ) -> CommandReply:
        """The owner's reply. `Unavailable` where the message was not sent, `DeadlinePassed` where no reply came.

        A query that nobody answers is `Unavailable` too: nothing was done.
        """
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
            asked = aio_pika.Message(
                message.wire(),
                headers={name: value for name, value in headers.items() if value is not None},
                type=message.type_name(),
                message_id=str(id),
                correlation_id=str(id),
                reply_to=self._replies.name,
                expiration=seconds,
                content_type="application/json",
                # May hold a password, so the broker must never write it to disk.
                delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT,
            )
            answer = self._waiting[str(id)] = asyncio.get_running_loop().create_future()
            try:
                await self._send(asked, message.owner, seconds)
                return await asyncio.wait_for(answer, seconds + GRACE)
            except TimeoutError:
                unanswered = NotAnswered if isinstance(message, Query) else NoAnswer
                raise unanswered(owner=message.owner) from None
            finally:
                del self._waiting[str(id)]

    async def _send(self, asked: aio_pika.Message, owner: str, seconds: float) -> None:
        """Publishes the message. `Unavailable` where it was certainly not sent, `TimeoutError` where nobody knows."""
        await self.expect_heard()
        try:
            async with asyncio.timeout(AT_ONCE):
                await self._channel.ready()
                wire = await self._channel.get_underlay_channel()
        except (TimeoutError, *BROKEN) as error:
            log.warning("command not sent", command=asked.type, error=repr(error))
            raise BrokerAway from None
        if wire.is_closed:
            raise BrokerAway
        try:
            # Uses the channel beneath aio-pika's, which would wait for the next connection where this one breaks.
            await wire.basic_publish(
                asked.body,
                exchange=COMMANDS,
                routing_key=owner,
                properties=asked.properties,
                timeout=seconds,
            )
        except BROKEN as error:
            # It may have been sent before the connection broke.
            log.warning("command may not have been sent", command=asked.type, error=repr(error))
            raise TimeoutError from None
        except asyncio.CancelledError:
            # aiormq cancels what waits on a connection that breaks; this is not a request to stop.
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            log.warning("command may not have been sent: the connection broke", command=asked.type)
            raise TimeoutError from None

    async def _feel(self) -> None:
        nothing = aio_pika.Message(b"", delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT)
        while True:
            if blocked := await is_blocked(self._connection):
                # In an alarm the broker confirms nothing, so the probe would say nothing new.
                self._hangs = False
            if not self._hangs:
                await asyncio.sleep(FEEL)
            if blocked:
                continue
            hangs = not await self._confirms(nothing)
            if hangs != self._hangs:
                log.warning("the broker does not answer" if hangs else "the broker answers again")
                self._hangs = hangs

    async def _confirms(self, probe: aio_pika.Message) -> bool:
        """Whether the broker answers. True where the connection is lost, too: `connected` says so."""
        publish = self._feeler.default_exchange.publish
        feeling = asyncio.create_task(publish(probe, routing_key="sav.nobody", mandatory=False))
        try:
            for _ in range(TURNS):
                await asyncio.wait({feeling}, timeout=CONFIRM_WITHIN / TURNS)
            return feeling.done()
        finally:
            feeling.cancel()
            await asyncio.gather(feeling, return_exceptions=True)

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        waiting = self._waiting.get(message.correlation_id or "")
        if waiting and not waiting.done():
            waiting.set_result(CommandReply.model_validate_json(message.body))
