"""The broker's queues: messages and consumers, declaring and emptying."""

from collections.abc import Iterable
from typing import NamedTuple

import aio_pika

from sav_chassis import topology


class Depth(NamedTuple):
    messages: int
    consumers: int


async def depths(url: str, names: Iterable[str]) -> dict[str, Depth]:
    """Return the number of messages and consumers of each of these queues that exists."""
    found: dict[str, Depth] = {}
    async with await aio_pika.connect(url, timeout=5) as connection:
        for name in names:
            try:
                async with connection.channel() as channel:
                    result = (await channel.declare_queue(name, passive=True)).declaration_result
            except aio_pika.exceptions.ChannelNotFoundEntity:
                continue
            found[name] = Depth(result.message_count or 0, result.consumer_count or 0)
    return found


async def empty(url: str) -> None:
    """Remove every message from SAV's own queues, dead letters included."""
    async with await aio_pika.connect(url, timeout=5) as connection:
        for name in await depths(url, [*topology.wanted(), topology.DEAD]):
            async with connection.channel() as channel:
                await (await channel.get_queue(name)).purge()


async def declare(url: str) -> int:
    """Declare every exchange, queue and binding; return how many queues there are."""
    async with await aio_pika.connect(url, timeout=5) as connection, connection.channel() as channel:
        await topology.declare(channel)
    return len(topology.wanted())
