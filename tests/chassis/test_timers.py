"""Timers: what is set is done when it is due, once; what is moved or forgotten is not done before, or at all."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
import toy
import world
from eventually import eventually
from structlog.testing import capture_logs
from toy import Box, BoxFilled, Seen
from toy_asking import OnStage, filled_of, rows
from toy_later import HOUR, LATER, RUNG, Clockwork, age, doing, end_leases, replica, soon
from toy_wire import wire

from sav_chassis.errors import NotYet
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM

BOX, OTHER = UUID(int=100), UUID(int=101)


@pytest.fixture
def clockwork() -> Clockwork:
    return Clockwork()


@pytest.fixture
async def stage(on_stage: OnStage, clockwork: Clockwork) -> Stage:
    return await on_stage(clockwork.service)


def test_two_timers_of_one_name_are_refused(clockwork: Clockwork) -> None:
    with pytest.raises(TypeError, match="two ring"):
        clockwork.service.timer(clockwork.ring)


async def test_a_timer_is_done_when_it_is_due_and_not_before(stage: Stage, clockwork: Clockwork) -> None:
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon(hours=1))
    await stage.passes(HOUR / 2)
    assert await rows(stage, RUNG) == []
    await stage.passes(HOUR)
    assert await rows(stage, RUNG) == [(BOX,)]
    await stage.passes(24 * HOUR)
    assert clockwork.rings == [BOX]
    assert await stage.waiting() == []


async def test_what_a_timer_tells_belongs_to_the_conversation_that_set_it(on_stage: OnStage) -> None:
    toys, conversation = toy.bare(), UUID(int=77)

    @toys.timer
    async def fill_up(id: UUID, tx: Tx) -> None:
        box = await tx.load(Box, id, SYSTEM)
        box.filled = 9
        tx.emit(box, BoxFilled(amount=9))

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    async with doing(stage, by=world.marie, correlation_id=conversation) as tx:
        tx.remind(fill_up, BOX, soon(hours=1))

    outcome = await stage.passes(HOUR)

    assert outcome.only(BoxFilled).state.filled == 9
    assert await rows(stage, "SELECT actor_role, correlation_id FROM event_log") == [("system", conversation)]


async def test_setting_it_again_moves_it(stage: Stage, clockwork: Clockwork) -> None:
    for hours in (1, 3, 2):
        async with doing(stage) as tx:
            tx.remind(clockwork.ring, BOX, soon(hours=hours))
    await stage.passes(1.5 * HOUR)
    assert clockwork.rings == []
    await stage.passes(HOUR)
    assert clockwork.rings == [BOX]
    assert await stage.waiting() == []


async def test_it_is_forgotten_for_that_record_only(stage: Stage, clockwork: Clockwork) -> None:
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon(hours=1))
        tx.remind(clockwork.ring, OTHER, soon(hours=1))
    async with doing(stage) as tx:
        tx.forget(clockwork.ring, BOX)
        tx.forget(clockwork.ring, UUID(int=999))
    await stage.passes(2 * HOUR)
    assert clockwork.rings == [OTHER]


async def test_the_last_word_in_a_transaction_holds(stage: Stage, clockwork: Clockwork) -> None:
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon(hours=1))
        tx.forget(clockwork.ring, BOX)
        tx.forget(clockwork.ring, OTHER)
        tx.remind(clockwork.ring, OTHER, soon(hours=1))
    assert [waiting.id for waiting in await stage.waiting()] == [OTHER]


async def test_a_transaction_that_fails_sets_nothing(stage: Stage, clockwork: Clockwork) -> None:
    async def fail() -> None:
        async with doing(stage) as tx:
            tx.remind(clockwork.ring, BOX, soon())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await stage.waiting() == []


async def test_one_that_sets_itself_again_is_done_at_each_of_its_times(on_stage: OnStage) -> None:
    toys, times = toy.bare(), []

    @toys.timer
    async def nag(id: UUID, tx: Tx) -> None:
        times.append(tx.now)
        tx.remind(nag, id, tx.now + timedelta(days=1))

    stage, begin = await on_stage(toys), soon()
    async with doing(stage) as tx:
        tx.remind(nag, BOX, begin + timedelta(days=1))
    await stage.passes(begin + timedelta(days=3, hours=1))
    assert [(time - begin).days for time in times] == [1, 2, 3]
    assert [waiting.attempts for waiting in await stage.waiting()] == [0]


async def test_one_that_is_moved_while_it_is_in_hand_is_done_at_its_new_time(
    stage: Stage, clockwork: Clockwork
) -> None:
    clockwork.go.clear()
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    ringing = asyncio.create_task(stage.timers.worker.once())
    await clockwork.inside.wait()
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon(hours=1))
    clockwork.go.set()
    await ringing

    assert await rows(stage, RUNG) == []
    [waiting] = await stage.waiting()
    assert (waiting.attempts, waiting.why) == (0, None)
    await stage.passes(HOUR)
    assert await rows(stage, RUNG) == [(BOX,)]


async def test_one_that_is_forgotten_while_it_is_in_hand_is_not_done(
    stage: Stage, clockwork: Clockwork
) -> None:
    clockwork.go.clear()
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    ringing = asyncio.create_task(stage.timers.worker.once())
    await clockwork.inside.wait()
    async with doing(stage) as tx:
        tx.forget(clockwork.ring, BOX)
    clockwork.go.set()
    await ringing
    assert await rows(stage, RUNG) == []
    assert await stage.waiting() == []


async def test_who_forgets_it_with_the_record_in_hand_does_not_deadlock_with_it(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.timer
    async def empty(id: UUID, tx: Tx) -> None:
        box = await tx.load(Box, id, SYSTEM)
        box.filled = 0
        tx.emit(box, BoxFilled())

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    async with doing(stage) as tx:
        tx.remind(empty, BOX, soon())
    with capture_logs() as logs:
        async with doing(stage) as tx:
            box = await tx.load(Box, BOX, SYSTEM)
            emptying = asyncio.create_task(stage.timers.worker.once())
            await eventually(lambda: rows(stage, "SELECT 1 FROM pg_locks WHERE NOT granted"))
            box.filled = 5
            tx.emit(box, BoxFilled())
            tx.forget(empty, BOX)
        await emptying
    assert await filled_of(stage, 100) == 5
    assert [line["event"] for line in logs] == ["timer superseded; not fired"]


async def test_two_replicas_do_each_timer_once(stage: Stage, clockwork: Clockwork) -> None:
    twin = Clockwork()
    async with doing(stage) as tx:
        for number in range(100, 140):
            tx.remind(clockwork.ring, UUID(int=number), soon())
    await asyncio.gather(*(one.timers.worker.once() for one in (stage, replica(stage, twin.service)) * 3))
    assert len(clockwork.rings + twin.rings) == 40
    assert len(set(await rows(stage, RUNG))) == 40


async def test_what_a_killed_replica_held_is_done_when_its_lease_ends(
    stage: Stage, clockwork: Clockwork
) -> None:
    clockwork.go.clear()
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    killed = asyncio.create_task(stage.timers.worker.once())
    await clockwork.inside.wait()
    killed.cancel()
    await asyncio.wait([killed])

    twin = Clockwork()
    other = replica(stage, twin.service)
    await other.timers.worker.once()
    assert twin.rings == []
    await end_leases(stage)
    await other.timers.worker.once()
    assert await rows(stage, RUNG) == [(BOX,)]
    assert await stage.waiting() == []


async def test_a_replica_that_was_too_slow_does_not_do_it_too(stage: Stage, clockwork: Clockwork) -> None:
    clockwork.go.clear()
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    slow = asyncio.create_task(stage.timers.worker.once())
    await clockwork.inside.wait()
    await end_leases(stage)
    await replica(stage, Clockwork().service).timers.worker.once()
    clockwork.go.set()
    await slow
    assert await rows(stage, RUNG) == [(BOX,)]


async def test_what_fails_is_undone_and_waits_with_its_cause(stage: Stage, clockwork: Clockwork) -> None:
    clockwork.failing = {BOX: ZeroDivisionError("no bell")}
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon(hours=1))
        tx.remind(clockwork.ring, OTHER, soon(hours=2))
    await stage.passes(3 * HOUR)
    assert await rows(stage, RUNG) == [(OTHER,)]
    [waiting] = await stage.waiting()
    assert (waiting.function, waiting.id, waiting.attempts) == ("ring", BOX, 1)
    assert waiting.why == "ZeroDivisionError: no bell"

    clockwork.failing = {}
    await stage.passes(HOUR)
    assert await rows(stage, RUNG) == [(OTHER,), (BOX,)]


@pytest.mark.parametrize(
    ("error", "hours"), [(ZeroDivisionError(), 24), (NotYet("lid", OTHER), 72)], ids=["any", "not yet"]
)
async def test_what_fails_too_long_is_dead_until_it_is_released(
    stage: Stage, clockwork: Clockwork, error: Exception, hours: int
) -> None:
    clockwork.failing = {BOX: error}
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    await stage.timers.worker.once()
    await age(stage, hours - 1)
    await stage.timers.worker.once()
    assert await rows(stage, LATER) == [("timer", 2, "waiting")]
    await age(stage, hours + 1)
    await stage.timers.worker.once()
    assert await rows(stage, LATER) == [("timer", 3, "dead")]

    clockwork.failing = {}
    await age(stage, 0)
    await stage.timers.worker.once()
    assert await rows(stage, RUNG) == []
    await rows(
        stage,
        """UPDATE task SET state = 'waiting', due = now(), leased_until = NULL, attempts = 0, since = now()
        WHERE state = 'dead'""",
    )
    await stage.timers.worker.once()
    assert await rows(stage, RUNG) == [(BOX,)]


async def test_setting_a_dead_one_again_makes_it_live(stage: Stage, clockwork: Clockwork) -> None:
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    await rows(stage, "UPDATE task SET state = 'dead', attempts = 9")
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    await stage.timers.worker.once()
    assert await rows(stage, RUNG) == [(BOX,)]


async def test_a_database_that_is_away_is_not_a_try(stage: Stage) -> None:
    toys = toy.bare()
    async with wire(stage.settings.database_url) as cable:

        @toys.timer
        async def ring(id: UUID, tx: Tx) -> None:
            cable.cut()
            tx.add(Seen(id=tx.new_id(), subject=id, version=1, by="ring"))

        async with doing(stage) as tx:
            tx.remind(ring, BOX, soon())
        far = Stage(toys, stage.settings.model_copy(update={"database_url": cable.url}))
        await far.database.open()
        try:
            with capture_logs() as logs:
                ringing = asyncio.create_task(far.timers.worker.once())

                async def noticed() -> list[object]:
                    return [line for line in logs if line["event"] == "database is away"]

                await eventually(noticed)
                await cable.mend()
                await ringing
        finally:
            await far.database.close()
    assert await rows(stage, "SELECT attempts, error, leased_until, state FROM task") == [
        (0, None, None, "waiting")
    ]


async def test_what_was_taken_when_the_stop_came_is_given_back(stage: Stage, clockwork: Clockwork) -> None:
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    stage.timers.worker.halt()
    await stage.timers.worker._begin_due()
    assert await rows(stage, "SELECT attempts, leased_until FROM task") == [(0, None)]
    assert clockwork.rings == []


async def test_a_timer_that_this_code_does_not_know_waits_for_code_that_does(
    stage: Stage, clockwork: Clockwork
) -> None:
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon())
    await replica(stage, toy.bare()).timers.worker.once()
    [waiting] = await stage.waiting()
    assert waiting.why == "LookupError: toy has no timer ring"
    await stage.passes(HOUR)
    assert await rows(stage, RUNG) == [(BOX,)]
