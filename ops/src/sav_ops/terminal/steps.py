"""Steps on the terminal: one line for each with its elapsed time, live on a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sav_ops.terminal.console import out


class Step:
    """A step that runs; its `note` is printed after its name when it ends."""

    note = ""


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Show that `name` runs, then its note and the seconds it took; ✗ where it raises."""
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
