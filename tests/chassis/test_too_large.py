"""Messages that are too large are refused before anything reads them."""

from uuid import UUID

import pytest
import toy
import world
from aio_pika.abc import AbstractChannel
from eventually import eventually
from toy import BoxFilled, Make
from toy_asking import OnStage, ask, refusal, rows
from toy_broker import dead_letters, declare, send
from toy_switch import SEEN, Switch

from sav_chassis.commands.server import MAX_COMMAND
from sav_chassis.envelope import MAX_BODY, MAX_DELIVERED
from sav_chassis.process.runner import serving
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor


async def test_an_event_that_is_too_large_goes_to_the_dead_letters_and_the_service_goes_on(
    on_stage: OnStage, channel: AbstractChannel
) -> None:
    switch = Switch()
    await declare(channel, switch.service)
    await dead_letters(channel)
    stage = await on_stage(switch.service)
    huge = enveloped(toy.filled(100, 2, note="x" * MAX_DELIVERED))
    fine = enveloped(toy.filled(100, 3, note="x" * (MAX_BODY - 1000)))
    async with serving(switch.service, stage.settings):
        await send(channel, "toy.events", huge, fine)
        await eventually(lambda: rows(stage, SEEN))
        [letter] = await eventually(lambda: dead_letters(channel))
    assert letter.message_id == str(huge.id)
    assert await rows(stage, SEEN) == [(3,)]


async def test_an_event_that_is_too_large_is_not_even_emitted(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Make)
    async def make_much(cmd: Make, tx: Tx, by: Actor) -> toy.Box:
        box = tx.add(toy.box(100, world.lea))
        tx.emit(box, BoxFilled(note="x" * MAX_BODY))
        return box

    stage = await on_stage(toys)
    problem = refusal(await stage.when(Make(name="box", client_id=world.lea.id), by=world.lea))
    assert (problem.status, problem.code) == (413, "too_large")
    assert await rows(stage, "SELECT id FROM box") == []


@pytest.mark.parametrize(("size", "parked"), [(MAX_BODY, False), (MAX_DELIVERED, True)])
async def test_what_only_follows_may_be_larger_than_what_somebody_says(
    on_stage: OnStage, size: int, parked: bool
) -> None:
    """Nobody could say it shorter: it may be as large as a consumer takes."""
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def follow(event: BoxFilled, tx: Tx) -> None:
        tx.emit(tx.add(toy.box(101, world.lea)), BoxFilled(note="x" * size))

    stage = await on_stage(toys)
    told = await stage.hears(toy.filled(100, 1))
    assert len(told.events) == (0 if parked else 1)
    assert bool(await stage.parked()) == parked


@pytest.mark.parametrize(("size", "status"), [(MAX_COMMAND, 422), (MAX_COMMAND + 1, 413)])
async def test_a_command_that_is_too_large_is_not_read(stage: Stage, size: int, status: int) -> None:
    make = Make(name="box", client_id=UUID(int=1))
    answer = await stage.command_server.answer(ask(stage, make, by=world.lea, body=b"{" * size))
    assert answer.problem
    assert answer.problem.status == status
    assert (answer.problem.code == "too_large") == (status == 413)
