"""`If-Match` at the owner: a command is done in the version that its caller has seen, or not at all."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import toy
import world
from sqlalchemy import select
from toy import Box, Fill
from toy_asking import OnStage, ask, filled_of

from sav_chassis.commands.client import CommandReply
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor

BOX, OTHER = UUID(int=100), UUID(int=101)
FILL = Fill(box_id=BOX)


async def filling(stage: Stage, *expected: str, by: Actor = world.lea, **more: Any) -> CommandReply:
    return await stage.command_server.answer(ask(stage, FILL, by=by, expected=frozenset(expected), **more))


def status(answer: CommandReply) -> int:
    return answer.problem.status if answer.problem else 200


@pytest.fixture
async def version(stage: Stage) -> int:
    """Of a box of Léa's."""
    await stage.given(toy.box(100, world.lea), toy.box(101, world.lea))
    found: int = await stage.database.pool.fetchval("SELECT version FROM box WHERE id = $1", BOX)
    return found


async def test_it_is_done_in_any_of_the_versions_that_are_named(stage: Stage, version: int) -> None:
    assert status(await filling(stage, f"{BOX}.{version}", f"{BOX}.{version + 7}", f"{OTHER}.9")) == 200
    assert status(await filling(stage)) == 200, "whoever names none has none in mind"
    assert await filled_of(stage, 100) == 2


async def test_in_another_version_it_is_not_done(stage: Stage, version: int) -> None:
    for number in (version - 1, version + 1):
        answer = await filling(stage, f"{BOX}.{number}")
        assert answer.problem
        assert (answer.problem.code, answer.events) == ("changed_since", [])
    assert await filled_of(stage, 100) == 0


async def test_the_version_of_another_record_is_not_what_is_meant(stage: Stage, version: int) -> None:
    assert status(await filling(stage, f"{OTHER}.{version}")) == 412
    assert await filled_of(stage, 100) == 0


async def test_who_does_not_see_the_record_does_not_learn_its_version(stage: Stage, version: int) -> None:
    answers = [await filling(stage, f"{BOX}.{number}", by=world.paul) for number in (version, version + 1)]
    assert [status(answer) for answer in answers] == [404, 404]


async def test_a_record_that_is_looked_for_is_compared_too(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_by_name(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await tx.first(select(Box).where(Box.id == cmd.box_id))
        assert box
        box.filled += cmd.amount
        tx.emit(box, toy.BoxFilled(amount=cmd.amount))
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    version = await stage.database.pool.fetchval("SELECT version FROM box WHERE id = $1", BOX)
    answers = [await filling(stage, f"{BOX}.{number}") for number in (version + 1, version)]
    assert [status(answer) for answer in answers] == [412, 200]
    assert await filled_of(stage, 100) == 1


async def test_of_those_who_come_together_one_changes_it(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_slowly(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await toy.fill(cmd, tx, by)
        await asyncio.sleep(0.1)
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    version = await stage.database.pool.fetchval("SELECT version FROM box WHERE id = $1", BOX)
    answers = await asyncio.gather(*(filling(stage, f"{BOX}.{version}") for _ in range(3)))
    assert sorted(map(status, answers)) == [200, 412, 412]
    assert await filled_of(stage, 100) == 1
