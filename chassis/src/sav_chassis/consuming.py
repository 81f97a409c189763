"""Consumers of the event queues, on aio-pika directly: reactions in keyed lanes, projections in batches.

FastStream starts each delivery as a task of its own behind middlewares that may await, and drains before it cancels;
the order that reactions promise needs both the other way round.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError

from sav_chassis import metrics
from sav_chassis.database import Database, is_away
from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.lanes import Lanes
from sav_chassis.projector import Told
from sav_chassis.reacting import Reactor
from sav_chassis.vital import vital

log = structlog.get_logger()

PREFETCH_REACTIONS = 64
REACTIONS_AT_ONCE = 8
PREFETCH_VIEWS = 400
BATCH = 200
# A projection has no parking: an event that it cannot apply alone this often is for a person.
TRIES = 5


async def settle(acknowledge: Callable[[], Awaitable[None]]) -> None:
    """Acks or rejects. On a channel that is gone the message comes again, and is known."""
    try:
        await acknowledge()
    except (ChannelInvalidStateError, AMQPError, ConnectionError) as error:
        log.info("not acknowledged; it comes again", error=repr(error))
    except asyncio.CancelledError:
        # aiormq cancels what waits on a connection that is stuck; that is not a wish to stop us.
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        log.info("not acknowledged on a stuck connection; it comes again")


async def decode(message: AbstractIncomingMessage) -> Told | None:
    """The event of a delivery; None where it is undecodable and now in the dead-letter queue."""
    try:
        envelope = Envelope.from_amqp(message)
        return envelope, envelope.event()
    except Undecodable as error:
        log.error("undecodable message goes to the dead-letter queue", error=str(error))
        await settle(partial(message.reject, requeue=False))
        return None


class ReactionConsumer:
    """Feeds a service's reactions; one replica is active, the broker lets the others stand by."""

    def __init__(
        self, reactor: Reactor, database: Database, broker: AbstractRobustConnection, queue: str
    ) -> None:
        self._reactor = reactor
        self._database = database
        self._broker = broker
        self.queue = queue
        self._lanes = Lanes(REACTIONS_AT_ONCE)

    async def start(self) -> None:
        self.channel = await self._broker.channel()
        await self.channel.set_qos(PREFETCH_REACTIONS)
        queue = await self.channel.get_queue(self.queue)
        await queue.consume(self._on_message)

    async def stop(self) -> None:
        """Starts nothing more, finishes and acks what runs, then closes the channel.

        Cancelling the consumer first would let the standby overtake what is still in hand.
        """
        await self._lanes.close()
        await self.channel.close()

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        told = await decode(message)
        if told:
            self._lanes.put(told[0].subject, partial(self._react, message, told))

    async def _react(self, message: AbstractIncomingMessage, told: Told) -> None:
        while True:
            try:
                await self._reactor.take(*told)
                break
            except Exception as error:
                if not is_away(error):
                    log.exception("reaction could not even be parked", event_id=str(told[0].id))
                await self._database.back()
                await asyncio.sleep(0.5)
        await settle(message.ack)


class ViewConsumer:
    """Feeds a projection with batches; replicas share the queue, the version guard makes order irrelevant."""

    def __init__(
        self,
        apply: Callable[[Sequence[Told]], Awaitable[None]],
        database: Database,
        broker: AbstractRobustConnection,
        queue: str,
    ) -> None:
        self._apply = apply
        self._database = database
        self._broker = broker
        self.queue = queue
        # None ends the work.
        self._arrived: asyncio.Queue[tuple[AbstractIncomingMessage, Told] | None] = asyncio.Queue()

    async def start(self) -> None:
        self.channel = await self._broker.channel()
        await self.channel.set_qos(PREFETCH_VIEWS)
        self._consumed = await self.channel.get_queue(self.queue)
        self._tag = await self._consumed.consume(self._on_message)
        self._stopping = False
        self._worker = vital(asyncio.create_task(self._work(), name=f"projection of {self.queue}"))

    async def stop(self) -> None:
        """Takes nothing new, finishes the batch in hand, closes; the rest goes to another replica."""
        await settle(self._cancel)
        self._stopping = True
        self._arrived.put_nowait(None)
        await self._worker
        await self.channel.close()

    async def _cancel(self) -> None:
        await self._consumed.cancel(self._tag)

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        told = await decode(message)
        if told:
            self._arrived.put_nowait((message, told))

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

    async def _finish(self, batch: list[tuple[AbstractIncomingMessage, Told]]) -> None:
        """Applies and acks a batch; where that fails, one by one, and what fails again and again is rejected."""
        tries = 0
        while True:
            try:
                await self._apply([told for _, told in batch])
                break
            except Exception as error:
                if await self._database.is_the_cause_of(error):
                    await self._database.back()
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
                await asyncio.sleep(0.1 * 2**tries)
        for _, (envelope, _) in batch:
            metrics.VIEW_SECONDS.observe(metrics.since(envelope.at))
        for message, _ in batch:
            await settle(message.ack)
