"""How many reactions a second a service does, beside a bare FastStream subscriber that does the same write."""

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

from apart import Said, apart
from counted import Counted
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from harness import Aim, Contender, Figures, Measured, interleaved
from news import assignments, broker, count, empty, queued, same, waiting
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from visits import QUEUE, ROOM, planned, visits, with_table

from sav_chassis.database import opened
from sav_chassis.events.consumers import PREFETCH_REACTIONS, ReactionConsumer
from sav_chassis.events.reactor import Reactor
from sav_chassis.settings import Settings
from sav_contracts.claims.reclamation import TechnicianAssigned

NUMBER = 4_000
BARE = "FastStream, SQLAlchemy session, no inbox"


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Reactions/s from a queue that is full: one event, one transaction, one row."""
    settings = await with_table(settings)
    told = assignments(number)

    async def ours() -> Figures:
        figures = await emptied(react)
        same(await count(settings, ROOM, "handled"), number, "events in the inbox")
        return figures

    async def bare() -> Figures:
        return await emptied(subscribe)

    async def emptied(work: Callable[..., Said]) -> Figures:
        await empty(settings, ROOM, "planned_visit", "handled", "task")
        await queued(settings, QUEUE, told)
        async with apart(work, settings, number=number) as part:
            seconds = await part.says()
        same(await count(settings, ROOM, "planned_visit"), number, "visits")
        await waiting(settings, QUEUE, 0)
        return {"reactions/s": number / seconds}

    measured = await interleaved(
        "Reactions: one event, one transaction",
        [Contender("SAV", ours), Contender(BARE, bare)],
        [Aim("reactions/s", 0.9, against=BARE)],
        rounds,
    )
    measured.notes.append(
        f"{number:,} events of as many réclamations wait in a quorum queue; each makes one row. SAV adds the lock of the "
        "aggregate, the look for what is parked and the inbox, works on eight at once and writes its log; FastStream "
        f"logs nothing and takes {PREFETCH_REACTIONS} at once. The consumer, the broker and the database share the machine. "
        "SAV has four round trips where FastStream has three: lock, look and inbox are one function in the database."
    )
    return measured


async def react(settings: Settings, number: int) -> AsyncIterator[float]:
    """The reaction consumer as a service runs it."""
    counted = Counted(number)
    async with opened(settings, ROOM) as database, broker(settings) as (connection, _):
        reactor = Reactor(visits, database, settings, lambda tx: counted.done())
        consumer = ReactionConsumer(reactor, connection, QUEUE)
        counted.begin()
        await consumer.start()
        yield await counted.seconds()
        await consumer.stop()


async def subscribe(settings: Settings, number: int) -> AsyncIterator[float]:
    """As FastStream's and SQLAlchemy's pages show it; as many at once as SAV has in hand."""
    counted = Counted(number)
    url = settings.database(ROOM).replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, pool_size=20)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    stream = RabbitBroker(settings.broker_url, logger=None)

    @stream.subscriber(RabbitQueue(QUEUE, declare=False), channel=Channel(prefetch_count=PREFETCH_REACTIONS))
    async def plan_visit(event: TechnicianAssigned) -> None:
        async with sessions.begin() as session:
            session.add(planned(uuid4(), event))
        counted.done()

    counted.begin()
    await stream.start()
    yield await counted.seconds()
    await stream.stop()
    await engine.dispose()
