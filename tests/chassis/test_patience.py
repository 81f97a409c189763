"""A command that meets a record which is still on its way from another service."""

import asyncio
import time
from itertools import count
from uuid import UUID

import pytest
import toy
import world
from sqlalchemy import text
from toy import Badge, Box, BoxMade, LidView, Make, Total
from toy_asking import OnStage, refusal, wrong_fields

from sav_chassis.errors import Problem
from sav_chassis.service import Service
from sav_chassis.testing import Outcome, Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor

LID = UUID(int=500)
MAKE = Make(name="chest", client_id=world.lea.id, lid_id=LID)


def with_a_lid() -> Service:
    """Boxes are made with a lid that another service owns."""
    toys = toy.bare()

    @toys.command(Make)
    async def make_with_lid(cmd: Make, tx: Tx, by: Actor) -> Box:
        lid = await tx.view(LidView, cmd.lid_id or LID)
        return await toy.make(cmd.model_copy(update={"name": f"{lid.colour} {cmd.name}"}), tx, by)

    return toys


def with_a_badge() -> Service:
    """Whoever makes something must have a badge; it follows their account."""
    toys = toy.bare()

    @toys.command(Make)
    async def show_badge(cmd: Make, tx: Tx, by: Actor) -> Total:
        await tx.load(Badge, cmd.client_id, by)
        return Total(filled=1)

    return toys


async def test_a_foreign_record_that_arrives_soon_is_waited_for(on_stage: OnStage) -> None:
    stage = await on_stage(with_a_lid())
    making = asyncio.create_task(stage.when(MAKE, by=world.lea))
    await asyncio.sleep(0.3)
    await stage.knows(toy.lid(500))
    assert (await making).only(BoxMade).state.name == "red chest"


async def test_a_foreign_record_that_does_not_exist_is_named_after_a_second(on_stage: OnStage) -> None:
    stage = await on_stage(with_a_lid())
    problem, took = await timed(stage, world.lea)
    assert (problem.status, wrong_fields(problem)) == (422, ["lid_id"])
    assert 0.7 < took < 5


async def test_ones_own_record_is_waited_for(on_stage: OnStage) -> None:
    stage = await on_stage(with_a_badge())
    making = asyncio.create_task(stage.when(MAKE, by=world.lea))
    await asyncio.sleep(0.3)
    await stage.given(Badge(id=world.lea.id, user_id=world.lea.id))
    assert (await making).reply == {"filled": 1}


async def test_ones_own_record_is_waited_for_until_the_deadline(on_stage: OnStage) -> None:
    stage = await on_stage(with_a_badge())
    problem, took = await timed(stage, world.lea, seconds=1.6)
    assert (problem.status, problem.code) == (503, "not_yet_known")
    assert problem.retry_after
    assert took > 1.3


async def test_a_last_try_that_takes_too_long_says_what_was_waited_for(on_stage: OnStage) -> None:
    toys, tries = toy.bare(), count(1)

    @toys.command(Make)
    async def show_badge_slowly(cmd: Make, tx: Tx, by: Actor) -> Total:
        if next(tries) > 1:
            await tx.session.execute(text("SELECT pg_sleep(10)"))
        await tx.load(Badge, cmd.client_id, by)
        return Total(filled=1)

    problem, _ = await timed(await on_stage(toys), world.lea, seconds=1.0)
    assert (problem.status, problem.code) == (503, "not_yet_known")


async def test_a_manager_waits_a_second_for_somebody_elses_record(on_stage: OnStage) -> None:
    stage = await on_stage(with_a_badge())
    problem, took = await timed(stage, world.marie)
    assert (problem.status, wrong_fields(problem)) == (422, ["client_id"])
    assert 0.7 < took < 5


@pytest.mark.parametrize("who", [world.paul, world.marie], ids=["client", "manager"])
async def test_an_absent_record_of_this_service_is_not_waited_for(stage: Stage, who: Actor) -> None:
    began = time.monotonic()
    assert refusal(await stage.when(toy.Fill(box_id=UUID(int=7)), by=who)).status == 404
    assert time.monotonic() - began < 0.7


async def timed(stage: Stage, by: Actor, seconds: float = 10.0) -> tuple[Problem, float]:
    began = time.monotonic()
    outcome: Outcome = await stage.when(MAKE, by=by, seconds=seconds)
    return refusal(outcome), time.monotonic() - began
