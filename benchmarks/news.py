"""What the messaging measures are fed with: real events of many réclamations, in a log, in a queue, counted at the end."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import aio_pika
import asyncpg
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from uuid_utils.compat import uuid7

from sav_chassis import topology
from sav_chassis.database import Database
from sav_chassis.envelope import Envelope
from sav_chassis.migrate import migrate
from sav_chassis.settings import Settings
from sav_contracts.actor import Role
from sav_contracts.catalog.product import Place
from sav_contracts.catalog.warranty import NO_PRODUCT
from sav_contracts.claims.reclamation import (
    ReclamationClosed,
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationView,
    Safety,
    TechnicianAssigned,
)
from sav_contracts.messages import Event, persons
from sav_contracts.slot import Slot

SEED = 20260302
OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OURS = UUID(int=SEED)
MANAGER = uuid5(OURS, "manager")
TECHNICIANS = [uuid5(OURS, f"technician {number}") for number in range(20)]
DESCRIPTION = (
    "Depuis hier soir la chaudière se met en sécurité toutes les dix minutes environ, le manomètre est tombé à "
    "0,4 bar et il y a une petite flaque sous le groupe de sécurité. J'ai coupé l'arrivée d'eau et noté le code E10."
)
STREETS = ("rue des Lilas", "avenue Jean Jaurès", "boulevard des États-Unis")
COLUMNS = (
    "id", "type", "at", "kind", "subject", "sequence", "correlation_id", "causation_id", "actor_id", "actor_role",
    "traceparent", "body",
)  # fmt: skip
IN_FLIGHT = 500
# Seconds.
COUNTED_WITHIN = 10


def story(number: int) -> list[Event]:
    """The six events of a réclamation that goes well; a body is about a kilobyte."""
    technician = TECHNICIANS[number % len(TECHNICIANS)]
    slot = Slot(start=OPENED + timedelta(days=2), end=OPENED + timedelta(days=2, hours=2))
    state = ReclamationView(
        id=uuid5(OURS, f"reclamation {number}"),
        version=1,
        created_at=OPENED,
        updated_at=OPENED,
        reference=f"REC-2026-{number:06}",
        client_id=uuid5(OURS, f"client {number // 3}"),
        technician_id=None,
        article="Chaudière murale à condensation 24 kW",
        problem_type="leak",
        description=DESCRIPTION,
        safety=Safety(flooding=True),
        status="submitted",
        coverage="unknown",
        priority="high",
        priority_reason="problem type leak",
        place=Place(
            address=f"{number % 90 + 1} {STREETS[number % 3]}", postcode=f"6900{number % 9 + 1}", city="Lyon"
        ),
    )

    def then(version: int, **changed: object) -> ReclamationView:
        nonlocal state
        at = OPENED + timedelta(hours=version, microseconds=number)
        state = state.model_copy(update={"version": version, "updated_at": at, **changed})
        return state

    return [
        ReclamationCreated(state=state),
        ReclamationQualified(
            state=then(
                2, status="qualified", coverage="not_covered", warranty=NO_PRODUCT, priority="critical"
            ),
            coverage="not_covered",
            priority="critical",
        ),
        TechnicianAssigned(
            state=then(3, status="assigned", technician_id=technician, assignment=1),
            technician_id=technician,
            slot=slot,
        ),
        ReclamationMoved(state=then(4, status="in_progress"), before="assigned", after="in_progress"),
        ReclamationMoved(
            state=then(5, status="resolved", resolution="repaired"), before="in_progress", after="resolved"
        ),
        ReclamationClosed(state=then(6, status="closed"), reason="accepted by the client"),
    ]


def enveloped(event: Event) -> Envelope:
    """The event as claims sends it."""
    state = event.state
    return Envelope(
        id=uuid7(),
        type=event.type_name(),
        at=state.updated_at,
        kind=state.kind(),
        subject=state.id,
        sequence=state.version,
        body=event.model_dump_json(),
        actor_id=MANAGER,
        actor_role=Role.MANAGER,
        correlation_id=uuid7(),
        causation_id=uuid7(),
    )


def stories(events: int) -> list[Envelope]:
    """So many events of a sixth as many réclamations, shuffled as in life: each one's own in their order."""
    told = [story(number) for number in range(-(-events // 6))]
    turns = [number for number, one in enumerate(told) for _ in one]
    random.Random(SEED).shuffle(turns)
    following = [iter(one) for one in told]
    return [enveloped(next(following[number])) for number in turns][:events]


def assignments(events: int) -> list[Envelope]:
    """So many `TechnicianAssigned`, each of another réclamation."""
    return [enveloped(story(number)[2]) for number in range(events)]


async def prepared(settings: Settings, *rooms: str) -> Settings:
    """The rooms' databases, apart from those of other measures."""
    apart = settings.model_copy(update={"database_prefix": "bench_news"})
    for room in rooms:
        await migrate(apart, room)
    return apart


@asynccontextmanager
async def database(settings: Settings, room: str) -> AsyncIterator[asyncpg.Connection]:
    """A look into a room's database, beside whoever works there."""
    connection = await asyncpg.connect(settings.database(room))
    try:
        yield connection
    finally:
        await connection.close()


async def empty(settings: Settings, room: str, *tables: str) -> None:
    """Leaves nothing of the run before, nor work for the server's own cleaning in the next one."""
    async with database(settings, room) as connection:
        await connection.execute("SET session_replication_role = replica")  # a log lets nobody empty it
        await connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        await connection.execute("CHECKPOINT")


async def count(settings: Settings, room: str, table: str) -> int:
    async with database(settings, room) as connection:
        return await connection.fetchval(f"SELECT count(*) FROM {table}")  # type: ignore[no-any-return]


async def logged(settings: Settings, room: str, told: Sequence[Envelope], unpublished: bool) -> None:
    """Puts just these events in the room's log, and in its outbox where they are still to be published."""
    rows = [
        (*(getattr(envelope, column) for column in COLUMNS), list(persons(envelope.event())))
        for envelope in told
    ]
    await empty(settings, room, "event_log", "event_chain", "outbox")
    async with database(settings, room) as connection:
        await connection.copy_records_to_table("event_log", records=rows, columns=[*COLUMNS, "persons"])
        if unpublished:
            await connection.execute("INSERT INTO outbox SELECT position FROM event_log ORDER BY position")
        await connection.execute("ANALYZE event_log")
        await connection.execute("CHECKPOINT")


async def published(rows: Database) -> None:
    """Returns when the outbox is empty."""
    while await rows.pool.fetchval("SELECT EXISTS (SELECT FROM outbox)"):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


@asynccontextmanager
async def broker(settings: Settings) -> AsyncIterator[tuple[AbstractRobustConnection, AbstractChannel]]:
    connection = await topology.connect(settings.broker_url, "benchmarks")
    async with connection, connection.channel() as channel:
        yield connection, channel


async def only_queue(settings: Settings, name: str) -> None:
    """The events' exchange with this one queue of the topology on it, empty; all others are gone."""
    async with broker(settings) as (_, channel):
        exchange = await channel.declare_exchange(topology.EVENTS, aio_pika.ExchangeType.TOPIC, durable=True)
        for queue in topology.wanted():
            await channel.queue_delete(queue, if_unused=False, if_empty=False)
        chosen = await channel.declare_queue(name, durable=True, arguments=topology.queue_arguments(name))
        for key in topology.wanted()[name]:
            await chosen.bind(exchange, routing_key=key)


async def queued(settings: Settings, name: str, told: Sequence[Envelope]) -> None:
    """Leaves just these events in a queue of the topology."""
    await only_queue(settings, name)
    async with broker(settings) as (_, channel):
        width = asyncio.Semaphore(IN_FLIGHT)

        async def publish(envelope: Envelope) -> None:
            async with width:
                await channel.default_exchange.publish(envelope.to_amqp(), routing_key=name)

        await asyncio.gather(*map(publish, told))


async def waiting(settings: Settings, name: str, wanted: int) -> None:
    """Counts what is in a queue that nobody consumes any more; the broker's own count comes a little later."""
    async with broker(settings) as (_, channel):
        for _ in range(COUNTED_WITHIN * 10):
            queue = await channel.declare_queue(name, passive=True)
            found = queue.declaration_result.message_count or 0
            if found == wanted:
                return
            await asyncio.sleep(0.1)
    same(found, wanted, f"events in {name}")


def same(found: int, wanted: int, what: str) -> None:
    """Nothing is a figure that was not done: `RuntimeError` where it is not as many."""
    if found != wanted:
        raise RuntimeError(f"{found} {what}, not {wanted}")
