"""Progress on the terminal: one line per step with its elapsed time, live when somebody watches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

out = Console(highlight=False)


class Step:
    """A step under way; `note` becomes the text beside its name."""

    note = ""


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Show that `name` is under way, then its result and the seconds it took; a step that raises shows ✗."""
    began = time.monotonic()
    current = Step()
    mark = "[red]✗[/]"
    try:
        columns = SpinnerColumn(), TextColumn(f"{name:<12}"), TimeElapsedColumn()
        with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as live:
            live.add_task(name, total=None)
            yield current
        mark = "[green]✓[/]"
    finally:
        out.print(f"{mark} {name:<12} {time.monotonic() - began:5.1f} s  {current.note}", soft_wrap=True)
