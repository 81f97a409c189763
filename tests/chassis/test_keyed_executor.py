"""Keyed lanes: order within a key, keys side by side, so many at once and no more."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sav_chassis.events.keyed_executor import Callback, KeyedExecutor


class Watch:
    """Jobs that write down when they begin and end."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.begun: list[Any] = []
        self.ended: list[Any] = []

    def job(self, name: Any, steps: int = 1) -> Callback:
        async def work() -> None:
            self.begun.append(name)
            self.running += 1
            self.most = max(self.most, self.running)
            for _ in range(steps):
                await asyncio.sleep(0)
            self.running -= 1
            self.ended.append(name)

        return work


JOBS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=40)


@given(jobs=JOBS, width=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
async def test_jobs_of_one_key_run_one_after_another_in_their_order(
    jobs: list[tuple[int, int]], width: int
) -> None:
    watch, lanes = Watch(), KeyedExecutor(width)
    wanted = defaultdict(list)
    for number, (key, steps) in enumerate(jobs):
        wanted[key].append((key, number))
        lanes.put(key, watch.job((key, number), steps))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await until(lambda: len(watch.ended) == len(jobs))

    assert watch.most <= width
    for key, names in wanted.items():
        assert [name for name in watch.begun if name[0] == key] == names
        assert [name for name in watch.ended if name[0] == key] == names


async def test_different_keys_run_side_by_side() -> None:
    lanes, all_there = KeyedExecutor(3), asyncio.Barrier(3)

    async def meet() -> None:
        await all_there.wait()

    for key in "abc":
        lanes.put(key, meet)
    await asyncio.wait_for(lanes.close(), 1)
    assert all_there.n_waiting == 0


async def test_no_more_run_at_once_than_there_is_room_for() -> None:
    watch, lanes = Watch(), KeyedExecutor(3)
    for key in range(10):
        lanes.put(key, watch.job(key, steps=5))
    await until(lambda: len(watch.ended) == 10)
    assert watch.most == 3


async def test_a_key_can_come_back_when_its_lane_was_empty() -> None:
    watch, lanes = Watch(), KeyedExecutor(1)
    for number in range(3):
        lanes.put("a", watch.job(number))
        await until(lambda: len(watch.ended) == len(watch.begun) == number + 1)  # noqa: B023
    assert watch.ended == [0, 1, 2]


async def test_close_starts_nothing_more_and_waits_for_what_runs() -> None:
    watch, lanes = Watch(), KeyedExecutor(2)
    for name in ("a1", "a2", "b1", "c1"):
        lanes.put(name[0], watch.job(name, steps=20))
    await until(lambda: watch.running == 2)

    await lanes.close()

    assert watch.running == 0
    assert sorted(watch.ended) == ["a1", "b1"]
    lanes.put("d", watch.job("d1"))
    for _ in range(50):
        await asyncio.sleep(0)
    assert sorted(watch.begun) == ["a1", "b1"]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is awaited is the next turn of the loop
            await asyncio.sleep(0)
