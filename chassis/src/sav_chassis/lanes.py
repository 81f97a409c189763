"""Keyed lanes: jobs of one key one after another in the order they came, different keys side by side."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

from sav_chassis.vital import vital

Job = Callable[[], Awaitable[None]]


class Lanes:
    """At most `width` jobs run at once."""

    def __init__(self, width: int) -> None:
        self._width = asyncio.Semaphore(width)
        self._waiting: dict[Hashable, deque[Job]] = {}
        self._runners: set[asyncio.Task[None]] = set()
        self._closed = False

    def put(self, key: Hashable, job: Job) -> None:
        """Takes its place in the lane at once, before anything is awaited."""
        if self._closed:
            return
        if key in self._waiting:
            self._waiting[key].append(job)
            return
        self._waiting[key] = deque([job])
        runner = vital(asyncio.create_task(self._run(key), name="lane"))
        self._runners.add(runner)
        runner.add_done_callback(self._runners.discard)

    async def close(self) -> None:
        """Starts nothing more and returns when what runs has ended."""
        self._closed = True
        if self._runners:
            await asyncio.wait(self._runners)

    async def _run(self, key: Hashable) -> None:
        lane = self._waiting[key]
        try:
            while lane and not self._closed:
                async with self._width:
                    if not self._closed:
                        await lane[0]()
                lane.popleft()
        finally:
            del self._waiting[key]
