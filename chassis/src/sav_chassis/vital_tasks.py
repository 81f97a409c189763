"""Tasks without which a process only seems to work."""

import asyncio
import os
import signal
from typing import TypeVar

import structlog

T = TypeVar("T")
log = structlog.get_logger()


def vital(task: "asyncio.Task[T]") -> "asyncio.Task[T]":
    """Stops the process where the task fails or a library cancels it, so that another process takes over."""
    task.add_done_callback(_leave)
    return task


async def end(task: "asyncio.Task[T]") -> None:
    """Cancels a vital task on purpose, without stopping the process, and waits for its end."""
    task.remove_done_callback(_leave)
    task.cancel()
    await asyncio.wait([task])


def _leave(task: "asyncio.Task[T]") -> None:
    if task.cancelled() or task.exception():
        log.critical("vital task ended; the process exits", task=task.get_name(), exc_info=_cause(task))
        os.kill(os.getpid(), signal.SIGTERM)


def _cause(task: "asyncio.Task[T]") -> BaseException | None:
    return None if task.cancelled() else task.exception()
