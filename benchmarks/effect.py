"""How long it takes from a commit in one service to what another service has done about it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from uuid import UUID

from apart import Said, apart
from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from news import TECHNICIANS, broker, count, empty, enveloped, only_queue, published, same, waiting
from reclamations import CLIENT, ROOM, qualify, reported, with_client
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7
from visits import QUEUE, visits, with_table
from visits import ROOM as VISITS

from sav_chassis.database import Database, opened
from sav_chassis.envelope import Context
from sav_chassis.events.consumers import ReactionConsumer
from sav_chassis.events.reactor import Reactor
from sav_chassis.events.relay import Relay
from sav_chassis.settings import Settings
from sav_chassis.tx import Tx, transaction
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.claims.reclamation import TechnicianAssigned

NUMBER = 300
A_SECOND = 20
# So many are not counted: connections are opened and statements prepared.
FIRST = 20
DIRECTLY = "no outbox: commit, then publish"
# Of things that both processes know, when they happened, by the one clock of the machine.
Times = dict[str, float]
# Assigns a réclamation in this conversation, and returns when it is committed and told.
Assign = Callable[[UUID, UUID, Times], Coroutine[None, None, None]]


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Milliseconds between the two commits, at a pace that keeps nobody busy."""
    settings = await with_table(await with_client(settings))
    all_of_them = FIRST + number

    async def run(work: Callable[..., Said]) -> Figures:
        await empty(settings, VISITS, "planned_visit", "handled", "task")
        await empty(settings, ROOM, "reclamation", "event_log", "event_chain", "outbox")
        await only_queue(settings, QUEUE)
        await given(settings, all_of_them)
        async with apart(react, settings, number=all_of_them) as consumer:
            await consumer.says()
            async with apart(work, settings) as producer:
                committed: Times = await producer.says()
                reacted: Times = await consumer.says()
        same(await count(settings, VISITS, "planned_visit"), all_of_them, "visits")
        await waiting(settings, QUEUE, 0)
        if committed.keys() != reacted.keys():
            raise RuntimeError("other events were done than were told")
        counted = sorted(committed, key=committed.__getitem__)[FIRST:]
        took = [1000 * (reacted[told] - committed[told]) for told in counted]
        return {"p50 ms": percentile(took, 0.5), "p99 ms": percentile(took, 0.99)}

    measured = await interleaved(
        "Effect: from a commit to the commit in another service",
        [
            Contender("SAV", lambda: run(assign_and_relay)),
            Contender(DIRECTLY, lambda: run(assign_and_publish)),
        ],
        [Aim("p50 ms", 5, "most", against=DIRECTLY, how="difference"), Aim("p99 ms", 40, "most")],
        rounds,
    )
    measured.notes.append(
        f"{number:,} réclamations are assigned, {A_SECOND} a second, in one process; another reacts to each with a row. "
        "The consumer is SAV's on both sides; the baseline loses an event where it dies between commit and publish. Two "
        "processes, the broker (a quorum queue) and the database share the machine."
    )
    return measured


async def given(settings: Settings, number: int) -> None:
    """Réclamations that wait for a technician."""
    async with opened(settings, ROOM) as rows, AsyncSession(rows.engine) as session, session.begin():
        for each in range(number):
            reclamation = reported(each, uuid7())
            qualify(reclamation)
            reclamation.version, reclamation.created_at, reclamation.updated_at = (
                2,
                rows.clock(),
                rows.clock(),
            )
            session.add(reclamation)


async def react(settings: Settings, number: int) -> AsyncIterator[str | Times]:
    """The service that plans visits; says when it listens, then when it had committed each."""
    done: Times = {}
    all_done = asyncio.Event()

    def committed(tx: Tx) -> None:
        done[str(tx.context.correlation_id)] = time.monotonic()
        if len(done) == number:
            all_done.set()

    async with opened(settings, VISITS) as rows, broker(settings) as (connection, _):
        consumer = ReactionConsumer(Reactor(visits, rows, settings, committed), connection, QUEUE)
        await consumer.start()
        yield "listening"
        await all_done.wait()
        await consumer.stop()
    yield done


async def assign_and_relay(settings: Settings) -> AsyncIterator[Times]:
    """The service that assigns, with its outbox and its relay."""
    async with opened(settings, ROOM) as rows, broker(settings) as (connection, _):
        relay = Relay(rows, connection)
        running = asyncio.create_task(relay.run())
        while not relay.leading:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

        async def assign(id: UUID, conversation: UUID, times: Times) -> None:
            def committed(tx: Tx) -> None:
                times[str(conversation)] = time.monotonic()
                relay.wake()

            async with transaction(rows, settings, context(conversation), committed) as tx:
                reclamation = await tx.load(Reclamation, id, SYSTEM)
                technician = assigned(reclamation)
                tx.emit(reclamation, TechnicianAssigned(technician_id=technician))

        times = await paced(rows, assign)
        await published(rows)
        relay.stop()
        await running
        yield times


async def assign_and_publish(settings: Settings) -> AsyncIterator[Times]:
    """The same work by somebody who trusts that nothing falls over between the two."""
    async with opened(settings, ROOM) as rows, broker(settings) as (_, channel):

        async def assign(id: UUID, conversation: UUID, times: Times) -> None:
            async with AsyncSession(rows.engine, expire_on_commit=False) as session, session.begin():
                reclamation = await session.get_one(Reclamation, id, with_for_update=True)
                technician = assigned(reclamation)
                reclamation.version, reclamation.updated_at = 3, rows.clock()
            times[str(conversation)] = time.monotonic()
            event = TechnicianAssigned(state=reclamation.view(), technician_id=technician)
            envelope = enveloped(event).model_copy(update={"correlation_id": conversation})
            await channel.default_exchange.publish(envelope.to_amqp(), routing_key=QUEUE)

        yield await paced(rows, assign)


def assigned(reclamation: Reclamation) -> UUID:
    technician = TECHNICIANS[0]
    reclamation.assign(technician, SYSTEM)
    return technician


def context(conversation: UUID) -> Context:
    return Context(
        actor_id=CLIENT, actor_role=Role.MANAGER, correlation_id=conversation, causation_id=conversation
    )


async def paced(rows: Database, assign: Assign) -> Times:
    """Assigns them all at the pace, and says when each was committed."""
    times: Times = {}
    ids = [row["id"] for row in await rows.pool.fetch("SELECT id FROM reclamation")]
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for turn, id in enumerate(ids):
            await asyncio.sleep(began + turn / A_SECOND - time.monotonic())
            group.create_task(assign(id, uuid7(), times))
    return times
