"""Consumers of the event queues, on aio-pika directly: reactions by key, projections in batches.

FastStream starts each delivery as a task behind middlewares that may await, and waits for running tasks before it
cancels the consumer. The order that reactions promise needs the opposite of both.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError

from sav_chassis import backoff
from sav_chassis.database import Database, is_away
from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.events.keyed_executor import KeyedExecutor
from sav_chassis.events.reactor import Reactor
from sav_chassis.telemetry import metrics
from sav_chassis.views import RecordedEvent
from sav_chassis.vital_tasks import vital
from sav_contracts.messages import Event

log = structlog.get_logger()

PREFETCH_REACTIONS = 64
REACTIONS_AT_ONCE = 8
PREFETCH_VIEWS = 400
BATCH = 200
# A projection does not park events. One that fails this often is rejected, for an operator to look at.
TRIES = 5


# Seconds. On a connection that the broker closed while this process stood still, aiormq may wait for ever.
SETTLED_WITHIN = 10.0


async def settle(acknowledge: Callable[[], Awaitable[None]]) -> None:
    """Acknowledges or rejects. Where the channel is gone, the message is redelivered and the inbox recognises it."""
    try:
        async with asyncio.timeout(SETTLED_WITHIN):
            await acknowledge()
    except TimeoutError:
        log.warning("not acknowledged in time; it will be redelivered")
    except (ChannelInvalidStateError, AMQPError, ConnectionError) as error:
        log.info("not acknowledged; it will be redelivered", error=repr(error))
    except asyncio.CancelledError:
        # aiormq cancels tasks that wait on a stuck connection; this is not a request to stop.
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        log.info("not acknowledged on a stuck connection; it will be redelivered")


async def decode(message: AbstractIncomingMessage) -> RecordedEvent | None:
    """The event of a delivery; None where it is undecodable and was sent to the dead-letter queue."""
    try:
        envelope = Envelope.from_amqp(message)
        return envelope, envelope.event()
    except Undecodable as error:
        log.error("undecodable message goes to the dead-letter queue", error=str(error))
        await settle(partial(message.reject, requeue=False))
        return None


class ReactionConsumer:
    """Passes events to a service's reactions. The broker keeps one replica active; the others stand by."""

    def __init__(self, reactor: Reactor, broker: AbstractRobustConnection, queue: str) -> None:
        self._reactor = reactor
        self._broker = broker
        self.queue = queue
        self._executor = KeyedExecutor(REACTIONS_AT_ONCE)

    async def start(self) -> None:
        self.channel = await self._broker.channel()
        await self.channel.set_qos(PREFETCH_REACTIONS)
        queue = await self.channel.get_queue(self.queue)
        await queue.consume(self._on_message)

    async def stop(self) -> None:
        """Starts nothing more, finishes and acknowledges what runs, then closes the channel.

        If the consumer were cancelled first, the standby could overtake the events that still run here.
        """
        await self._executor.close()
        await self.channel.close()

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        recorded = await decode(message)
        if recorded:
            self._executor.put(recorded[0].subject, partial(self._take, message, *recorded))

    async def _take(self, message: AbstractIncomingMessage, envelope: Envelope, event: Event) -> None:
        await self._reactor.take(envelope, event)
        await settle(message.ack)


class ViewConsumer:
    """Passes batches of events to a projection. Replicas share the queue; versions make the order irrelevant."""

    def __init__(
        self,
        apply: Callable[[Sequence[RecordedEvent]], Awaitable[None]],
        database: Database,
        broker: AbstractRobustConnection,
        queue: str,
    ) -> None:
        self._apply = apply
        self._database = database
        self._broker = broker
        self.queue = queue
        # None ends the work.
        self._arrived: asyncio.Queue[tuple[AbstractIncomingMessage, RecordedEvent] | None] = asyncio.Queue()

    async def start(self) -> None:
        self.channel = await self._broker.channel()
        await self.channel.set_qos(PREFETCH_VIEWS)
        self._consumed = await self.channel.get_queue(self.queue)
        self._tag = await self._consumed.consume(self._on_message)
        self._stopping = False
        self._worker = vital(asyncio.create_task(self._work(), name=f"projection of {self.queue}"))

    async def stop(self) -> None:
        """Takes nothing new, finishes the current batch and closes. The remaining messages go to another replica."""
        await settle(self._cancel)
        self._stopping = True
        self._arrived.put_nowait(None)
        await self._worker
        await self.channel.close()

    async def _cancel(self) -> None:
        await self._consumed.cancel(self._tag)

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        recorded = await decode(message)
        if recorded:
            self._arrived.put_nowait((message, recorded))

    async def _work(self) -> None:
        while (first := await self._arrived.get()) is not None and not self._stopping:
            batch = [first]
            while len(batch) < BATCH and not self._arrived.empty():
                following = self._arrived.get_nowait()
                if following is None:
                    self._arrived.put_nowait(None)
                    break
                batch.append(following)
            await self._finish(batch)

    async def _finish(self, batch: list[tuple[AbstractIncomingMessage, RecordedEvent]]) -> None:
        """Applies and acknowledges a batch.

        Where it fails, each event is tried alone; one that fails again and again is rejected.
        """
        tries = 0
        while True:
            try:
                await self._apply([recorded for _, recorded in batch])
                break
            except Exception as error:
                if is_away(error):
                    await self._database.wait_until_available()
                    continue
                tries += 1
                log.warning("events not projected", events=len(batch), tries=tries, error=repr(error))
                if len(batch) > 1:
                    for one in batch:
                        await self._finish([one])
                    return
                if tries == TRIES:
                    message, (envelope, _) = batch[0]
                    log.exception("event goes to the dead-letter queue", event_id=str(envelope.id))
                    await settle(partial(message.reject, requeue=False))
                    return
                await asyncio.sleep(backoff.pause(tries, 0.2))
        for _, (envelope, _) in batch:
            metrics.VIEW_SECONDS.observe(metrics.since(envelope.at))
        # Together: on a stuck connection each of them waits.
        await asyncio.gather(*(settle(message.ack) for message, _ in batch))
