"""A process that cannot do its work leaves; what libraries cancel is not taken for a wish to stop."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from sav_chassis.events.consumers import settle
from sav_chassis.vital_tasks import end, vital


@pytest.fixture
def told_to_leave() -> Iterator[asyncio.Event]:
    told = asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: told.set())
    yield told
    signal.signal(signal.SIGTERM, before)


async def fail() -> None:
    raise ZeroDivisionError


async def test_a_vital_task_that_fails_takes_the_process_with_it(told_to_leave: asyncio.Event) -> None:
    vital(asyncio.create_task(fail(), name="relay"))
    await asyncio.wait_for(told_to_leave.wait(), 2)


async def test_one_that_something_else_cancels_does_too(told_to_leave: asyncio.Event) -> None:
    vital(asyncio.create_task(asyncio.sleep(60), name="parking")).cancel()
    await asyncio.wait_for(told_to_leave.wait(), 2)


async def test_one_that_is_ended_on_purpose_or_done_does_not(told_to_leave: asyncio.Event) -> None:
    await end(vital(asyncio.create_task(asyncio.sleep(60), name="housekeeping")))
    await vital(asyncio.create_task(asyncio.sleep(0), name="lane"))
    await asyncio.sleep(0.05)
    assert not told_to_leave.is_set()


async def test_an_ack_that_a_stuck_connection_cancels_is_let_go() -> None:
    async def cancelled_ack() -> None:
        raise asyncio.CancelledError

    await settle(cancelled_ack)


async def test_who_is_really_cancelled_stops_while_it_acks() -> None:
    async def slow_ack() -> None:
        await asyncio.sleep(60)

    acking = asyncio.create_task(settle(slow_ack))
    await asyncio.sleep(0)
    acking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acking


async def test_an_ack_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sav_chassis.events.consumers.SETTLED_WITHIN", 0.05)
    never = asyncio.Event()

    async def stuck_ack() -> None:
        await never.wait()

    async with asyncio.timeout(5):
        await settle(stuck_ack)
