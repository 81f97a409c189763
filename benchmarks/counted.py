"""When the first of a number of things began and when the last was done."""

import asyncio
import time


class Counted:
    """Counts what is done, up to a number."""

    def __init__(self, number: int) -> None:
        self._missing = number
        self._began: float | None = None
        self._over = asyncio.Event()
        self._ended = 0.0

    def begin(self) -> None:
        """The first call starts the clock."""
        if self._began is None:
            self._began = time.perf_counter()

    def done(self, number: int = 1) -> None:
        self._missing -= number
        if self._missing <= 0 and not self._over.is_set():
            self._ended = time.perf_counter()
            self._over.set()

    @property
    def over(self) -> bool:
        return self._over.is_set()

    async def seconds(self) -> float:
        """Waits for the last one."""
        await self._over.wait()
        assert self._began is not None
        return self._ended - self._began
