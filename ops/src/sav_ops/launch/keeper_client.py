"""Orders to the keeper: start a process as its child. One line of JSON each way, over a socket in the home's run/."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sav_ops.home import Home, OpsError

KEEPER = "keeper"
SOCKET = "keeper.socket"
# Seconds. The start of all rooms imports every library, perhaps on a busy machine.
PATIENCE = 120.0


class Spawn(NamedTuple):
    """An order to run a command: its variables, working directory and log file."""

    command: list[str]
    env: dict[str, str]
    cwd: str
    log: str


class Start(NamedTuple):
    """An order to start processes by name (`postgres`, `claims-2`), with the variables of the caller's shell."""

    names: list[str]
    given: dict[str, str]


def give(home: Home, order: Spawn | Start, patience: float = PATIENCE) -> int:
    """Send an order; return the pid that was spawned (for a Start: 0); an OpsError says why it failed."""
    try:
        with reached(home) as where, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(patience)
            line.connect(where)
            line.sendall(json.dumps({type(order).__name__: order._asdict()}).encode() + b"\n")
            with line.makefile() as answers:
                answer: dict[str, Any] = json.loads(answers.readline())
    except (OSError, ValueError) as error:
        raise OpsError(f"The keeper of {home.root} does not answer ({error}): ./sav up") from None
    if problem := answer.get("problem"):
        raise OpsError(problem)
    return int(answer.get("pid", 0))


@contextmanager
def reached(home: Home) -> Iterator[str]:
    """Yield a short path of the socket: the system allows 107 characters, and a home's own path may be longer."""
    folder = os.open(home.run, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


def bare_environment(home: Home) -> dict[str, str]:
    """Return the variables of a process that only starts others: no keys, and no settings of one shell."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    return mine | {"SAV_HOME": str(home.root)}
