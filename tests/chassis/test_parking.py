"""What fails or comes too early is parked, holds back what follows it, and is done in order later."""

from uuid import UUID

import toy
import world
from toy import Box, BoxFilled, BoxMade, LidView
from toy_asking import OnStage, rows
from toy_switch import PARKED, SEEN, Switch, release

from sav_chassis.testing import enveloped
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM

BOX, LID = UUID(int=100), UUID(int=500)


async def test_news_before_what_it_needs_is_parked_and_done_when_that_arrives(on_stage: OnStage) -> None:
    toys, calls = toy.bare(), []

    @toys.on(BoxFilled)
    async def needs_a_lid(event: BoxFilled, tx: Tx) -> None:
        calls.append(event)
        await tx.view(LidView, LID)
        await toy.note(event, tx)

    stage = await on_stage(toys)
    envelope = enveloped(toy.filled(100, 2))
    await stage.hears(envelope)
    assert len(calls) == 1
    [(key, why)] = await stage.parked()
    assert key == envelope.id
    assert str(LID) in why

    await stage.knows(toy.lid(500))
    await release(stage)
    assert await rows(stage, SEEN) == [(2,)]
    assert await stage.parked() == []


async def test_a_record_that_is_not_here_yet_parks_the_news_about_it(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def needs_the_box(event: BoxFilled, tx: Tx) -> str:
        return (await tx.load(Box, event.state.id, SYSTEM)).name

    stage = await on_stage(toys)
    envelope = enveloped(toy.filled(100, 2))
    await stage.hears(envelope)
    await stage.given(toy.box(100, world.lea))
    await release(stage)
    assert await stage.outcome_of(envelope) == "box 100"


async def test_what_fails_twice_is_parked_with_its_cause_and_undone(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    envelope = enveloped(toy.filled(100, 2, helper_id=world.sofia.id), by=world.marie)

    await stage.hears(envelope)

    assert switch.calls == 2
    assert await rows(stage, SEEN) == []
    assert await rows(stage, "SELECT event_id FROM handled") == []
    [(key, error, attempts, state, persons)] = await rows(
        stage, "SELECT key, error, attempts, state, persons FROM task"
    )
    assert (key, attempts, state) == (str(envelope.id), 1, "waiting")
    assert error.startswith("Traceback")
    assert error.rstrip().endswith("ZeroDivisionError: box 100 is cursed")
    assert set(persons) == {world.lea.id, world.sofia.id, world.marie.id}


async def test_what_fails_once_is_done_at_once(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    toys, calls = toy.bare(), []

    @toys.on(BoxFilled)
    async def fail_first(event: BoxFilled, tx: Tx) -> None:
        calls.append(event)
        if len(calls) == 1:
            raise ZeroDivisionError
        await toy.note(event, tx)

    stage = await on_stage(toys)
    await stage.hears(toy.filled(100, 2))
    assert await rows(stage, SEEN) == [(2,)]
    assert await stage.parked() == []


async def test_later_news_of_the_same_record_waits_and_that_of_others_does_not(on_stage: OnStage) -> None:
    switch = Switch()

    @switch.service.on(BoxMade)
    async def note_that_too(event: BoxMade, tx: Tx) -> None:
        raise AssertionError("it must wait")

    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    await stage.hears(toy.filled(100, 2))
    switch.failing = set()

    await stage.hears(toy.filled(100, 3))
    await stage.hears(BoxMade(state=toy.filled(100, 4).state))
    await stage.hears(toy.filled(101, 9))

    assert await rows(stage, SEEN) == [(9,)]
    assert await rows(stage, PARKED) == [(1, "waiting"), (0, "waiting"), (0, "waiting")]


async def test_parked_news_is_done_in_its_order(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    for version in range(2, 8):
        await stage.hears(toy.filled(100, version))
    switch.failing = set()
    await release(stage)
    assert await rows(stage, SEEN) == [(version,) for version in range(2, 8)]
    assert await rows(stage, "SELECT key FROM task") == []


async def test_what_waits_is_not_done_before_the_first_even_when_it_is_due(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    await stage.hears(toy.filled(100, 2))
    switch.failing = set()
    await stage.hears(toy.filled(100, 3))
    await rows(stage, "UPDATE task SET due = now() + interval '1 hour' WHERE attempts = 1")
    await stage.reactor.release_due()
    assert await rows(stage, SEEN) == []


async def test_a_reaction_that_was_done_is_not_done_again_for_another_that_failed(on_stage: OnStage) -> None:
    switch, calls = Switch(), []
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def do_well(event: BoxFilled, tx: Tx) -> None:
        calls.append(event)

    toys.on(BoxFilled)(switch.see)
    stage = await on_stage(toys)
    switch.failing = {BOX}
    await stage.hears(toy.filled(100, 2))
    switch.failing = set()
    await release(stage)
    assert len(calls) == 1
    assert await rows(stage, SEEN) == [(2,)]
