"""Exchanges, queues and bindings, declared whole by every process before it publishes anything."""

import asyncio
import json
from importlib.resources import files
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from aio_pika.exceptions import ChannelPreconditionFailed

from sav_chassis.fitness import Unfit

log = structlog.get_logger()

COMMANDS = "sav.commands"
EVENTS = "sav.events"
DEAD = "sav.dead"

# A message that crashed its consumer this often goes to the dead-letter queue.
DELIVERY_LIMIT = 100
# Whoever looks at a dead letter gives it back, and a broker from 4.0 on drops after 20 times what has no limit of its
# own. As high as all of them count; -1, which is none there, means at once to 3.10.
LOOKS = 2**31 - 1


def wanted() -> dict[str, list[str]]:
    """Queue to routing keys, as generated from the services' declarations."""
    text = (files("sav_contracts") / "topology.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


def queue_arguments(queue: str) -> dict[str, Any]:
    """Commands wait in memory and vanish when they expire; events are kept by a quorum, whatever happens."""
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
    """Declares everything; `Unfit` where the broker has a queue or exchange of that name with other arguments."""
    try:
        await _declare(channel)
    except ChannelPreconditionFailed as error:
        raise Unfit(
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


async def is_blocked(connection: AbstractRobustConnection) -> bool:
    """Whether the broker, in an alarm of its memory or disk, takes nothing from this connection just now.

    It says so to those who publish, once they do.
    """
    if connection.transport is None:
        return False
    try:
        async with asyncio.timeout(0):
            await connection.transport.ready()
    except TimeoutError:
        return True
    return False


async def connect(url: str, name: str) -> AbstractRobustConnection:
    """A connection that comes back by itself; waits for a broker that is still starting."""
    while True:
        try:
            return await aio_pika.connect_robust(
                url, client_properties={"connection_name": name}, reconnect_interval=1, timeout=5
            )
        except (ConnectionError, TimeoutError, aio_pika.exceptions.AMQPConnectionError) as error:
            log.warning("broker is away", error=str(error))
            await asyncio.sleep(1)
