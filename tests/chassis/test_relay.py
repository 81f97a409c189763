"""The outbox and its relay on the real broker: everything arrives, in each record's order, whoever falls over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import aio_pika
import pytest
import toy
import world
from aio_pika.abc import AbstractChannel, AbstractQueue, AbstractRobustConnection
from eventually import eventually
from pamqp.common import Arguments
from structlog.testing import capture_logs
from structlog.typing import EventDict
from toy import Box, BoxFilled, BoxMade, Fill, Make
from toy_asking import OnStage, rows
from toy_broker import Ear, listening, unheard
from toy_wire import wire

from sav_chassis import topology
from sav_chassis.envelope import Envelope
from sav_chassis.events import relay as relays
from sav_chassis.events.relay import Relay
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor

BOXES = [UUID(int=n) for n in range(100, 108)]
LEADERS = """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 7305001 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture
async def ear(broker: AbstractRobustConnection) -> AsyncIterator[Ear]:
    async with listening(broker) as ear:
        yield ear


@pytest.fixture
async def stage(on_stage: OnStage) -> Stage:
    """Each filling is told as five events; the relay is the test's."""
    toys = toy.bare()
    toys.command(Make)(toy.make)

    @toys.command(Fill)
    async def fill_bit_by_bit(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await tx.load(Box, cmd.box_id, by)
        for _ in range(5):
            box.filled += cmd.amount
            tx.emit(box, BoxFilled())
        return box

    stage = await on_stage(toys)
    await stage.given(*(toy.box(id.int, world.lea) for id in BOXES))
    return stage


@asynccontextmanager
async def relaying(stage: Stage, broker: AbstractRobustConnection) -> AsyncIterator[Relay]:
    relay = Relay(stage.database, broker)
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await running


async def fill_all(stage: Stage, times: int = 10, relay: Relay | None = None) -> None:
    """Five events for each time and box, the boxes side by side."""

    async def fill(id: UUID) -> None:
        for _ in range(times):
            # All at once, on a machine that others use too.
            assert (await stage.when(Fill(box_id=id), by=world.lea, seconds=60)).problem is None
            if relay:
                relay.wake()

    await asyncio.gather(*map(fill, BOXES))


async def published(stage: Stage) -> bool:
    return not await rows(stage, "SELECT position FROM outbox")


async def test_an_event_arrives_as_a_persistent_cloud_event(
    stage: Stage, broker: AbstractRobustConnection, ear: Ear
) -> None:
    outcome = await stage.when(Fill(box_id=BOXES[0]), by=world.lea)
    async with relaying(stage, broker):
        await eventually(lambda: published(stage), seconds=20)
        await eventually(lambda: heard(ear, 5))

    message = ear.heard[0]
    [(id, at, conversation, cause)] = await rows(
        stage, "SELECT id, at, correlation_id, causation_id FROM event_log ORDER BY position LIMIT 1"
    )
    assert {name.removeprefix("cloudEvents:"): value for name, value in message.headers.items()} == {
        "specversion": "1.0",
        "id": str(id),
        "source": "/toy",
        "type": "toy.BoxFilled.v1",
        "time": at.isoformat(),
        "subject": str(BOXES[0]),
        "sequence": "0000000000000000002",
        "dataschema": "urn:sav:schema:toy.BoxFilled.v1",
        "kind": "box",
        "actorid": str(world.lea.id),
        "actorrole": "client",
        "correlationid": str(conversation),
        "causationid": str(cause),
    }
    assert message.routing_key == "toy.BoxFilled.v1"
    assert message.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
    assert (message.message_id, message.content_type) == (str(id), "application/json")
    assert [Envelope.from_amqp(m).event() for m in ear.heard] == outcome.events


async def test_events_of_a_record_arrive_in_order_among_those_of_others(
    stage: Stage, broker: AbstractRobustConnection, ear: Ear
) -> None:
    async with relaying(stage, broker) as relay:
        await fill_all(stage, relay=relay)
        await eventually(lambda: published(stage), seconds=20)
        await eventually(lambda: heard(ear, 400), seconds=20)
    for id in BOXES:
        assert ear.sequences(id) == list(range(2, 52))


async def test_an_idle_leader_is_woken_without_waiting_for_the_poll(
    stage: Stage, broker: AbstractRobustConnection, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "POLL", 60)
    async with relaying(stage, broker) as relay:
        await eventually(lambda: rows(stage, LEADERS))
        await asyncio.sleep(0.1)
        await stage.when(Fill(box_id=BOXES[0]), by=world.lea)
        relay.wake()
        await eventually(lambda: heard(ear, 5), seconds=10)


async def test_a_standby_wakes_the_leader(
    stage: Stage, broker: AbstractRobustConnection, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "POLL", 60)
    async with relaying(stage, broker):
        await eventually(lambda: rows(stage, LEADERS))
        async with relaying(stage, broker) as standby:
            await asyncio.sleep(0.2)
            await stage.when(Fill(box_id=BOXES[0]), by=world.lea)
            standby.wake()
            await eventually(lambda: heard(ear, 5), seconds=10)


async def only_leader(stage: Stage) -> int | None:
    """Its process at the server, where an earlier one is gone too."""
    leaders = await rows(stage, LEADERS)
    return leaders[0][0] if len(leaders) == 1 else None


async def test_when_the_leader_stops_the_other_relay_takes_over(
    stage: Stage, broker: AbstractRobustConnection, ear: Ear
) -> None:
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        await first.enter_async_context(relaying(stage, broker))
        leader = await eventually(lambda: only_leader(stage))
        await second.enter_async_context(relaying(stage, broker))
        filling = asyncio.create_task(fill_all(stage))
        await asyncio.sleep(0.3)
        await first.aclose()
        await filling
        await eventually(lambda: published(stage), seconds=20)
        successor = await eventually(lambda: only_leader(stage))
    assert successor != leader
    for id in BOXES:
        assert ear.sequences(id) == list(range(2, 52))


async def test_when_the_leaders_connection_is_killed_the_other_relay_takes_over(
    stage: Stage, broker: AbstractRobustConnection, ear: Ear
) -> None:
    async with relaying(stage, broker) as first, relaying(stage, broker) as second:
        await eventually(lambda: rows(stage, LEADERS))
        filling = asyncio.create_task(fill_all(stage))
        killed = set()
        for _ in range(3):
            await asyncio.sleep(0.2)
            for (leader,) in await rows(stage, LEADERS):
                await rows(stage, "SELECT pg_terminate_backend($1)", leader)
                killed.add(leader)
            first.wake()
            second.wake()
        await filling
        await eventually(lambda: published(stage), seconds=20)
        successors = {leader for (leader,) in await rows(stage, LEADERS)}
    assert killed
    assert not successors & killed
    for id in BOXES:
        assert ear.first_hearings(id) == list(range(2, 52))
    # What was told twice is the same event.
    assert len({message.message_id for message in ear.heard}) == 400


async def test_an_event_that_no_queue_takes_stays_in_the_outbox(
    stage: Stage, broker: AbstractRobustConnection, channel: AbstractChannel
) -> None:
    async with unheard(channel), relaying(stage, broker) as relay:
        with capture_logs() as said:
            await stage.when(Fill(box_id=BOXES[0]), by=world.lea)
            relay.wake()
            await eventually(lambda: refused(said))
        assert len(await rows(stage, "SELECT position FROM outbox")) == 5
        async with listening(broker) as ear:
            await eventually(lambda: published(stage), seconds=20)
            await eventually(lambda: heard(ear, 5))
            assert ear.first_hearings(BOXES[0]) == [2, 3, 4, 5, 6]


async def test_what_follows_an_event_that_no_queue_takes_waits_for_it(
    stage: Stage, broker: AbstractRobustConnection, channel: AbstractChannel
) -> None:
    made = await stage.when(Make(name="chest", client_id=world.lea.id), by=world.lea)
    chest = made.only(BoxMade).state.id
    for id in (chest, BOXES[0]):
        await stage.when(Fill(box_id=id), by=world.lea)
    async with unheard(channel), listening(broker, "toy.BoxFilled.v1") as ear, relaying(stage, broker):
        await eventually(lambda: heard(ear, 5))
        await asyncio.sleep(0.2)
        assert ear.sequences(BOXES[0]) == [2, 3, 4, 5, 6]
        assert ear.sequences(chest) == []
        async with listening(broker, "toy.BoxMade.v1"):
            await eventually(lambda: published(stage), seconds=20)
        await eventually(lambda: heard(ear, 10))
        assert ear.sequences(chest) == [2, 3, 4, 5, 6]


async def test_what_a_full_queue_refuses_stays_in_the_outbox_and_comes_in_order_when_there_is_room(
    stage: Stage, broker: AbstractRobustConnection, channel: AbstractChannel
) -> None:
    async with one_at_a_time(channel) as narrow, relaying(stage, broker) as relay:
        with capture_logs() as said:
            for _ in range(2):
                await stage.when(Fill(box_id=BOXES[0]), by=world.lea)
            relay.wake()
            await eventually(lambda: refused(said))
        # The first of them fills the queue; the second is refused, the others wait for it.
        assert len(await rows(stage, "SELECT position FROM outbox")) == 9
        ear = Ear()
        await narrow.consume(ear._hear, no_ack=True)
        await eventually(lambda: published(stage), seconds=20)
        await eventually(lambda: heard(ear, 10))
    assert ear.first_hearings(BOXES[0]) == list(range(2, 12))


@asynccontextmanager
async def one_at_a_time(channel: AbstractChannel) -> AsyncIterator[AbstractQueue]:
    """A queue for everything about toys that holds one message and refuses others."""
    arguments: Arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    queue = await channel.declare_queue("toy.narrow", durable=True, arguments=arguments)
    await queue.bind(topology.EVENTS, routing_key="toy.#")
    try:
        yield queue
    finally:
        await queue.delete(if_unused=False, if_empty=False)


async def refused(said: list[EventDict]) -> bool:
    """Whether the relay has warned that something was not taken."""
    return any(one["event"] == "not published yet" and one["log_level"] == "warning" for one in said)


async def test_when_the_broker_comes_back_nothing_is_lost(stage: Stage, ear: Ear) -> None:
    async with wire(stage.settings.broker_url) as cable, AsyncExitStack() as stack:
        far = await topology.connect(cable.url, "relay at a distance")
        stack.push_async_callback(far.close)
        await stack.enter_async_context(relaying(stage, far))
        filling = asyncio.create_task(fill_all(stage))
        await asyncio.sleep(0.2)
        cable.cut()
        await filling
        assert not await published(stage)
        await cable.mend()
        await eventually(lambda: published(stage), seconds=20)
    for id in BOXES:
        assert ear.first_hearings(id) == list(range(2, 52))


async def heard(ear: Ear, number: int) -> bool:
    return len(ear.heard) >= number
