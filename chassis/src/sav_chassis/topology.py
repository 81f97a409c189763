"""Exchanges, queues and bindings. Every process declares all of them before it publishes anything."""

import asyncio
import json
from importlib.resources import files
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from aio_pika.exceptions import ChannelPreconditionFailed

from sav_chassis.startup_checks import CannotStart

log = structlog.get_logger()

COMMANDS = "sav.commands"
EVENTS = "sav.events"
DEAD = "sav.dead"

# A message that crashed its consumer this often goes to the dead-letter queue.
DELIVERY_LIMIT = 100
# Looking at a dead letter requeues it. RabbitMQ 4 drops a message after 20 deliveries unless the queue sets a limit.
# This is the largest limit that all versions accept: -1 means no limit in version 4, but an immediate drop up to 3.10.
LOOKS = 2**31 - 1


def published() -> dict[str, Any]:
    """The queues and stored names that were generated from the services' declarations."""
    text = (files("sav_contracts") / "topology.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


def wanted() -> dict[str, list[str]]:
    """Each queue with its routing keys."""
    return published()["queues"]  # type: ignore[no-any-return]


def queue_arguments(queue: str) -> dict[str, Any]:
    """Command queues are in memory, and messages expire. Event queues are quorum queues, so that no event is lost."""
    if queue.endswith(".commands"):
        return {}
    arguments: dict[str, Any] = {"x-queue-type": "quorum"}
    if queue == DEAD:
        return arguments | {"x-delivery-limit": LOOKS}
    arguments |= {
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    if queue.endswith(".events"):
        arguments["x-single-active-consumer"] = True
    return arguments


async def declare(channel: AbstractChannel) -> None:
    """Declares everything; `CannotStart` where the broker has one of them with other arguments."""
    try:
        await _declare(channel)
    except ChannelPreconditionFailed as error:
        raise CannotStart(
            f"the broker has another topology: {error}; when it is empty, delete it there and start again"
        ) from None


async def _declare(channel: AbstractChannel) -> None:
    commands = await channel.declare_exchange(COMMANDS, aio_pika.ExchangeType.DIRECT, durable=True)
    events = await channel.declare_exchange(EVENTS, aio_pika.ExchangeType.TOPIC, durable=True)
    dead = await channel.declare_exchange(DEAD, aio_pika.ExchangeType.FANOUT, durable=True)
    letters = await channel.declare_queue(DEAD, durable=True, arguments=queue_arguments(DEAD))
    await letters.bind(dead)
    for name, routing_keys in wanted().items():
        queue = await channel.declare_queue(name, durable=True, arguments=queue_arguments(name))
        if name.endswith(".commands"):
            await queue.bind(commands, routing_key=name.removesuffix(".commands"))
        for routing_key in routing_keys:
            await queue.bind(events, routing_key=routing_key)


async def dead_letters(connection: AbstractRobustConnection) -> int:
    """The number of messages in the dead-letter queue."""
    async with connection.channel() as channel:
        return (await channel.declare_queue(DEAD, passive=True)).declaration_result.message_count or 0


async def is_blocked(connection: AbstractRobustConnection) -> bool:
    """Whether the broker takes no messages from this connection now, because its memory or disk alarm is on.

    The broker tells only connections that have published.
    """
    if connection.transport is None:
        return False
    try:
        async with asyncio.timeout(0):
            await connection.transport.ready()
    except TimeoutError:
        return True
    return False


async def connect(url: str, name: str, every: float = 1) -> AbstractRobustConnection:
    """A connection that reconnects on its own, every `every` seconds. Waits for a broker that is still starting."""
    while True:
        try:
            return await aio_pika.connect_robust(
                url,
                client_properties={"connection_name": name},
                reconnect_interval=every,
                timeout=5,
            )
        except (ConnectionError, TimeoutError, aio_pika.exceptions.AMQPConnectionError) as error:
            log.warning("broker is away", error=str(error))
            await asyncio.sleep(1)
