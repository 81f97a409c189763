"""`sav replay heal`: a service has what it missed: what it keeps is as the logs have it, its reactions are told again."""

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
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_ops import history, queues, rebuild, rooms
from sav_ops.home import Problem
from sav_ops.parked import those
from sav_ops.progress import Tell, counting
from sav_ops.rebuild import Rebuilt
from sav_ops.steps import out

# So many are on their way at most, that what happens now does not wait for long behind what was missed.
BATCH = 500
IN_FLIGHT = 100
CONFIRM_TIMEOUT = 10
# Seconds without any progress after which nobody seems to work on them.
PATIENCE = 60.0

DONE = "SELECT handler, event_id FROM handled WHERE event_id = ANY($1)"
PARKED = "SELECT key::uuid FROM task WHERE use = 'parked' AND key = ANY($1::uuid[]::text[])"


class Fed(NamedTuple):
    """What a queue was sent, and how much of it is parked or still waits."""

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
    """What became of what a service keeps of others' events, and of its reactions, where it has any."""

    kept: Rebuilt
    reactions: Fed | None


def show(settings: Settings, service: str) -> bool:
    """Heal a service and print what came of it; False where something is parked or waits."""
    kept, reactions = asyncio.run(heal(settings, service))
    rebuild.name_wrongs(kept)
    state = "is right again" if kept.differences or kept.revocations else "lacks nothing"
    out.print(f"{service}: what it keeps of {kept.events:,} events {state}.")
    if reactions:
        out.print(f"{reactions}")
    return not (reactions and (reactions.parked or reactions.waiting))


async def heal(
    settings: Settings,
    name: str,
    batch: int = BATCH,
    patience: float = PATIENCE,
    on_its_way: float = rebuild.PATIENCE,
) -> Healed:
    """Make what a service keeps as the logs have it, then send it what its reactions missed, and wait for them.

    `on_its_way`: seconds in which a queue brings what is not lost.
    """
    [name] = those(name)
    service = rooms.load(name).load()
    queue = f"{name}.events"
    types = service.bindings().get(queue)
    if types:
        await expect_listener(settings, queue)
    with counting(name) as tell:
        kept = await rebuild.rebuild(settings, name, progress=tell, patience=on_its_way, unless_same=True)
    if not types:
        return Healed(kept, None)
    async with history.connected(settings, name) as own, exchange(settings) as default:
        healing = Healing(service, queue, own, default, patience)
        with counting(queue) as tell:
            return Healed(kept, await healing.feed(settings, types, batch, tell))


async def expect_listener(settings: Settings, queue: str) -> None:
    depth = (await queues.depths(settings.broker_url, [queue])).get(queue)
    if not depth or not depth.consumers:
        raise Problem(f"Nobody listens to {queue}: ./sav up")


@asynccontextmanager
async def exchange(settings: Settings) -> AsyncIterator[aio_pika.abc.AbstractExchange]:
    """The default exchange, which takes a message to the queue of that name alone."""
    async with await aio_pika.connect(settings.broker_url, timeout=5) as connection:
        yield (await connection.channel(publisher_confirms=True, on_return_raises=True)).default_exchange


async def not_reacted(
    service: Service, own: "asyncpg.Connection[Any]", told: Sequence[Envelope]
) -> list[Envelope]:
    """Those that not every reaction has done, unless they are parked."""
    ids = [envelope.id for envelope in told]
    done = {tuple(row) for row in await own.fetch(DONE, ids)}
    parked = await parked_among(own, ids)
    return [
        envelope
        for envelope in told
        if envelope.id not in parked
        and any((name, envelope.id) not in done for name in reactions(service, envelope))
    ]


def reactions(service: Service, envelope: Envelope) -> list[str]:
    return [
        reaction.__name__
        for event, chosen in service.reactions.items()
        if event.type_name() == envelope.type
        for reaction in chosen
    ]


async def parked_among(own: "asyncpg.Connection[Any]", ids: Sequence[UUID]) -> set[UUID]:
    return {row[0] for row in await own.fetch(PARKED, ids)}


class Healing:
    """Feeds a service's reactions, batch by batch: the next one goes when the last one is done or parked."""

    def __init__(
        self,
        service: Service,
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

    async def feed(self, settings: Settings, types: Sequence[str], batch: int, tell: Tell) -> Fed:
        """Send what was missed of every owner's log; stop where nobody works on it."""
        seen = sent = parked = waiting = 0
        owners = [owner for owner in rooms.SERVICES if any(type.startswith(f"{owner}.") for type in types)]
        async with history.opened(settings, owners) as logs:
            total = sum([await history.size(log, types) for log in logs.values()])
            for log in logs.values():
                async for told in history.read(log, types, batch):
                    seen += len(told)
                    if missing := await self._missed(told):
                        await self._send(missing)
                        sent += len(missing)
                        waiting = len(await self._settled(missing))
                        parked += len(await parked_among(self._own, [envelope.id for envelope in missing]))
                    tell(seen, total)
                    if waiting:
                        return Fed(self._queue, seen, sent, parked, waiting)
        return Fed(self._queue, seen, sent, parked, waiting)

    async def _missed(self, told: Sequence[Envelope]) -> list[Envelope]:
        return await not_reacted(self._service, self._own, told)

    async def _send(self, told: Sequence[Envelope]) -> None:
        """Published and confirmed, one at a time within an aggregate."""
        lanes: dict[UUID, list[Envelope]] = defaultdict(list)
        for envelope in told:
            lanes[envelope.subject].append(envelope)
        width = asyncio.Semaphore(IN_FLIGHT)

        async def publish(lane: list[Envelope]) -> None:
            for envelope in lane:
                async with width:
                    await self._default.publish(
                        envelope.to_amqp(), routing_key=self._queue, timeout=CONFIRM_TIMEOUT
                    )

        await asyncio.gather(*map(publish, lanes.values()))

    async def _settled(self, told: list[Envelope]) -> list[Envelope]:
        """Those that nobody has done or parked when nothing has moved for a while."""
        since = time.monotonic()
        while left := await self._missed(told):
            if len(left) < len(told):
                told, since = left, time.monotonic()
            elif time.monotonic() - since > self._patience:
                return left
            await asyncio.sleep(0.05)
        return []
