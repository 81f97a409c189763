"""How fast the relay drains a full outbox, beside raw aio-pika that publishes the same bodies from memory."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial

import aio_pika
from apart import apart
from harness import Aim, Contender, Figures, Measured, interleaved
from news import broker, count, database, logged, only_queue, prepared, published, same, stories, waiting

from sav_chassis.database import opened
from sav_chassis.events import relay as relaying
from sav_chassis.events.relay import Relay
from sav_chassis.settings import Settings
from sav_chassis.topology import EVENTS

NUMBER = 12_000
QUEUE = "edge.views"
ROOM = "claims"
IN_FLIGHT = 500
RAW = "aio-pika, 500 in flight"
UNCHAINED = "SAV, its log not chained"


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Events/s out of the outbox of one service, to one exchange with one quorum queue, confirmed."""
    settings = await prepared(settings, ROOM)
    told = stories(number)

    async def ours(chained: bool = True) -> Figures:
        await only_queue(settings, QUEUE)
        await logged(settings, ROOM, told, unpublished=True)
        async with apart(drain, settings, chained=chained) as part:
            seconds = await part.says()
        same(await count(settings, ROOM, "outbox"), 0, "events in the outbox")
        await waiting(settings, QUEUE, number)
        return {"events/s": number / seconds}

    async def raw() -> Figures:
        await only_queue(settings, QUEUE)
        await logged(settings, ROOM, told, unpublished=False)
        async with apart(publish, settings) as part:
            seconds = await part.says()
        await waiting(settings, QUEUE, number)
        return {"events/s": number / seconds}

    measured = await interleaved(
        "Relay: a full outbox",
        [Contender("SAV", ours), Contender(UNCHAINED, partial(ours, False)), Contender(RAW, raw)],
        [Aim("events/s", 0.8, against=RAW)],
        rounds,
    )
    size = sum(len(envelope.body.encode()) for envelope in told) / number
    measured.notes.append(
        f"{number:,} events of {number // 6:,} réclamations, {size:,.0f} bytes each, to one quorum queue; every one was "
        "found there. The process that publishes, the broker and the database share the machine. A third of the relay's "
        "time goes into the 14 headers of an event (CloudEvents), which pamqp encodes in Python; the raw one has none."
    )
    return measured


async def drain(settings: Settings, chained: bool) -> AsyncIterator[float]:
    """The relay as a service runs it, or without the chain; from its start until the outbox is empty."""
    if not chained:
        relaying.CHAIN = "SELECT $1::bigint[]"
    async with opened(settings, ROOM) as rows, broker(settings) as (connection, _):
        relay = Relay(rows, connection)
        began = time.perf_counter()
        running = asyncio.create_task(relay.run())
        await published(rows)
        took = time.perf_counter() - began
        relay.stop()
        await running
        yield took


async def publish(settings: Settings) -> AsyncIterator[float]:
    """As fast as the library goes: no outbox, no headers, no order, but persistent, mandatory and confirmed."""
    async with database(settings, ROOM) as log:
        rows = await log.fetch("SELECT id, type, body FROM event_log ORDER BY position")
    async with broker(settings) as (_, channel):
        exchange = await channel.get_exchange(EVENTS, ensure=False)
        width = asyncio.Semaphore(IN_FLIGHT)

        async def one(id: str, type: str, body: str) -> None:
            async with width:
                message = aio_pika.Message(
                    body.encode(), message_id=str(id), delivery_mode=aio_pika.DeliveryMode.PERSISTENT
                )
                await exchange.publish(message, routing_key=type)

        began = time.perf_counter()
        await asyncio.gather(*(one(*row) for row in rows))
        yield time.perf_counter() - began
