"""How fast the read model follows: events in batches, beside workers that write one view for each message."""

import os
import signal
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from apart import Said, apart
from counted import Counted
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage
from harness import Aim, Contender, Figures, Measured, interleaved
from news import broker, count, database, empty, prepared, queued, same, stories, waiting
from one_by_one import upsert
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker
from unlisted import UNLISTED, forget_lists, index_lists

from sav_chassis.database import opened
from sav_chassis.events.consumers import ViewConsumer
from sav_chassis.settings import Settings
from sav_chassis.views import RecordedEvent, show
from sav_contracts import message_types
from sav_contracts.messages import View
from sav_edge import projection
from sav_edge.app import POOL

NUMBER = 6_000
ROOM = "edge"
QUEUE = "edge.views"
TASKS = "projection_tasks"
PREFETCH = 64
STREAM, CELERY = "FastStream, SQLAlchemy session", "Celery, SQLAlchemy session"


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Events/s from a queue that is full into the read model."""
    settings = await prepared(settings, ROOM)
    told = stories(number)
    records = len({envelope.subject for envelope in told})
    packages = Path(os.environ["SAV_BENCH_PACKAGES"])

    async def ours(work: Callable[..., Said]) -> Figures:
        figures = await emptied(work)
        same(await count(settings, ROOM, "timeline"), number, "rows in the timelines")
        return figures

    async def emptied(work: Callable[..., Said]) -> Figures:
        await empty(settings, ROOM, "view", "timeline")
        await index_lists(settings, work is not follow_unlisted)
        await queued(settings, QUEUE, told)
        async with apart(work, settings, number=number) as part:
            seconds = await part.says()
        return await verified(QUEUE, seconds)

    async def tasks() -> Figures:
        await empty(settings, ROOM, "view", "timeline")
        await index_lists(settings)
        async with apart(hand_over, settings, packages, number=number) as part:
            await part.says()
        async with apart(work_off, settings, packages, number=number) as part:
            seconds = await part.says()
        return await verified(TASKS, seconds)

    async def verified(queue: str, seconds: float) -> Figures:
        same(await count(settings, ROOM, "view"), records, "records")
        async with database(settings, ROOM) as connection:
            newest = await connection.fetchval("SELECT sum(version) FROM view")
        same(newest, number, "versions in all")
        await waiting(settings, queue, 0)
        return {"events/s": number / seconds}

    measured = await interleaved(
        "Projection: the read model follows the events",
        [
            Contender("SAV", partial(ours, follow)),
            Contender(UNLISTED, partial(ours, follow_unlisted)),
            Contender(STREAM, partial(emptied, subscribe)),
            Contender("FastStream, asyncpg", partial(emptied, subscribe_plainly)),
            Contender(CELERY, tasks),
        ],
        [
            Aim("events/s", 5, against=STREAM),
            Aim("events/s", 5, against=CELERY),
            Aim("events/s", 0.75, against=UNLISTED),
        ],
        rounds,
    )
    measured.notes.append(
        f"{number:,} events of {records:,} réclamations wait in the queue. All read the event with the contract's class and "
        "write the same row of the same table where it is newer; SAV writes the timeline too, and what lists need. FastStream has "
        f"{PREFETCH} in hand at once; Celery is one process (`--pool solo`), late acknowledgement, no results, psycopg. "
        "At the end every record stood at its last version. One worker, the broker and the database share the machine."
    )
    return measured


async def follow(settings: Settings, number: int) -> AsyncIterator[float]:
    """The edge's own consumer and projection."""
    counted = Counted(number)
    async with opened(settings, ROOM, POOL) as rows, broker(settings) as (connection, _):

        async def apply_and_count(told: Sequence[RecordedEvent]) -> None:
            await projection.apply(rows.pool, told)
            counted.done(len(told))

        consumer = ViewConsumer(apply_and_count, rows, connection, QUEUE)
        counted.begin()
        await consumer.start()
        yield await counted.seconds()
        await consumer.stop()


async def follow_unlisted(settings: Settings, number: int) -> AsyncIterator[float]:
    forget_lists()
    async for seconds in follow(settings, number):
        yield seconds


async def subscribe(settings: Settings, number: int) -> AsyncIterator[float]:
    """As FastStream's and SQLAlchemy's pages show it."""
    engine = create_async_engine(with_driver(settings, "asyncpg"), pool_size=20)
    sessions = async_sessionmaker(engine)

    async def write(view: View) -> None:
        async with sessions.begin() as session:
            await session.execute(upsert(view))

    yield await subscribed(settings, number, write)
    await engine.dispose()


async def subscribe_plainly(settings: Settings, number: int) -> AsyncIterator[float]:
    """The same without SQLAlchemy: our own statement, for one row."""
    async with opened(settings, ROOM, POOL) as rows:
        yield await subscribed(settings, number, lambda view: show(rows.pool, [view]))


async def subscribed(settings: Settings, number: int, write: Callable[[View], Any]) -> float:
    counted = Counted(number)
    stream = RabbitBroker(settings.broker_url, logger=None)

    @stream.subscriber(RabbitQueue(QUEUE, declare=False), channel=Channel(prefetch_count=PREFETCH))
    async def project(message: RabbitMessage) -> None:
        await write(state(message.raw_message.type or "", message.body))
        counted.done()

    counted.begin()
    await stream.start()
    seconds = await counted.seconds()
    await stream.stop()
    return seconds


async def hand_over(settings: Settings, number: int) -> AsyncIterator[bool]:
    """Leaves a task for each event."""
    app = celery_app(settings)
    with app.producer_pool.acquire(block=True) as producer:
        for envelope in stories(number):
            app.send_task("project", (envelope.type, envelope.body), producer=producer)
    yield True


async def work_off(settings: Settings, number: int) -> AsyncIterator[float]:
    """A worker that stops after so many tasks."""
    from celery.exceptions import SecurityWarning, WorkerShutdown  # type: ignore[import-not-found]

    counted = Counted(number)
    app = celery_app(settings)
    warnings.simplefilter("ignore", SecurityWarning)
    engine = create_engine(with_driver(settings, "psycopg"))
    sessions = sessionmaker(engine)

    @app.task(name="project")  # type: ignore[untyped-decorator]
    def project(type: str, body: str) -> None:
        counted.begin()
        with sessions.begin() as session:
            session.execute(upsert(state(type, body)))
        counted.done()
        if counted.over:
            # As one stops it: it acknowledges first.
            signal.raise_signal(signal.SIGTERM)

    worker = app.Worker(pool="solo", quiet=True, without_gossip=True, without_mingle=True)
    with suppress(WorkerShutdown):
        worker.start()
    engine.dispose()
    if not counted.over:
        raise RuntimeError("the worker ended before its work")
    yield await counted.seconds()


def celery_app(settings: Settings) -> Any:
    from celery import Celery  # type: ignore[import-not-found]

    app = Celery(broker=settings.broker_url)
    app.conf.update(
        task_default_queue=TASKS,
        task_acks_late=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=PREFETCH,
        worker_hijack_root_logger=False,
    )
    return app


def state(type: str, body: str | bytes) -> View:
    """What the event's owner says of its record now."""
    told: View = message_types.EVENTS[type].model_validate_json(body).state
    return told


def with_driver(settings: Settings, driver: str) -> str:
    return settings.database(ROOM).replace("postgresql://", f"postgresql+{driver}://", 1)
