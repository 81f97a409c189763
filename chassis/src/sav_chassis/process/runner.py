"""A service's process. Its parts start in an order in which no message is lost, and stop in the reverse."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog
import uvloop
from aio_pika.abc import AbstractRobustConnection
from pydantic import ValidationError
from uuid_utils.compat import uuid7

from sav_chassis import topology
from sav_chassis.commands.consumer import CommandConsumer
from sav_chassis.commands.server import CommandServer
from sav_chassis.database import Database, is_away, opened
from sav_chassis.envelope import Context
from sav_chassis.events.consumers import ReactionConsumer, ViewConsumer
from sav_chassis.events.projections import project_batch
from sav_chassis.events.reactor import Reactor
from sav_chassis.events.relay import Relay
from sav_chassis.process.health import Health
from sav_chassis.scheduled.effects import Effects
from sav_chassis.scheduled.timers import Timers
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart, wrong_variables
from sav_chassis.tasks import Worker
from sav_chassis.telemetry import metrics, tracing
from sav_chassis.telemetry.logs import configure
from sav_chassis.tx import Tx, transaction
from sav_chassis.vital_tasks import end, vital
from sav_contracts.actor import SYSTEM

log = structlog.get_logger()

# Seconds a stop may take. Work that is unfinished then is left to be redelivered.
STOP_WITHIN = 9.0
ANSWER_RETENTION = "48 hours"


@asynccontextmanager
async def serving(service: Service, settings: Settings) -> AsyncIterator[Health]:
    """Runs the service inside the `async with`; gives its health."""
    for check in service.checks:
        check(settings, service.name)
    health = Health()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(health.answering(settings))
        await stack.enter_async_context(tracing.exporting(service.name))
        database = await stack.enter_async_context(opened(settings, service.name))
        # A broker in alarm stops reading from connections that publish, so acknowledgements use another connection.
        publishing = await stack.enter_async_context(connected(settings, f"{service.name} publishes"))
        broker = await stack.enter_async_context(connected(settings, service.name))
        relay = Relay(database, publishing)
        health.database, health.connections = database, [broker, publishing]
        health.figures = lambda: metrics.table_figures(database, relay.leading)
        workers: list[Worker] = []

        def committed(tx: Tx) -> None:
            if tx.has_emitted:
                relay.wake()
            for worker in workers:
                if worker.use in tx.due_soon:
                    worker.wake()

        reactor = Reactor(service, database, settings, committed)
        command_server = CommandServer(service, database, settings, committed)
        relaying = health.watch(vital(asyncio.create_task(relay.run(), name="relay")))
        stack.push_async_callback(_stopped, relay, relaying)
        if service.reactions:
            await _consuming(stack, health, ReactionConsumer(reactor, broker, f"{service.name}.events"))
            workers.append(reactor.parking)
        if service.timers:
            workers.append(Timers(service, database, settings, committed).worker)
        if service.effects:
            workers.append(Effects(service, database, settings, committed).worker)
        for worker in workers:
            working = health.watch(vital(asyncio.create_task(worker.run(), name=f"{worker.use} tasks")))
            stack.push_async_callback(_finished, worker, working)
        apply = partial(project_batch, service, database)
        await _consuming(stack, health, ViewConsumer(apply, database, broker, f"{service.name}.views"))
        for start in service.starts:
            context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=uuid7())
            async with transaction(database, settings, context, committed) as tx:
                await start(tx)
        housekeeping = vital(asyncio.create_task(_forget_answers(database), name="housekeeping"))
        stack.push_async_callback(end, housekeeping)
        commands = CommandConsumer(command_server, settings.broker_url, f"{service.name}.commands")
        await _consuming(stack, health, commands)
        stack.callback(_halt, workers)
        stack.enter_context(health.started())
        log.info("ready", service=service.name, health_port=health.port)
        yield health


@asynccontextmanager
async def connected(
    settings: Settings, name: str, every: float = 1
) -> AsyncIterator[AbstractRobustConnection]:
    """A broker connection; the whole topology is declared before anything can be published on it.

    A lost connection is tried again every `every` seconds.
    """
    connection = await topology.connect(settings.broker_url, name, every)
    try:
        async with connection.channel() as channel:
            await topology.declare(channel)
        yield connection
    finally:
        await connection.close()


async def _consuming(
    stack: AsyncExitStack, health: Health, consumer: CommandConsumer | ReactionConsumer | ViewConsumer
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
            await database.pool.execute(
                f"DELETE FROM answered WHERE at < now() - interval '{ANSWER_RETENTION}'"
            )
        except Exception as error:
            log.warning("old answers not forgotten yet", error=repr(error))
        await asyncio.sleep(3600)


def run_service(service: Service) -> None:
    """Runs the service as a process, until SIGTERM or SIGINT."""
    service.needs(lambda settings, room: service.check_declared())
    service.needs(lambda settings, room: service.check_copies())
    run(partial(serving, service.load()))


def run(process: Callable[[Settings], AbstractAsyncContextManager[object]]) -> None:
    """Runs until SIGTERM or SIGINT. A second signal, or a stop that takes too long, ends the process immediately."""
    configure()
    try:
        settings = Settings()
    except ValidationError as error:
        log.critical("cannot start", error="; ".join(wrong_variables(error)))
        raise SystemExit(1) from None
    uvloop.run(_until_stopped(process(settings)))


def _on_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs errors that no code awaits. A pool that connects ahead reports every failed try, with a traceback."""
    error = context.get("exception")
    if error and is_away(error):
        log.warning("database is away", about=context.get("message"), error=repr(error))
    else:
        loop.default_exception_handler(context)


def started_for_good() -> None:
    """What the start has created stays, so the collector need not look at it again and may run less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


async def _until_stopped(process: AbstractAsyncContextManager[object]) -> None:
    asyncio.get_running_loop().set_exception_handler(_on_stray_error)
    stop_requested = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    starting = asyncio.create_task(process.__aenter__())
    waiting = asyncio.create_task(stop_requested.wait())
    await asyncio.wait([starting, waiting], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait([starting])
        return
    try:
        starting.result()
    except CannotStart as error:
        log.critical("cannot start", error=str(error))
        raise SystemExit(1) from None
    started_for_good()
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
