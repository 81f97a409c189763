"""Idempotency keys: a command that is sent again is done once and answered twice."""

import asyncio
from uuid import UUID

import pytest
import toy
import world
from pydantic import SecretStr
from toy import Box, BoxFilled, Fill, FindTotal, Total, Whisper
from toy_asking import OnStage, ask, filled_of, refusal, rows

from sav_chassis.errors import Conflict, RecordedRefusal
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import ANYONE, Actor

BOX = UUID(int=100)
FILL = Fill(box_id=BOX)
MORE = Fill(box_id=BOX, amount=2)


async def test_the_same_key_is_one_effect_and_the_same_answer(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    first = await stage.command_server.answer(ask(stage, FILL, by=world.lea, key="once"))
    again = await stage.command_server.answer(ask(stage, FILL, by=world.lea, key="once"))
    assert first.events
    assert first == again
    assert await filled_of(stage, 100) == 1
    assert len(await rows(stage, "SELECT * FROM event_log")) == 1


async def test_two_at_once_with_one_key_are_one_effect_and_both_get_the_answer(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_slowly(cmd: Fill, tx: Tx, by: Actor) -> Box:
        await asyncio.sleep(0.1)
        return await toy.fill(cmd, tx, by)

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))

    asks = [ask(stage, FILL, by=world.lea, key="once") for _ in range(4)]
    answers = await asyncio.gather(*map(stage.command_server.answer, asks))

    assert answers[0].body
    assert answers == [answers[0]] * 4
    assert await filled_of(stage, 100) == 1


async def test_without_a_key_each_is_done(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    for _ in range(2):
        await stage.when(FILL, by=world.lea)
    assert await filled_of(stage, 100) == 2
    assert await rows(stage, "SELECT key FROM answered") == []


async def test_a_key_belongs_to_its_caller_and_command(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    await stage.when(FILL, by=world.lea, key="one")
    await stage.when(FILL, by=world.marie, key="one")
    made = await stage.when(toy.Make(name="case", client_id=world.lea.id), by=world.lea, key="one")
    assert made.problem is None
    assert await filled_of(stage, 100) == 2


async def test_another_body_under_the_same_key_is_refused(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    await stage.when(FILL, by=world.lea, key="once")
    problem = refusal(await stage.when(MORE, by=world.lea, key="once"))
    assert (problem.status, problem.code) == (422, "key_reused")
    assert await filled_of(stage, 100) == 1


async def test_a_command_that_failed_leaves_its_key_free(stage: Stage) -> None:
    assert refusal(await stage.when(FILL, by=world.lea, key="once")).status == 404
    await stage.given(toy.box(100, world.lea))
    assert (await stage.when(MORE, by=world.lea, key="once")).only(BoxFilled).amount == 2


class NotTheFirst(Conflict):
    en = "not the first"
    fr = "ce n’est pas le premier"


async def test_a_refusal_leaves_its_key_free(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def refuse_the_first(cmd: Fill, tx: Tx, by: Actor) -> Box | RecordedRefusal:
        box = await toy.fill(cmd, tx, by)
        return RecordedRefusal(NotTheFirst()) if box.filled == 1 else box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    assert (await stage.when(FILL, by=world.lea, key="once")).problem
    assert (await stage.when(FILL, by=world.lea, key="once")).reply["filled"] == 2


async def test_a_repeat_waits_for_who_failed_and_then_does_it(on_stage: OnStage) -> None:
    toys, calls = toy.bare(), []

    @toys.command(Fill)
    async def fail_the_first(cmd: Fill, tx: Tx, by: Actor) -> Box:
        calls.append(cmd)
        await asyncio.sleep(0.05)
        if len(calls) == 1:
            raise NotTheFirst
        return await toy.fill(cmd, tx, by)

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    asks = [ask(stage, FILL, by=world.lea, key="once") for _ in range(2)]
    answers = await asyncio.gather(*map(stage.command_server.answer, asks))
    assert sorted(answer.problem.status if answer.problem else 200 for answer in answers) == [200, 409]
    assert await filled_of(stage, 100) == 1


@pytest.mark.parametrize("who", [world.lea, ANYONE], ids=["signed in", "anonymous"])
async def test_a_secret_command_stores_nothing(on_stage: OnStage, who: Actor) -> None:
    toys = toy.bare()

    @toys.command(Whisper)
    async def whisper(cmd: Whisper, tx: Tx, by: Actor) -> Total:
        assert cmd.word.get_secret_value() == "hunter2"
        return Total(filled=0)

    stage = await on_stage(toys)
    secret = Whisper(box_id=BOX, word=SecretStr("hunter2"))
    assert (await stage.when(secret, by=who, key="once")).problem is None
    assert await rows(stage, "SELECT key FROM answered") == []


async def test_a_query_stores_nothing(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.query(FindTotal)
    async def find_total(query: FindTotal, tx: Tx, by: Actor) -> Total:
        return Total(filled=0)

    stage = await on_stage(toys)
    assert (await stage.when(FindTotal(), by=world.lea, key="once")).reply == {"filled": 0}
    assert await rows(stage, "SELECT key FROM answered") == []
