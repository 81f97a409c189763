"""What is parked is tried again, ever less often, and is dead in the end: for a person to release."""

import time
from uuid import UUID

import toy
from toy import BoxFilled, LidView
from toy_asking import OnStage, rows
from toy_switch import PARKED, SEEN, Switch, release

from sav_chassis.testing import Stage
from sav_chassis.tx import Tx

BOX, LID = UUID(int=100), UUID(int=500)


async def test_the_pause_doubles_up_to_five_minutes(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    await stage.hears(toy.filled(100, 2))
    for attempts, meant in ((2, 0.4), (3, 0.8), (4, 1.6), (10, 102.4), (11, 204.8), (12, 300), (1000, 300)):
        await rows(stage, "UPDATE task SET due = now(), attempts = $1", attempts - 1)
        began = time.monotonic()
        await stage.reactor.release_due()
        [(pause,)] = await rows(stage, "SELECT extract(epoch FROM due - now())::float FROM task")
        took = time.monotonic() - began
        assert 0.79 * meant - took < pause < 1.21 * meant


async def test_not_everything_comes_back_at_the_same_time(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {UUID(int=n) for n in range(100, 110)}
    for number in range(100, 110):
        await stage.hears(toy.filled(number, 2))
    await rows(stage, "UPDATE task SET due = now(), attempts = 12")
    await stage.reactor.release_due()
    pauses = [p for (p,) in await rows(stage, "SELECT extract(epoch FROM due - now())::float FROM task")]
    assert max(pauses) - min(pauses) > 10


async def test_what_fails_for_a_day_is_dead_and_holds_its_lane(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    await stage.hears(toy.filled(100, 2))
    await age(stage, hours=23)
    assert await rows(stage, PARKED) == [(2, "waiting")]
    await age(stage, hours=25)
    assert await rows(stage, PARKED) == [(3, "dead")]

    switch.failing = set()
    await stage.hears(toy.filled(100, 3))
    await release(stage)
    assert await rows(stage, PARKED) == [(3, "dead"), (0, "waiting")]
    assert await rows(stage, SEEN) == []


async def test_what_waits_for_somebody_elses_record_is_dead_after_three_days(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def needs_a_lid(event: BoxFilled, tx: Tx) -> None:
        await tx.view(LidView, LID)

    stage = await on_stage(toys)
    await stage.hears(toy.filled(100, 2))
    await age(stage, hours=71)
    assert await rows(stage, PARKED) == [(2, "waiting")]
    await age(stage, hours=73)
    assert await rows(stage, PARKED) == [(3, "dead")]


async def test_what_waited_behind_another_for_days_gets_its_own_time(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    await stage.hears(toy.filled(100, 2))
    await stage.hears(toy.filled(100, 3))
    await rows(stage, "DELETE FROM task WHERE attempts = 1")
    await age(stage, hours=25)
    assert await rows(stage, PARKED) == [(1, "waiting")]


async def test_two_workers_do_not_take_the_same_event(on_stage: OnStage) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    await stage.hears(toy.filled(100, 2))
    await rows(stage, "UPDATE task SET due = now(), leased_until = now() + interval '1 minute'")
    await stage.reactor.release_due()
    assert switch.calls == 2
    await rows(stage, "UPDATE task SET leased_until = now() - interval '1 second'")
    await stage.reactor.release_due()
    assert switch.calls == 3


async def age(stage: Stage, hours: int) -> None:
    """Tries what is parked as if it had been parked so long ago."""
    await rows(stage, "UPDATE task SET due = now(), since = now() - make_interval(hours => $1)", hours)
    await stage.reactor.release_due()
