"""A process: everything a service needs, started in an order in which nothing is lost, stopped in the reverse."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog
import uvloop
from aio_pika.abc import AbstractRobustConnection
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage
from pydantic import ValidationError
from uuid_utils.compat import uuid7

from sav_chassis import metrics, topology, tracing
from sav_chassis.answering import Answerer
from sav_chassis.asking import Answer, Ask, Caller
from sav_chassis.consuming import ReactionConsumer, ViewConsumer, settle
from sav_chassis.database import Database, opened
from sav_chassis.effecting import Effects
from sav_chassis.envelope import Context
from sav_chassis.errors import where
from sav_chassis.fitness import Unfit
from sav_chassis.health import Health
from sav_chassis.logs import configure
from sav_chassis.projecting import take_in
from sav_chassis.reacting import Reactor
from sav_chassis.relay import Relay
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.tasks import Worker
from sav_chassis.timing import Timers
from sav_chassis.tx import Tx, transaction
from sav_chassis.vital import end, vital
from sav_contracts.actor import SYSTEM

log = structlog.get_logger()

COMMANDS_AT_ONCE = 32
# Seconds a stop may take before what is still in hand is left to be redelivered.
STOP_WITHIN = 9.0
ANSWERS_KEPT = "48 hours"


@asynccontextmanager
async def serving(service: Service, settings: Settings) -> AsyncIterator[Health]:
    """The service at work, inside the `async with`, and what it says of itself."""
    for check in service.checks:
        check(settings, service.name)
    health = Health()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(health.answering(settings))
        await stack.enter_async_context(tracing.exporting(service.name))
        database = await stack.enter_async_context(opened(settings, service.name))
        # A broker in alarm stops reading connections that publish: acknowledgements travel on another one.
        publishing = await stack.enter_async_context(connected(settings, f"{service.name} publishes"))
        broker = await stack.enter_async_context(connected(settings, service.name))
        relay = Relay(database, publishing)
        health.database, health.connections = database, [broker, publishing]
        health.figures = lambda: metrics.kept(database, relay.leading)
        workers: list[Worker] = []

        def committed(tx: Tx) -> None:
            if tx.announced:
                relay.wake()
            for worker in workers:
                if worker.use in tx.due_soon:
                    worker.wake()

        reactor = Reactor(service, database, settings, committed)
        answerer = Answerer(service, database, settings, committed)
        relaying = health.watch(vital(asyncio.create_task(relay.run(), name="relay")))
        stack.push_async_callback(_stopped, relay, relaying)
        if service.reactions:
            await _consuming(
                stack, health, ReactionConsumer(reactor, database, broker, f"{service.name}.events")
            )
            workers.append(reactor.parking)
        if service.timers:
            workers.append(Timers(service, database, settings, committed).worker)
        if service.effects:
            workers.append(Effects(service, database, settings, committed).worker)
        for worker in workers:
            working = health.watch(vital(asyncio.create_task(worker.run(), name=f"{worker.use} tasks")))
            stack.push_async_callback(_finished, worker, working)
        apply = partial(take_in, service, database)
        await _consuming(stack, health, ViewConsumer(apply, database, broker, f"{service.name}.views"))
        for start in service.starts:
            context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=uuid7())
            async with transaction(database, settings, context, committed) as tx:
                await start(tx)
        housekeeping = vital(asyncio.create_task(_forget_answers(database), name="housekeeping"))
        stack.push_async_callback(end, housekeeping)
        await stack.enter_async_context(_commands(service, settings, answerer, health))
        stack.callback(_halt, workers)
        stack.enter_context(health.started())
        log.info("ready", service=service.name, health_port=health.port)
        yield health


@asynccontextmanager
async def connected(settings: Settings, name: str) -> AsyncIterator[AbstractRobustConnection]:
    """A broker connection, with the whole topology declared before anything can be published on it."""
    connection = await topology.connect(settings.broker_url, name)
    try:
        async with connection.channel() as channel:
            await topology.declare(channel)
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _commands(
    service: Service, settings: Settings, answerer: Answerer, health: Health
) -> AsyncIterator[None]:
    """Answers commands and queries, through FastStream; replicas share the queue."""
    broker = RabbitBroker(settings.broker_url, logger=None, reconnect_interval=1.0, apply_types=False)
    queue = f"{service.name}.commands"
    in_hand: set[asyncio.Task[Answer]] = set()
    subscriber = broker.subscriber(
        RabbitQueue(queue, declare=False),
        channel=Channel(prefetch_count=COMMANDS_AT_ONCE),
        ack_policy=AckPolicy.MANUAL,
        decoder=_as_it_is,
    )

    @subscriber
    async def answer(message: RabbitMessage) -> bytes:
        try:
            ask = _ask(message)
        except ValidationError as error:
            log.error("no command; dropped", message_id=message.raw_message.message_id, wrong=where(error))
            await settle(message.ack)
            return b""
        # A lost connection cancels this task, but never a transaction under way.
        answering = asyncio.create_task(answerer.answer(ask))
        in_hand.add(answering)
        answering.add_done_callback(in_hand.discard)
        reply = await asyncio.shield(answering)
        await settle(message.ack)
        return reply.model_dump_json().encode()

    # FastStream drops, unacknowledged, what is delivered before its start has returned.
    subscriber.running = True
    await broker.start()
    health.consumes(queue, subscriber._queue_obj.channel)  # type: ignore[union-attr]
    try:
        yield
    finally:
        # FastStream drains before it cancels: cancel first, so that a replica gets what comes from now on.
        if subscriber._queue_obj and subscriber._consumer_tag:
            await settle(lambda: _cancel(subscriber))
        if in_hand:
            await asyncio.wait(in_hand)
        await broker.stop()


async def _cancel(subscriber: Any) -> None:
    await subscriber._queue_obj.cancel(subscriber._consumer_tag)


async def _as_it_is(message: RabbitMessage) -> RabbitMessage:
    """Nothing is decoded or injected here: FastStream would take a thread for each message to do so."""
    return message


def _ask(message: RabbitMessage) -> Ask:
    raw = message.raw_message
    return Ask.model_validate(
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


async def _consuming(
    stack: AsyncExitStack, health: Health, consumer: ReactionConsumer | ViewConsumer
) -> None:
    await consumer.start()
    health.consumes(consumer.queue, consumer.channel)
    stack.push_async_callback(consumer.stop)


async def _stopped(relay: Relay, running: "asyncio.Task[None]") -> None:
    relay.stop()
    await running


def _halt(workers: Iterable[Worker]) -> None:
    for worker in workers:
        worker.halt()


async def _finished(worker: Worker, working: "asyncio.Task[None]") -> None:
    worker.halt()
    await working
    await worker.finish()


async def _forget_answers(database: Database) -> None:
    while True:
        try:
            await database.pool.execute(f"DELETE FROM answered WHERE at < now() - interval '{ANSWERS_KEPT}'")
        except Exception as error:
            log.warning("old answers not forgotten yet", error=repr(error))
        await asyncio.sleep(3600)


def run(process: AbstractAsyncContextManager[object]) -> None:
    """Runs until SIGTERM or SIGINT; a second signal, or a stop that takes too long, ends it at once."""
    configure()
    uvloop.run(_until_told(process))


async def _until_told(process: AbstractAsyncContextManager[object]) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    starting = asyncio.create_task(process.__aenter__())
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait([starting, waiting], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait([starting])
        return
    try:
        starting.result()
    except Unfit as error:
        log.critical("cannot start", error=str(error))
        raise SystemExit(1) from None
    # What the start has made stays: no collection need look at it again, and the others may be rarer.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    await waiting
    log.info("stopping")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)
    stopping = asyncio.create_task(process.__aexit__(None, None, None))
    await asyncio.wait([stopping], timeout=STOP_WITHIN)
    if not stopping.done():
        log.warning("stopped with work in hand; it will be redelivered")
        os._exit(1)
    stopping.result()
