"""Effects: what leaves the database is done after the commit, outside any transaction, and its outcome recorded."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
import structlog
import toy
import world
from eventually import eventually
from structlog.testing import capture_logs
from toy import Box, BoxFilled
from toy_asking import OnStage, filled_of, rows
from toy_later import LATER, Clockwork, age, doing, end_leases, replica, soon
from toy_wire import wire

from sav_chassis.errors import TryLater
from sav_chassis.scheduled import effects as effecting
from sav_chassis.testing import Stage
from sav_chassis.tx import EffectRun
from sav_contracts.actor import SYSTEM

BOX, OTHER = UUID(int=100), UUID(int=101)


@pytest.fixture
def clockwork() -> Clockwork:
    return Clockwork()


@pytest.fixture
async def stage(on_stage: OnStage, clockwork: Clockwork) -> Stage:
    stage = await on_stage(clockwork.service)
    await stage.given(toy.box(100, world.lea), toy.box(101, world.paul))
    return stage


async def ask_for(stage: Stage, clockwork: Clockwork, *boxes: UUID) -> None:
    async with doing(stage) as tx:
        for box in boxes:
            tx.later(clockwork.deliver, box)


def test_two_effects_of_one_name_are_refused(clockwork: Clockwork) -> None:
    with pytest.raises(TypeError, match="two deliver"):
        clockwork.service.effect(clockwork.deliver)


async def test_what_is_asked_for_is_done_and_its_outcome_told(stage: Stage, clockwork: Clockwork) -> None:
    conversation = UUID(int=77)
    async with doing(stage, by=world.marie, correlation_id=conversation) as tx:
        tx.later(clockwork.deliver, BOX)
    outcome = await stage.runs_effects()
    assert outcome.only(BoxFilled).state.filled == 1
    assert await rows(stage, "SELECT actor_role, correlation_id FROM event_log") == [("system", conversation)]
    assert clockwork.runs == [(BOX, 1)]
    assert await stage.waiting() == []


async def test_a_transaction_that_fails_asks_for_nothing(stage: Stage, clockwork: Clockwork) -> None:
    async def fail() -> None:
        async with doing(stage) as tx:
            tx.later(clockwork.deliver, BOX)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await stage.waiting() == []


async def test_what_may_wait_is_not_done_before(stage: Stage, clockwork: Clockwork) -> None:
    async with doing(stage) as tx:
        tx.later(clockwork.deliver, BOX, after=timedelta(seconds=10))
        assert not tx.due_soon
    await stage.effects.worker.once()
    assert clockwork.runs == []
    [waiting] = await stage.waiting()
    assert timedelta(seconds=8) < waiting.due - stage.now() <= timedelta(seconds=10)
    await stage.runs_effects()
    assert clockwork.runs == [(BOX, 1)]


async def test_what_is_asked_for_twice_is_done_once(stage: Stage, clockwork: Clockwork) -> None:
    await ask_for(stage, clockwork, BOX)
    await ask_for(stage, clockwork, BOX, BOX)
    await stage.runs_effects()
    assert clockwork.runs == [(BOX, 1)]
    assert await stage.waiting() == []


async def test_what_is_asked_for_while_it_runs_is_done_once_more(stage: Stage, clockwork: Clockwork) -> None:
    clockwork.go.clear()
    await ask_for(stage, clockwork, BOX)
    running = asyncio.create_task(stage.effects.worker.once())
    await clockwork.inside.wait()
    await ask_for(stage, clockwork, BOX)
    clockwork.go.set()
    await running
    assert [(waiting.id, waiting.attempts) for waiting in await stage.waiting()] == [(BOX, 0)]
    await stage.effects.worker.once()
    assert clockwork.runs == [(BOX, 1), (BOX, 1)]
    assert await stage.waiting() == []


async def test_an_effect_may_ask_for_itself_again(on_stage: OnStage) -> None:
    toys, runs = toy.bare(), []

    @toys.effect
    async def send_on(id: UUID, begin: EffectRun) -> None:
        runs.append(id)
        async with begin() as tx:
            if len(runs) < 3:
                tx.later(send_on, id)

    stage = await on_stage(toys)
    async with doing(stage) as tx:
        tx.later(send_on, BOX)
    for _ in range(5):
        await stage.runs_effects()
    assert runs == [BOX] * 3


async def test_one_that_waits_does_not_begin_before_whoever_asks_again_has_committed(
    stage: Stage, clockwork: Clockwork
) -> None:
    """It would not see what that transaction wrote, and nothing would run after it."""
    await ask_for(stage, clockwork, BOX)
    async with doing(stage) as tx:
        tx.later(clockwork.deliver, BOX)
        await tx.seal()
        await stage.effects.worker.once()
        assert clockwork.runs == []
    await stage.effects.worker.once()
    assert clockwork.runs == [(BOX, 1)]


async def test_an_outcome_that_fails_is_rolled_back_and_tried_again(
    stage: Stage, clockwork: Clockwork
) -> None:
    clockwork.failing = {BOX: ZeroDivisionError("no address")}
    await ask_for(stage, clockwork, BOX, OTHER)
    await stage.runs_effects()
    assert (await filled_of(stage, 100), await filled_of(stage, 101)) == (0, 1)
    [waiting] = await stage.waiting()
    assert (waiting.function, waiting.id, waiting.attempts) == ("deliver", BOX, 1)
    assert waiting.why == "ZeroDivisionError: no address"

    clockwork.failing = {}
    await stage.runs_effects()
    assert [attempt for box, attempt in clockwork.runs if box == BOX] == [1, 2]
    assert await filled_of(stage, 100) == 1
    assert await stage.waiting() == []


@pytest.mark.parametrize(
    ("error", "traced"), [(TryLater("the mailbox is full"), False), (ZeroDivisionError(), True)]
)
async def test_only_what_was_not_expected_is_logged_with_its_traceback(
    stage: Stage, clockwork: Clockwork, error: Exception, traced: bool
) -> None:
    clockwork.failing = {BOX: error}
    await ask_for(stage, clockwork, BOX)
    with capture_logs() as logs:
        await stage.runs_effects()
    [line] = [line for line in logs if line["event"] == "not done yet"]
    assert line["log_level"] == "warning"
    assert line["error"] == repr(error)
    assert (line["exc_info"] is error) == traced


async def test_what_fails_for_a_day_is_dead_until_it_is_asked_for_again(
    stage: Stage, clockwork: Clockwork
) -> None:
    clockwork.failing = {BOX: TryLater("the mailbox is full")}
    await ask_for(stage, clockwork, BOX)
    await stage.runs_effects()
    await age(stage, hours=23)
    await stage.effects.worker.once()
    assert await rows(stage, LATER) == [("effect", 2, "waiting")]
    await age(stage, hours=25)
    await stage.effects.worker.once()
    assert await rows(stage, LATER) == [("effect", 3, "dead")]

    clockwork.failing = {}
    await stage.runs_effects()
    assert await filled_of(stage, 100) == 0
    await ask_for(stage, clockwork, BOX)
    await stage.runs_effects()
    assert await filled_of(stage, 100) == 1
    assert clockwork.runs[-1] == (BOX, 1)


async def test_two_replicas_run_each_effect_once(stage: Stage, clockwork: Clockwork) -> None:
    twin = Clockwork()
    boxes = [UUID(int=number) for number in range(200, 240)]
    await stage.given(*(toy.box(box.int, world.lea) for box in boxes))
    await ask_for(stage, clockwork, *boxes)
    await asyncio.gather(*(one.effects.worker.once() for one in (stage, replica(stage, twin.service)) * 3))
    assert sorted(clockwork.runs + twin.runs) == [(box, 1) for box in boxes]


async def test_what_a_killed_replica_had_begun_is_run_again_by_another(
    stage: Stage, clockwork: Clockwork
) -> None:
    clockwork.go.clear()
    await ask_for(stage, clockwork, BOX)
    killed = asyncio.create_task(stage.effects.worker.once())
    await clockwork.inside.wait()
    killed.cancel()
    await asyncio.wait([killed])

    twin = Clockwork()
    other = replica(stage, twin.service)
    await other.effects.worker.once()
    assert twin.runs == []
    await end_leases(stage)
    await other.effects.worker.once()
    assert twin.runs == [(BOX, 2)]
    assert await filled_of(stage, 100) == 1
    assert await stage.waiting() == []


async def test_a_database_that_goes_away_after_the_work_leaves_the_next_run_knowing_of_it(
    stage: Stage,
) -> None:
    toys, attempts = toy.bare(), []
    async with wire(stage.settings.database_url) as cable:

        @toys.effect
        async def send(id: UUID, begin: EffectRun) -> None:
            attempts.append(begin.attempt)
            if len(attempts) == 1:
                cable.cut()
            async with begin() as tx:
                await tx.load(Box, id, SYSTEM)

        async with doing(stage) as tx:
            tx.later(send, BOX)
        far = Stage(toys, stage.settings.model_copy(update={"database_url": cable.url}))
        await far.database.open()
        try:
            with capture_logs() as logs:
                sending = asyncio.create_task(far.effects.worker.once())

                async def noticed() -> list[object]:
                    return [line for line in logs if line["event"] == "database is away"]

                await eventually(noticed)
                await cable.mend()
                await sending
            await far.runs_effects()
        finally:
            await far.database.close()
    assert attempts == [1, 2]
    assert await stage.waiting() == []


async def test_a_failure_is_logged_with_its_conversation(stage: Stage, clockwork: Clockwork) -> None:
    clockwork.failing = {BOX: TryLater("the mailbox is full")}
    async with doing(stage, correlation_id=UUID(int=77)) as tx:
        tx.later(clockwork.deliver, BOX)
        tx.remind(clockwork.ring, BOX, soon())
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        await stage.runs_effects()
        await stage.timers.worker.once()
    told = [line["correlation_id"] for line in logs if line["event"] == "not done yet"]
    assert told == [str(UUID(int=77))] * 2


async def test_a_run_that_takes_too_long_is_given_up_and_tried_again(
    stage: Stage, clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effecting, "RUN_WITHIN", 0.05)
    clockwork.go.clear()
    await ask_for(stage, clockwork, BOX)
    await stage.runs_effects()
    [waiting] = await stage.waiting()
    assert (waiting.attempts, waiting.state) == (1, "waiting")
    assert waiting.why is not None
    assert waiting.why.startswith("TimeoutError")


async def test_a_run_is_not_cut_off_in_the_middle_of_a_transaction(
    on_stage: OnStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effecting, "RUN_WITHIN", 0.05)
    toys, further = toy.bare(), []

    @toys.effect
    async def dawdle(id: UUID, begin: EffectRun) -> None:
        async with begin() as tx:
            box = await tx.load(Box, id, SYSTEM)
            await asyncio.sleep(0.3)
            box.filled = 7
            tx.emit(box, BoxFilled())
        async with begin():
            further.append(id)

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    async with doing(stage) as tx:
        tx.later(dawdle, BOX)
    await stage.runs_effects()
    assert await filled_of(stage, 100) == 7
    assert further == []
    assert [waiting.attempts for waiting in await stage.waiting()] == [1]
