"""Timers, effects and parked events of a whole service: by themselves, side by side, through its stops."""

import asyncio
from uuid import UUID

import pytest
import toy
import world
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from eventually import eventually
from toy import BoxFilled, FindTotal, Total
from toy_asking import OnStage, filled_of, rows
from toy_broker import declare, listening, send
from toy_later import LATER, RUNG, Clockwork, doing, end_leases, soon
from toy_switch import SEEN, Switch

from sav_chassis import tasks
from sav_chassis.commands.client import CommandClient
from sav_chassis.identity import Signer
from sav_chassis.process.runner import serving
from sav_chassis.scheduled.effects import EFFECTS_AT_ONCE
from sav_chassis.service import Service
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor

BOX = UUID(int=100)
BOXES = [UUID(int=number) for number in range(100, 112)]
RELEASE = """UPDATE task SET state = 'waiting', due = now(), leased_until = NULL, attempts = 0, since = now()
    WHERE use = 'parked'"""


@pytest.fixture
def clockwork() -> Clockwork:
    return Clockwork()


@pytest.fixture
async def stage(on_stage: OnStage, clockwork: Clockwork, channel: AbstractChannel) -> Stage:
    """Boxes in the toys' database, and their queues; nobody serves yet."""

    @clockwork.service.on(BoxFilled)
    async def go_on(event: BoxFilled, tx: Tx) -> None:
        tx.remind(clockwork.ring, event.state.id, tx.now)
        tx.later(clockwork.deliver, event.state.id)

    await declare(channel, clockwork.service)
    stage = await on_stage(clockwork.service)
    await stage.given(*(toy.box(box.int, world.lea) for box in BOXES))
    return stage


async def nothing_waits(stage: Stage) -> bool:
    return await rows(stage, LATER) == []


async def test_what_came_due_while_nobody_served_is_done_once(stage: Stage, clockwork: Clockwork) -> None:
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon(hours=-5))
    for _ in range(2):
        async with serving(clockwork.service, stage.settings), serving(clockwork.service, stage.settings):
            await eventually(lambda: nothing_waits(stage))
    assert clockwork.rings == [BOX]
    assert await rows(stage, RUNG) == [(BOX,)]


async def test_the_commit_wakes_the_workers(
    stage: Stage, clockwork: Clockwork, channel: AbstractChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "POLL", 3600.0)
    async with serving(clockwork.service, stage.settings):
        await send(channel, "toy.events", enveloped(toy.filled(100, 2)))

        async def both() -> bool:
            return bool(clockwork.rings and clockwork.runs)

        await eventually(both)


async def test_the_outcome_of_an_effect_is_published(
    stage: Stage, clockwork: Clockwork, channel: AbstractChannel, broker: AbstractRobustConnection
) -> None:
    # No reaction hears of it, or the box would be filled for ever.
    await declare(channel, asked_by_hand(clockwork))
    async with doing(stage) as tx:
        tx.later(clockwork.deliver, BOX)
    async with listening(broker) as ear, serving(asked_by_hand(clockwork), stage.settings):

        async def told() -> list[int]:
            return ear.first_hearings(BOX)

        assert await eventually(told) == [2]


async def test_effects_run_side_by_side_and_hold_up_nothing_else(
    stage: Stage, clockwork: Clockwork, channel: AbstractChannel
) -> None:
    clockwork.go.clear()
    async with doing(stage) as tx:
        for box in BOXES:
            tx.later(clockwork.deliver, box)
    toys, noted = asked_by_hand(clockwork), []

    @toys.timer
    async def strike(id: UUID, tx: Tx) -> None:
        noted.append(id)

    async with serving(toys, stage.settings):

        async def as_many_as_may() -> bool:
            return len(clockwork.runs) == EFFECTS_AT_ONCE

        await eventually(as_many_as_may)
        async with doing(stage) as tx:
            tx.remind(strike, BOX, soon())

        async def struck() -> bool:
            return noted == [BOX]

        await eventually(struck)
        assert len(clockwork.runs) == EFFECTS_AT_ONCE
        clockwork.go.set()
        await eventually(lambda: nothing_waits(stage))
    assert sorted(clockwork.runs) == [(box, 1) for box in BOXES]


async def test_a_stop_finishes_what_runs_and_begins_nothing_more(
    stage: Stage, clockwork: Clockwork, channel: AbstractChannel, broker: AbstractRobustConnection
) -> None:
    """Not even while a command that is still in hand holds up the rest of the stop."""
    clockwork.go.clear()
    async with doing(stage) as tx:
        for box in BOXES:
            tx.later(clockwork.deliver, box)
    toys, asked, answer = asked_by_hand(clockwork), asyncio.Event(), asyncio.Event()

    @toys.query(FindTotal)
    async def find_slowly(query: FindTotal, tx: Tx, by: Actor) -> Total:
        asked.set()
        await answer.wait()
        return Total(filled=0)

    client = CommandClient(broker)
    await client.start()
    service = serving(toys, stage.settings)
    await service.__aenter__()

    async def as_many_as_may() -> bool:
        return len(clockwork.runs) == EFFECTS_AT_ONCE

    await eventually(as_many_as_may)
    token = Signer(stage.settings.signing_key).token(world.lea)
    asking = asyncio.create_task(client.ask(FindTotal(), 5, token=token))
    await asked.wait()
    stopping = asyncio.create_task(service.__aexit__(None, None, None))
    await asyncio.sleep(0)
    clockwork.go.set()

    async def done() -> bool:
        return len(await rows(stage, LATER)) == len(BOXES) - EFFECTS_AT_ONCE

    await eventually(done)
    answer.set()
    await asking
    await stopping
    await client.close()
    begun = {box for box, _ in clockwork.runs}
    assert len(begun) == EFFECTS_AT_ONCE
    for box in BOXES:
        assert await filled_of(stage, box.int) == (box in begun)
    assert await rows(stage, LATER) == [("effect", 0, "waiting")] * (len(BOXES) - len(begun))
    assert await rows(stage, "SELECT key FROM task WHERE leased_until IS NOT NULL") == []


async def test_what_takes_longer_than_a_stop_is_left_to_its_lease(
    stage: Stage, clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "FINISH_WITHIN", 0.1)
    clockwork.go.clear()
    async with doing(stage) as tx:
        tx.later(clockwork.deliver, BOX)
    async with serving(asked_by_hand(clockwork), stage.settings):
        await clockwork.inside.wait()
    clockwork.go.set()
    assert await rows(stage, "SELECT attempts FROM task WHERE leased_until > now()") == [(1,)]
    await end_leases(stage)
    async with serving(asked_by_hand(clockwork), stage.settings):
        await eventually(lambda: nothing_waits(stage))
    assert clockwork.runs == [(BOX, 1), (BOX, 2)]
    assert await filled_of(stage, 100) == 1


async def test_what_ops_releases_is_done_in_order_while_the_service_runs(
    on_stage: OnStage, channel: AbstractChannel
) -> None:
    switch = Switch()
    await declare(channel, switch.service)
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    async with serving(switch.service, stage.settings):
        for version in range(2, 8):
            await send(
                channel, "toy.events", *(enveloped(toy.filled(number, version)) for number in (100, 101))
            )
        await eventually(lambda: rows(stage, "SELECT key FROM task OFFSET 5"))
        await eventually(lambda: rows(stage, "SELECT version FROM seen OFFSET 5"))
        assert await rows(stage, "SELECT DISTINCT subject FROM seen") == [(BOXES[1],)]
        [(_, why), *_] = await stage.parked()
        assert why == "ZeroDivisionError: box 100 is cursed"

        await rows(stage, "UPDATE task SET state = 'dead' WHERE attempts > 0")
        switch.failing = set()
        await rows(stage, RELEASE)
        await eventually(lambda: nothing_waits(stage))
    assert await rows(stage, SEEN.replace("seen", f"seen WHERE subject = '{BOX}'")) == [
        (version,) for version in range(2, 8)
    ]


def asked_by_hand(clockwork: Clockwork) -> Service:
    """The same timer and effect without a reaction that asks for them."""
    toys = toy.usual()
    toys.timer(clockwork.ring)
    toys.effect(clockwork.deliver)
    return toys
