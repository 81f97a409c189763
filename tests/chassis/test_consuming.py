"""A service on the real broker: its queues, one active replica, and what cannot be read."""

import asyncio
import time
from contextlib import AsyncExitStack
from uuid import UUID

import aio_pika
import pytest
import toy
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from eventually import eventually
from toy import BoxFilled, LidMade, Seen
from toy_asking import OnStage, rows
from toy_broker import dead_letters, declare, send, waiting
from toy_switch import SEEN
from toy_wire import wire
from yarl import URL

from sav_chassis import topology
from sav_chassis.process.runner import serving
from sav_chassis.service import Service
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx

BOXES = [UUID(int=n) for n in range(100, 105)]


def seeing(who: str = "note", slowly: float = 0.0) -> Service:
    """Toys that remember what they see, and who of them it was."""
    toys = toy.usual()
    toys.mirror(toy.LidView)

    @toys.on(BoxFilled)
    async def see(event: BoxFilled, tx: Tx) -> None:
        await asyncio.sleep(slowly)
        tx.add(Seen(id=tx.new_id(), subject=event.state.id, version=event.state.version, by=who))

    return toys


@pytest.fixture
async def stage(on_stage: OnStage, channel: AbstractChannel) -> Stage:
    """The toys' empty database and queues; nobody serves yet."""
    await declare(channel, seeing())
    return await on_stage(toy.usual())


async def test_events_from_the_queue_are_reacted_to_in_order(stage: Stage, channel: AbstractChannel) -> None:
    async with serving(seeing(), stage.settings):
        await tell(channel, range(2, 42))
        await eventually(lambda: seen(stage, 200), seconds=20)
    for box in BOXES:
        assert await versions(stage, box) == list(range(2, 42))


async def test_events_that_came_while_nobody_served_are_not_lost(
    stage: Stage, channel: AbstractChannel
) -> None:
    await tell(channel, range(2, 6))
    async with serving(seeing(), stage.settings):
        await eventually(lambda: seen(stage, 20))


async def test_an_event_is_kept_until_it_is_done(
    stage: Stage, channel: AbstractChannel, broker: AbstractRobustConnection
) -> None:
    """A service that stops in the middle has acknowledged what it did, and nothing else."""
    async with serving(seeing(slowly=0.05), stage.settings):
        await tell(channel, range(2, 22))
        await eventually(lambda: seen(stage, 10))
    [(done,)] = await rows(stage, "SELECT count(*) FROM seen")
    assert 10 <= done < 100

    async def the_rest_waits() -> bool:
        return await waiting(broker, "toy.events") + int(done) == 100

    await eventually(the_rest_waits)


async def test_what_cannot_be_read_goes_to_the_dead_letters_and_the_service_goes_on(
    stage: Stage, channel: AbstractChannel, broker: AbstractRobustConnection
) -> None:
    readable = enveloped(toy.filled(100, 2))
    unknown = readable.model_copy(update={"type": "toy.BoxBurnt.v1"})
    misshapen = readable.model_copy(update={"body": '{"state": {}}'})
    bare = aio_pika.Message(b"\xff\xfe", message_id="bare")
    await dead_letters(channel)

    async with serving(seeing(), stage.settings):
        await send(channel, "toy.events", unknown, misshapen, bare, readable)
        await eventually(lambda: seen(stage, 1))

        async def three_letters() -> bool:
            return await waiting(broker, topology.DEAD) == 3

        await eventually(three_letters)
    letters = await dead_letters(channel)
    assert sorted(letter.body for letter in letters) == sorted(
        [unknown.body.encode(), misshapen.body.encode(), b"\xff\xfe"]
    )


async def test_only_one_replica_reacts_and_its_stop_hands_over_in_order(
    stage: Stage, channel: AbstractChannel
) -> None:
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        await first.enter_async_context(serving(seeing("first", slowly=0.005), stage.settings))
        await second.enter_async_context(serving(seeing("second", slowly=0.005), stage.settings))
        telling = asyncio.create_task(tell(channel, range(2, 62)))
        await eventually(lambda: seen(stage, 60))
        assert await rows(stage, "SELECT DISTINCT by FROM seen") == [("first",)]
        await first.aclose()
        await telling
        await eventually(lambda: seen(stage, 300), seconds=20)

    who = [by for (by,) in await rows(stage, "SELECT by FROM seen ORDER BY position")]
    assert who == sorted(who)
    assert set(who) == {"first", "second"}
    for box in BOXES:
        assert await versions(stage, box) == list(range(2, 62))


async def test_a_service_waits_for_its_database_and_counts_no_try(
    stage: Stage, channel: AbstractChannel
) -> None:
    async with wire(stage.settings.database_url) as cable:
        far = stage.settings.model_copy(update={"database_url": cable.url})
        async with serving(seeing(), far):
            cable.cut()
            await tell(channel, range(2, 6))
            await asyncio.sleep(0.5)
            await cable.mend()
            await eventually(lambda: seen(stage, 20), seconds=20)
    assert await stage.parked() == []
    for box in BOXES:
        assert await versions(stage, box) == [2, 3, 4, 5]


async def test_a_service_finds_its_broker_again(stage: Stage, channel: AbstractChannel) -> None:
    async with wire(stage.settings.broker_url) as cable:
        far = stage.settings.model_copy(update={"broker_url": cable.url})
        async with serving(seeing(slowly=0.01), far):
            telling = asyncio.create_task(tell(channel, range(2, 32)))
            await eventually(lambda: seen(stage, 20))
            cable.cut()
            await telling
            await asyncio.sleep(0.2)
            await cable.mend()
            await eventually(lambda: seen(stage, 150), seconds=20)
    for box in BOXES:
        assert await versions(stage, box) == list(range(2, 32))


async def test_a_service_that_stood_still_finds_its_broker_again(
    stage: Stage, channel: AbstractChannel
) -> None:
    """As on a machine that was suspended: the broker gives up a connection that misses two heartbeats."""
    url = URL(stage.settings.broker_url)
    impatient = stage.settings.model_copy(update={"broker_url": str(url.update_query(heartbeat=1))})
    async with serving(seeing(), impatient) as health:
        await tell(channel, range(2, 4))
        await eventually(lambda: seen(stage, 10))
        time.sleep(4)  # noqa: ASYNC251 - nothing else may run
        await tell(channel, range(4, 6))
        await send(channel, "toy.views", enveloped(LidMade(state=toy.lid(500, 1, "red"))))
        await eventually(lambda: seen(stage, 20), seconds=20)
        await eventually(lambda: rows(stage, "SELECT version FROM view WHERE kind = 'lid'"), seconds=20)

        async def well() -> bool:
            return all((await health.ready()).values())

        await eventually(well, seconds=20)
        # Else the test would show nothing.
        assert all(vars(connection)["connection_attempt"] > 1 for connection in health.connections)


async def test_parked_events_are_tried_again_by_themselves(
    on_stage: OnStage, channel: AbstractChannel
) -> None:
    toys = toy.usual()

    @toys.on(BoxFilled)
    async def needs_a_lid(event: BoxFilled, tx: Tx) -> None:
        await tx.view(toy.LidView, UUID(int=500))
        await toy.note(event, tx)

    await declare(channel, toys)
    stage = await on_stage(toys)
    async with serving(toys, stage.settings):
        await send(channel, "toy.events", *(enveloped(toy.filled(100, version)) for version in (2, 3, 4)))
        await eventually(lambda: rows(stage, "SELECT key FROM task OFFSET 2"))
        await stage.knows(toy.lid(500))
        await eventually(lambda: seen(stage, 3))
    assert await rows(stage, SEEN) == [(2,), (3,), (4,)]


async def test_copies_of_other_records_follow_their_events(stage: Stage, channel: AbstractChannel) -> None:
    async with serving(seeing(), stage.settings):
        news = [enveloped(LidMade(state=toy.lid(500, version, f"colour {version}"))) for version in (1, 3, 2)]
        unknown = news[0].model_copy(update={"type": "toy.LidLost.v1"})
        await send(channel, "toy.views", unknown, *news)
        lids = "SELECT version, doc->>'colour' FROM view WHERE kind = 'lid'"

        async def newest() -> bool:
            return await rows(stage, lids) == [(3, "colour 3")]

        await eventually(newest)
    assert [letter.type for letter in await dead_letters(channel)] == ["toy.LidLost.v1"]


async def tell(channel: AbstractChannel, told: range) -> None:
    """The news of every box, version after version."""
    for version in told:
        await send(channel, "toy.events", *(enveloped(toy.filled(box.int, version)) for box in BOXES))


async def seen(stage: Stage, number: int) -> bool:
    [(count,)] = await rows(stage, "SELECT count(*) FROM seen")
    return bool(count >= number)


async def versions(stage: Stage, box: UUID) -> list[int]:
    """What was seen of a box, in the order in which it was."""
    found = await rows(stage, "SELECT version FROM seen WHERE subject = $1 ORDER BY position", box)
    return [version for (version,) in found]
