"""Reactions: each event once; what fails is parked and holds back what follows it."""

import asyncio
from itertools import count
from uuid import uuid4

import pytest
import toy
import world
from sqlalchemy import text
from toy import Box, BoxFilled, BoxMade
from toy_asking import OnStage, rows
from toy_switch import PARKED, SEEN, Switch
from toy_wire import wire

from sav_chassis.events.reactor import QUICK_TRIES
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM


async def test_an_event_that_comes_twice_has_one_effect(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    envelope = enveloped(toy.filled(100, 2))
    await stage.hears(envelope)
    await stage.hears(envelope)
    assert switch.calls == 1
    assert await rows(stage, SEEN) == [(2,)]


async def test_the_outcome_of_a_reaction_that_did_nothing_is_kept(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def ignore(event: BoxFilled, tx: Tx) -> str:
        return "not worth it"

    stage = await on_stage(toys)
    envelope = enveloped(toy.filled(100, 2))
    await stage.hears(envelope)
    assert await stage.outcome_of(envelope) == "not worth it"


async def test_a_reaction_changes_and_tells_in_the_name_of_who_caused_it(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.on(BoxMade)
    async def fill_it(event: BoxMade, tx: Tx) -> None:
        box = await tx.load(Box, event.state.id, SYSTEM)
        box.filled = 1
        tx.emit(box, BoxFilled())

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    cause = enveloped(BoxMade(state=toy.filled(100, 1).state), by=world.marie)

    outcome = await stage.hears(cause)

    assert outcome.only(BoxFilled).state.filled == 1
    [told] = await rows(stage, "SELECT actor_id, correlation_id, causation_id FROM event_log")
    assert told == (world.marie.id, cause.correlation_id, cause.id)


async def test_doing_a_reaction_again_makes_the_same_ids(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    envelope, made = enveloped(toy.filled(100, 2)), []
    for _ in range(2):
        await stage.clear()
        await stage.hears(envelope)
        made += await rows(stage, "SELECT id FROM seen")
    await stage.hears(toy.filled(101, 2))
    [_, (other,)] = await rows(stage, "SELECT id FROM seen ORDER BY position")
    assert made[0] == made[1]
    assert other != made[0][0]


async def test_two_ids_of_one_reaction_differ_and_so_do_those_of_two_reactions(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def note_twice(event: BoxFilled, tx: Tx) -> None:
        await toy.note(event, tx)
        await toy.note(event, tx)

    toys.on(BoxFilled)(toy.note)
    stage = await on_stage(toys)
    await stage.hears(toy.filled(100, 2))
    assert len(set(await rows(stage, "SELECT id FROM seen"))) == 3


async def test_news_that_nobody_here_reacts_to_any_more_is_let_go(on_stage: OnStage) -> None:
    """A queue keeps the bindings of yesterday's code."""
    stage = await on_stage(Switch().service)
    await stage.hears(BoxMade(state=toy.filled(100, 1).state))
    assert await stage.parked() == []


async def test_a_database_that_is_away_is_not_a_try(on_stage: OnStage) -> None:
    switch = Switch()
    near = await on_stage(switch.service)
    async with wire(near.settings.database_url) as cable:
        far = Stage(switch.service, near.settings.model_copy(update={"database_url": cable.url}))
        await far.database.open()
        try:
            envelope = enveloped(toy.filled(100, 2), id=uuid4())
            cable.cut()
            taking = asyncio.create_task(far.reactor.take(envelope, envelope.event()))
            assert not (await asyncio.wait([taking], timeout=1))[0]
            await cable.mend()
            await asyncio.wait_for(taking, 20)
            assert await rows(near, PARKED) == []
            assert await rows(near, SEEN) == [(2,)]
        finally:
            await far.close()


async def test_a_connection_that_dies_under_a_reaction_is_not_a_try(on_stage: OnStage) -> None:
    toys, calls = toy.bare(), count(1)

    @toys.on(BoxFilled)
    async def lose_the_connection(event: BoxFilled, tx: Tx) -> None:
        if next(calls) <= QUICK_TRIES:
            await tx.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        await toy.note(event, tx)

    stage = await on_stage(toys)
    await stage.hears(toy.filled(100, 2))
    assert await rows(stage, SEEN) == [(2,)]
    assert await rows(stage, PARKED) == []


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError("by a mail server")])
async def test_a_reaction_that_fails_like_a_network_is_parked_like_any_other(
    on_stage: OnStage, error: Exception
) -> None:
    """Where the database answers, it was not the database: retried for ever, it would hold its lane unseen."""
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def call_somebody(event: BoxFilled, tx: Tx) -> None:
        raise error

    stage = await on_stage(toys)
    await stage.hears(toy.filled(100, 2))
    assert await rows(stage, PARKED) == [(1, "waiting")]
