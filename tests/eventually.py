"""Waiting for what an event brings."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T | None]], seconds: float = 30.0) -> T:
    """The first truthy thing that `look` sees; fails with the last one otherwise."""
    began = time.monotonic()
    while not (seen := await look()):
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds} s; last seen: {seen!r}"
        # What takes longer is often done in this process: whoever looks all the time holds it up.
        await asyncio.sleep(0.02 if waited < 1 else 0.1)
    return seen
