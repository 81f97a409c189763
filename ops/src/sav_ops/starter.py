"""Starts rooms as processes: what all of them import is imported once, then each is a fork.

Eight processes do not import the same libraries eight times, and share their memory until somebody writes to it.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import active_count
from typing import NamedTuple, NoReturn

from sav_ops import processes, rooms
from sav_ops.home import Home


class Start(NamedTuple):
    """A process of a room: its name (`claims-2`), where it works and writes, and all its variables."""

    name: str
    folder: str
    log: str
    environment: dict[str, str]


def start(home: Home, environments: Mapping[str, Mapping[str, str]]) -> None:
    """Start the processes of these names, each with these variables."""
    starts = [
        Start(name, str(home.root), str(processes.log_of(home, name)), dict(environment))
        for name, environment in environments.items()
    ]
    # Nobody's keys stand in the variables that a fork shows to the system.
    asked = subprocess.run(
        [sys.executable, "-P", "-m", "sav_ops.starter"],
        input=json.dumps(starts),
        stdout=subprocess.PIPE,
        env=home.environment("nobody"),
        text=True,
        check=True,
    )
    for one, pid in zip(starts, asked.stdout.split(), strict=True):
        processes.note(home, one.name, int(pid))


def main() -> None:
    """Fork everybody whom the standard input names; print their process ids."""
    starts = [Start(*one) for one in json.load(sys.stdin)]
    import sav_chassis.runner  # noqa: F401  what they share

    if active_count() > 1:
        raise RuntimeError("a library starts threads when it is imported: no process can be forked from here")
    gc.freeze()
    for one in starts:
        print(os.fork() or become(one), flush=True)


def become(one: Start) -> NoReturn:
    """Work as this process until it is told to stop."""
    os.setsid()
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(one.log, os.O_WRONLY | os.O_APPEND)
    for descriptor, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, standard)
    os.environ.clear()
    os.environ.update(one.environment)
    os.chdir(one.folder)
    Path("/proc/self/comm").write_text(f"sav {one.name}")  # what `ps` and `top` show
    rooms.load(one.name.partition("-")[0]).run()
    sys.exit(0)


if __name__ == "__main__":
    main()
