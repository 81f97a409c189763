"""Waiting for what an event brings."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T | None]], seconds: float = 30.0) -> T:
    """The first truthy thing that `look` sees; fails with the last one otherwise."""
    until = time.monotonic() + seconds
    while not (seen := await look()):
        assert time.monotonic() < until, f"not within {seconds} s; last seen: {seen!r}"
        await asyncio.sleep(0.02)
    return seen
