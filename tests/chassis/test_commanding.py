"""Commands over the real broker: every caller gets their own answer, or learns that there is none."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import aio_pika
import pytest
import toy
import world
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from eventually import eventually
from toy import Box, BoxFilled, Fill, FindTotal
from toy_asking import OnStage, filled_of
from toy_broker import declare, listening, send, waiting
from toy_wire import wire

from sav_chassis import topology
from sav_chassis.commands import client as asking
from sav_chassis.commands.client import GRACE, CommandClient, CommandReply, NotAnswered
from sav_chassis.commands.consumer import COMMANDS_AT_ONCE
from sav_chassis.errors import DeadlinePassed, Unavailable
from sav_chassis.identity import Signer
from sav_chassis.process.runner import serving
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor

FILL = Fill(box_id=UUID(int=100))


@pytest.fixture
async def stage(on_stage: OnStage, channel: AbstractChannel) -> Stage:
    """Ten boxes; nobody serves yet."""
    await declare(channel, toy.usual())
    stage = await on_stage(toy.usual())
    await stage.given(*(toy.box(number, world.lea) for number in range(100, 110)))
    return stage


@pytest.fixture
async def client(broker: AbstractRobustConnection) -> AsyncIterator[CommandClient]:
    client = CommandClient(broker)
    await client.start()
    yield client
    await client.close()


def token(stage: Stage) -> str:
    return Signer(stage.settings.signing_key).token(world.lea)


async def test_many_at_once_get_each_their_own_answer(stage: Stage, client: CommandClient) -> None:
    async def fill(n: int) -> CommandReply:
        message = Fill(box_id=UUID(int=100 + n % 10), amount=1 + n)
        return await client.ask(message, 20, token=token(stage))

    async with serving(toy.usual(), stage.settings):
        answers = await asyncio.gather(*map(fill, range(100)))

    assert [answer.problem for answer in answers] == [None] * 100
    for n, answer in enumerate(answers):
        [event] = [envelope.event() for envelope in answer.events]
        assert isinstance(event, BoxFilled)
        assert (event.amount, event.state.id.int) == (1 + n, 100 + n % 10)
    assert await filled_of(stage, 107) == sum(1 + n for n in range(7, 100, 10))


async def test_a_problem_comes_back_as_the_answer(stage: Stage, client: CommandClient) -> None:
    async with serving(toy.usual(), stage.settings):
        answer = await client.ask(FILL, 2)
    assert answer.problem
    assert answer.problem.code == "not_signed_in"


async def test_key_and_conversation_travel_with_the_command(stage: Stage, client: CommandClient) -> None:
    async with serving(toy.usual(), stage.settings):
        first, again = [
            await client.ask(FILL, 2, token=token(stage), key="once", correlation_id=UUID(int=77))
            for _ in range(2)
        ]
    assert first.events
    assert first == again
    assert first.events[0].correlation_id == UUID(int=77)
    assert await filled_of(stage, 100) == 1


async def test_what_a_command_told_is_published_at_once(
    stage: Stage, client: CommandClient, broker: AbstractRobustConnection
) -> None:
    async with serving(toy.usual(), stage.settings), listening(broker) as ear:
        await asyncio.sleep(0.2)
        answer = await client.ask(FILL, 2, token=token(stage))
        await asyncio.sleep(0.3)
        assert [message.message_id for message in ear.heard] == [str(answer.events[0].id)]


async def test_a_question_that_nobody_answers_is_asked_again(stage: Stage, client: CommandClient) -> None:
    with pytest.raises(NotAnswered) as unanswered:
        await client.ask(FindTotal(), 0.1, token=token(stage))
    problem = unanswered.value.problem
    assert (problem.status, problem.code) == (503, "unavailable")
    assert "Idempotency-Key" not in problem.detail


async def test_a_service_that_is_down_does_not_do_it_afterwards(
    stage: Stage, client: CommandClient, broker: AbstractRobustConnection
) -> None:
    began = time.monotonic()
    with pytest.raises(DeadlinePassed):
        await client.ask(FILL, 0.5, token=token(stage))
    assert 0.5 + GRACE <= time.monotonic() - began < 0.5 + GRACE + 3
    assert await waiting(broker, "toy.commands") == 0

    async with serving(toy.usual(), stage.settings):
        assert (await client.ask(Fill(box_id=UUID(int=101)), 2, token=token(stage))).events
    assert await filled_of(stage, 100) == 0


async def test_an_answer_just_after_the_deadline_is_still_heard(
    on_stage: OnStage, channel: AbstractChannel, client: CommandClient
) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_too_slowly(cmd: Fill, tx: Tx, by: Actor) -> Box:
        await asyncio.sleep(0.4)
        return await toy.fill(cmd, tx, by)

    await declare(channel, toys)
    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    async with serving(toys, stage.settings):
        answer = await client.ask(FILL, 0.3, token=token(stage))
    assert answer.problem
    assert "so it was not carried out" in answer.problem.detail
    assert await filled_of(stage, 100) == 0


async def test_while_the_broker_is_away_everybody_is_told_so_at_once(stage: Stage) -> None:
    async with wire(stage.settings.broker_url) as cable, serving(toy.usual(), stage.settings):
        far = await topology.connect(cable.url, "client at a distance", every=0.2)
        client = CommandClient(far)
        await client.start()
        assert is_connected(client)
        cable.cut()
        await asyncio.sleep(0.1)
        # The quickest counts: others have the processors too.
        assert min([await told_away(client, token(stage)) for _ in range(5)]) < 0.2
        assert not is_connected(client)

        await cable.mend()
        answer = await eventually(lambda: asked_again(client, token(stage)))
        assert answer.problem is None
        await client.close()
        await far.close()
    assert await filled_of(stage, 100) == 0


async def test_a_broker_that_hangs_is_known_as_away_and_does_nothing_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "CONFIRM_WITHIN", 0.5)
    async with wire(stage.settings.broker_url) as cable, serving(toy.usual(), stage.settings):
        far = await topology.connect(cable.url, "client at a distance")
        client = CommandClient(far)
        await client.start()
        assert (await client.ask(Fill(box_id=UUID(int=101)), 5, token=token(stage))).problem is None
        cable.freeze()
        # Before it is known, nobody is told that nothing was done.
        with pytest.raises(DeadlinePassed):
            await client.ask(FILL, 0.3, token=token(stage))
        await eventually(lambda: is_told_away(client), asking.FEEL + 2)
        assert is_connected(client)
        assert min([await told_away(client, token(stage)) for _ in range(5)]) < 0.2

        cable.thaw()
        answer = await eventually(lambda: asked_again(client, token(stage)))
        assert answer.problem is None
        await client.close()
        await far.close()
    assert await filled_of(stage, 100) == 0


async def test_a_process_that_stood_still_does_not_take_the_broker_for_away(
    client: CommandClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "FEEL", 0.0)
    monkeypatch.setattr(asking, "CONFIRM_WITHIN", 0.4)
    await asyncio.sleep(1.1)
    for turns in range(8):
        for _ in range(turns):
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(time.sleep, 0.5)
        for _ in range(20):
            await asyncio.sleep(0)
            assert not await is_told_away(client)


async def told_away(client: CommandClient, token: str) -> float:
    """The seconds in which somebody is told that nothing was done."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match="nothing was done"):
        await client.ask(FILL, 5, token=token)
    return time.monotonic() - began


async def is_told_away(client: CommandClient) -> bool:
    try:
        await client.expect_heard()
    except Unavailable:
        return True
    return False


def is_connected(client: CommandClient) -> bool:
    return client.connected


async def asked_again(client: CommandClient, token: str) -> CommandReply | None:
    try:
        return await client.ask(Fill(box_id=UUID(int=101)), 3, token=token)
    except Unavailable:
        return None


async def test_replicas_share_the_commands(stage: Stage, client: CommandClient) -> None:
    async with serving(toy.usual(), stage.settings):
        async with serving(toy.usual(), stage.settings):
            asking = [
                asyncio.create_task(client.ask(Fill(box_id=UUID(int=100 + n % 10)), 20, token=token(stage)))
                for n in range(60)
            ]
            await asyncio.sleep(0.15)
        # One of them has stopped while commands were on their way.
        answers = await asyncio.gather(*asking)
    assert [answer.problem for answer in answers] == [None] * 60
    assert sum([await filled_of(stage, number) for number in range(100, 110)]) == 60


async def test_what_is_no_command_does_not_deafen_the_service(
    stage: Stage, channel: AbstractChannel, client: CommandClient
) -> None:
    """Unacknowledged, each would take one of the places for commands in hand, for ever."""
    async with serving(toy.usual(), stage.settings):
        await send(channel, "toy.commands", *[aio_pika.Message(b"{}")] * COMMANDS_AT_ONCE)
        answer = await client.ask(FILL, 1, token=token(stage))
    assert answer.problem is None
