"""`sav replay heal`: corrects a service's read side from the logs, and sends its reactions the events they missed."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import aio_pika
import asyncpg

from sav_chassis.envelope import Envelope
from sav_chassis.settings import Settings
from sav_ops import queues, rooms
from sav_ops.databases import connected, opened
from sav_ops.home import OpsError
from sav_ops.parked.skip import SKIPPED
from sav_ops.parked.task_list import undone
from sav_ops.replay import event_logs, rebuild
from sav_ops.replay.rebuild import Rebuilt
from sav_ops.rooms import chosen_services
from sav_ops.statements import DONE, GIVEN_UP, LATER_OF_RECORD, PARKED, TAKE_BACK
from sav_ops.terminal.console import out
from sav_ops.terminal.progress_bar import Tell, counting

# How many old events are in flight at most, so that new ones do not wait long behind them.
BATCH = 500
IN_FLIGHT = 100
CONFIRM_TIMEOUT = 10
# Seconds without progress after which heal stops: it seems that nobody consumes the queue.
PATIENCE = 60.0


class FeedResult(NamedTuple):
    """How many events were read, sent to a queue, and are parked or still wait there."""

    queue: str
    read: int
    sent: int
    parked: int
    waiting: int

    def __str__(self) -> str:
        if not self.sent:
            return f"{self.queue}: nothing was missed of {self.read:,} events; nothing was sent."
        done = self.sent - self.parked - self.waiting
        rest = f", {self.parked:,} parked (./sav parked)" if self.parked else ""
        rest += f", {self.waiting:,} still in the queue" if self.waiting else ""
        return (
            f"{self.queue}: {self.sent:,} of {self.read:,} events were missed and sent: {done:,} done{rest}."
        )


class Healed(NamedTuple):
    """The results for a service's read side, and for its reactions (None if it has none)."""

    kept: Rebuilt
    reactions: FeedResult | None


def show(settings: Settings, service: str, skipped: bool = False) -> bool:
    """Heal a service and print the result; False if something is parked or still waits.

    `skipped`: also do what an operator has skipped.
    """
    for line in asyncio.run(ask_again(settings, service)) if skipped else ():
        out.print(line, markup=False, soft_wrap=True)
    kept, reactions = asyncio.run(heal(settings, service))
    rebuild.name_wrongs(kept)
    state = "is right again" if kept.differences or kept.revocations else "lacks nothing"
    out.print(f"{service}: what it keeps of {kept.events:,} events {state}.")
    if reactions:
        out.print(f"{reactions}")
    return not (reactions and (reactions.parked or reactions.waiting))


def show_everything(settings: Settings) -> bool:
    """Heal every service and the read model, and print the results; False if something is parked or still waits."""
    whole = True
    for service in rooms.SERVICES:
        whole &= show(settings, service)
    with counting(rooms.EDGE) as tell:
        kept = asyncio.run(rebuild.rebuild(settings, rooms.EDGE, progress=tell, unless_same=True))
    rebuild.name_wrongs(kept)
    out.print(f"{rooms.EDGE}: what it shows of {kept.events:,} events is right.")
    return whole


async def ask_again(settings: Settings, name: str) -> list[str]:
    """Take back the skips of events, except where the reaction has done a later event of the record; return notes."""
    notes: list[str] = []
    async with connected(settings, name) as own, opened(settings, rooms.SERVICES) as logs:
        for handler, id, *_ in reversed(await own.fetch(GIVEN_UP, SKIPPED)):
            if " " in handler:  # a timer or an effect: it has no event
                continue
            later = [row["id"] for log in logs.values() for row in await log.fetch(LATER_OF_RECORD, id)]
            if any(row["handler"] == handler for row in await own.fetch(DONE, later)):
                notes.append(f"{handler} of {id} stays skipped: it has done a later event of the record.")
            else:
                await own.execute(TAKE_BACK, handler, id)
                notes.append(f"{handler} of {id} is no longer skipped.")
    return notes


async def heal(
    settings: Settings,
    name: str,
    batch: int = BATCH,
    patience: float = PATIENCE,
    on_its_way: float = rebuild.PATIENCE,
) -> Healed:
    """Correct a service's read side from the logs, then send its reactions what they missed, and wait for them.

    `on_its_way`: seconds to wait for events that are not lost but still in the queue.
    OpsError if nobody consumes the service's event queue.
    """
    [name] = chosen_services(name)
    service = rooms.load(name).load()
    queue = f"{name}.events"
    types = service.bindings().get(queue)
    if types:
        await expect_listener(settings, queue)
    with counting(name) as tell:
        kept = await rebuild.rebuild(settings, name, progress=tell, patience=on_its_way, unless_same=True)
    if not types:
        return Healed(kept, None)
    async with connected(settings, name) as own, exchange(settings) as default:
        healing = Healing(name, queue, own, default, patience)
        with counting(queue) as tell:
            return Healed(kept, await healing.feed(settings, types, batch, tell))


async def expect_listener(settings: Settings, queue: str) -> None:
    depth = (await queues.depths(settings.broker_url, [queue])).get(queue)
    if not depth or not depth.consumers:
        raise OpsError(f"Nobody listens to {queue}: ./sav up")


@asynccontextmanager
async def exchange(settings: Settings) -> AsyncIterator[aio_pika.abc.AbstractExchange]:
    """The default exchange, which routes a message to exactly the queue that its routing key names."""
    async with await aio_pika.connect(settings.broker_url, timeout=5) as connection:
        yield (await connection.channel(publisher_confirms=True, on_return_raises=True)).default_exchange


async def not_reacted(
    service: str, own: "asyncpg.Connection[Any]", envelopes: Sequence[Envelope]
) -> list[Envelope]:
    """Return the events that some reaction has not done and that are not parked."""
    left = await undone(own, service, {event.id: (event.type, event.at) for event in envelopes})
    parked = await parked_among(own, list(left))
    return [event for event in envelopes if left[event.id] and event.id not in parked]


async def parked_among(own: "asyncpg.Connection[Any]", ids: Sequence[UUID]) -> set[UUID]:
    return {row[0] for row in await own.fetch(PARKED, ids)}


class Healing:
    """Sends a service's reactions missed events in batches; the next goes when the last is done or parked."""

    def __init__(
        self,
        service: str,
        queue: str,
        own: "asyncpg.Connection[Any]",
        default: aio_pika.abc.AbstractExchange,
        patience: float,
    ) -> None:
        self._service = service
        self._queue = queue
        self._own = own
        self._default = default
        self._patience = patience

    async def feed(self, settings: Settings, types: Sequence[str], batch: int, tell: Tell) -> FeedResult:
        """Send the missed events of every owner's log; stop if nobody works on them."""
        seen = sent = parked = waiting = 0
        owners = [owner for owner in rooms.SERVICES if any(type.startswith(f"{owner}.") for type in types)]
        async with opened(settings, owners) as logs:
            total = sum([await event_logs.size(log, types) for log in logs.values()])
            for log in logs.values():
                async for envelopes in event_logs.read(log, types, batch):
                    seen += len(envelopes)
                    if missing := await self._missed(envelopes):
                        await self._send(missing)
                        sent += len(missing)
                        waiting = len(await self._settled(missing))
                        parked += len(await parked_among(self._own, [envelope.id for envelope in missing]))
                    tell(seen, total)
                    if waiting:
                        return FeedResult(self._queue, seen, sent, parked, waiting)
        return FeedResult(self._queue, seen, sent, parked, waiting)

    async def _missed(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        return await not_reacted(self._service, self._own, envelopes)

    async def _send(self, envelopes: Sequence[Envelope]) -> None:
        """Publish with confirms, one event at a time of each aggregate."""
        by_subject: dict[UUID, list[Envelope]] = defaultdict(list)
        for envelope in envelopes:
            by_subject[envelope.subject].append(envelope)
        width = asyncio.Semaphore(IN_FLIGHT)

        async def publish(envelopes_of_subject: list[Envelope]) -> None:
            for envelope in envelopes_of_subject:
                async with width:
                    await self._default.publish(
                        envelope.to_amqp(), routing_key=self._queue, timeout=CONFIRM_TIMEOUT
                    )

        await asyncio.gather(*map(publish, by_subject.values()))

    async def _settled(self, envelopes: list[Envelope]) -> list[Envelope]:
        """Wait until all are done or parked; return those left after `patience` seconds without progress."""
        since = time.monotonic()
        while left := await self._missed(envelopes):
            if len(left) < len(envelopes):
                envelopes, since = left, time.monotonic()
            elif time.monotonic() - since > self._patience:
                return left
            await asyncio.sleep(0.05)
        return []
