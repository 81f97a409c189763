"""A progress bar: how much is done, how fast, and the time that remains."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as Bar
from rich.text import Text

from sav_ops.terminal.console import out

# Seconds between two lines where the output is no terminal.
EVERY = 5.0

# Called with the number of things done and their total; the total may change.
Tell = Callable[[int, int], None]


class Rate(ProgressColumn):
    """Number of things done a second."""

    def render(self, task: Bar) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "–", "cyan")


@contextmanager
def counting(name: str) -> Iterator[Tell]:
    """Show a bar and yield the function that moves it; print lines instead where the output is no terminal."""
    columns = (
        TextColumn(f"{name:<12}"),
        BarColumn(20),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as live:
        bar = live.add_task(name, total=None)
        line = _Lines(name)

        def tell(done: int, total: int) -> None:
            live.update(bar, completed=done, total=total)
            if not out.is_terminal:
                line.tell(done, total)

        yield tell


class _Lines:
    def __init__(self, name: str) -> None:
        self._name = name
        self._began = self._told = time.monotonic()

    def tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told < EVERY or not done:
            return
        self._told = now
        rate = done / (now - self._began)
        left = max(total - done, 0) / rate
        out.print(f"{self._name:<12} {done:,} of {total:,}, {rate:,.0f}/s, {left:.0f} s left")
