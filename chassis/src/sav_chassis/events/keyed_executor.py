"""Runs jobs by key: those of one key one after another, in order; those of different keys in parallel."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

from sav_chassis.vital_tasks import vital

Callback = Callable[[], Awaitable[None]]


class KeyedExecutor:
    """At most `width` jobs run at once."""

    def __init__(self, width: int) -> None:
        self._width = asyncio.Semaphore(width)
        self._waiting: dict[Hashable, deque[Callback]] = {}
        self._runners: set[asyncio.Task[None]] = set()
        self._closed = False

    def put(self, key: Hashable, job: Callback) -> None:
        """Queues the job under its key immediately, without awaiting anything."""
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
        """Starts nothing more, and returns when the running jobs have ended."""
        self._closed = True
        if self._runners:
            await asyncio.wait(self._runners)

    async def _run(self, key: Hashable) -> None:
        callbacks = self._waiting[key]
        try:
            while callbacks and not self._closed:
                async with self._width:
                    if not self._closed:
                        await callbacks[0]()
                callbacks.popleft()
        finally:
            del self._waiting[key]
