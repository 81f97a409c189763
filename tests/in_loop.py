"""Hypothesis with coroutines."""

import asyncio
from typing import Any


async def run(send: Any) -> None:
    """Hypothesis calls a function; the coroutines go to the loop that the system runs in."""
    loop = asyncio.get_running_loop()
    inner = send.hypothesis.inner_test

    def in_loop(**drawn: Any) -> None:
        asyncio.run_coroutine_threadsafe(inner(**drawn), loop).result(20)

    send.hypothesis.inner_test = in_loop
    await asyncio.to_thread(send)
