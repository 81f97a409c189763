"""The consumer of a service's commands and queries, on FastStream; replicas share the queue."""

import asyncio
from typing import Any

import structlog
from aio_pika.abc import AbstractChannel
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage
from pydantic import ValidationError

from sav_chassis.commands.client import CommandEnvelope, CommandReply
from sav_chassis.commands.server import CommandServer
from sav_chassis.envelope import Caller
from sav_chassis.errors import where
from sav_chassis.events.consumers import settle

log = structlog.get_logger()

COMMANDS_AT_ONCE = 32


class CommandConsumer:
    """Passes what arrives to the command server, and replies."""

    channel: AbstractChannel
    # FastStream's subscriber; `Any`, since its private parts are used.
    _subscriber: Any

    def __init__(self, server: CommandServer, broker_url: str, queue: str) -> None:
        self._server = server
        self._broker = RabbitBroker(broker_url, logger=None, reconnect_interval=1.0, apply_types=False)
        self.queue = queue
        self._in_hand: set[asyncio.Task[CommandReply]] = set()

    async def start(self) -> None:
        subscribed = self._broker.subscriber(
            RabbitQueue(self.queue, declare=False),
            channel=Channel(prefetch_count=COMMANDS_AT_ONCE),
            ack_policy=AckPolicy.MANUAL,
            decoder=_as_it_is,
        )
        subscribed(self._receive)
        self._subscriber = subscribed
        # FastStream drops messages delivered before its start has returned, without acknowledging them.
        self._subscriber.running = True
        await self._broker.start()
        self.channel = self._subscriber._queue_obj.channel

    async def stop(self) -> None:
        """Takes nothing new, and answers what has arrived."""
        # FastStream waits for running messages before it cancels. Cancelling first lets a replica get the next ones.
        if self._subscriber._queue_obj and self._subscriber._consumer_tag:
            await settle(self._cancel)
        if self._in_hand:
            await asyncio.wait(self._in_hand)
        await self._broker.stop()

    async def _receive(self, message: RabbitMessage) -> bytes:
        try:
            ask = _read(message)
        except ValidationError as error:
            log.error(
                "message is not a command; dropped",
                message_id=message.raw_message.message_id,
                wrong=where(error),
            )
            await settle(message.ack)
            return b""
        # A lost connection cancels this task, but never a running transaction.
        answering = asyncio.create_task(self._server.answer(ask))
        self._in_hand.add(answering)
        answering.add_done_callback(self._in_hand.discard)
        reply = await asyncio.shield(answering)
        await settle(message.ack)
        return reply.model_dump_json().encode()

    async def _cancel(self) -> None:
        await self._subscriber._queue_obj.cancel(self._subscriber._consumer_tag)


async def _as_it_is(message: RabbitMessage) -> RabbitMessage:
    """Leaves the message as it is: FastStream would use a thread for each message to decode it."""
    return message


def _read(message: RabbitMessage) -> CommandEnvelope:
    raw = message.raw_message
    return CommandEnvelope.model_validate(
        {
            "id": raw.message_id,
            "type": raw.type,
            "body": raw.body,
            "deadline": raw.headers.get("deadline"),
            "token": raw.headers.get("token"),
            "key": raw.headers.get("key"),
            "caller": {name: raw.headers.get(name) for name in Caller._fields},
            "expected": str(raw.headers.get("expected") or "").split(),
            "correlation_id": raw.headers.get("conversation"),
            "traceparent": raw.headers.get("traceparent"),
        }
    )
