"""The toys' queues on the real broker, and an ear that hears whatever is published about toys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractRobustConnection

from sav_chassis import topology
from sav_chassis.envelope import Envelope
from sav_chassis.service import Service

QUEUES = ("toy.commands", "toy.events", "toy.views")


async def remove(channel: AbstractChannel) -> None:
    """Removes the toys' queues and what is in them."""
    for name in QUEUES:
        await channel.queue_delete(name, if_unused=False, if_empty=False)


async def declare(channel: AbstractChannel, toys: Service) -> None:
    """Makes the queues of this service anew, bound as its declarations say."""
    await remove(channel)
    for name, types in toys.bindings().items():
        queue = await channel.declare_queue(name, durable=True, arguments=topology.queue_arguments(name))
        if name == "toy.commands":
            await queue.bind(topology.COMMANDS, routing_key="toy")
        for type_name in types:
            await queue.bind(topology.EVENTS, routing_key=type_name)


async def send(channel: AbstractChannel, queue: str, *messages: aio_pika.Message | Envelope) -> None:
    """Puts messages into a queue, in this order."""
    for message in messages:
        amqp = message.to_amqp() if isinstance(message, Envelope) else message
        await channel.default_exchange.publish(amqp, routing_key=queue)


async def waiting(connection: AbstractRobustConnection, queue: str) -> int:
    """How many messages a queue holds that nobody has in hand."""
    # A robust channel answers the second time with what it knew the first time.
    async with connection.channel() as fresh:
        return (await fresh.declare_queue(queue, passive=True)).declaration_result.message_count or 0


async def dead_letters(channel: AbstractChannel) -> list[AbstractIncomingMessage]:
    """Takes what is in the dead-letter queue."""
    queue = await channel.get_queue(topology.DEAD, ensure=False)
    letters = []
    while letter := await queue.get(fail=False):
        await letter.ack()
        letters.append(letter)
    return letters


class Ear:
    """What was published about toys, in the order in which it came."""

    def __init__(self) -> None:
        self.heard: list[AbstractIncomingMessage] = []

    def sequences(self, subject: UUID) -> list[int]:
        return [e.sequence for e in map(Envelope.from_amqp, self.heard) if e.subject == subject]

    def first_hearings(self, subject: UUID) -> list[int]:
        """The same without what was heard before."""
        return list(dict.fromkeys(self.sequences(subject)))

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        self.heard.append(message)


@asynccontextmanager
async def listening(connection: AbstractRobustConnection, types: str = "toy.#") -> AsyncIterator[Ear]:
    """An ear for these types, for as long as this lasts."""
    ear = Ear()
    async with connection.channel() as channel:
        queue = await channel.declare_queue(exclusive=True, auto_delete=True)
        await queue.bind(topology.EVENTS, routing_key=types)
        await queue.consume(ear._hear, no_ack=True)
        yield ear


@asynccontextmanager
async def unheard(channel: AbstractChannel) -> AsyncIterator[None]:
    """No queue takes what is published about toys, but an ear's."""
    await remove(channel)
    everything = await channel.get_queue("edge.views")
    await everything.unbind(topology.EVENTS, routing_key="#")
    try:
        yield
    finally:
        await everything.bind(topology.EVENTS, routing_key="#")
