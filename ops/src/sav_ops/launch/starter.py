"""Starts processes by name, and ends: then the keeper, its parent, becomes the parent of what it started.

It imports once what all rooms import, then forks each process: eight processes do not import the same libraries eight
times, and share their memory until one writes to it. A later start uses another starter, with the code of that time:
no process mixes old and new code.
"""

import gc
import json
import os
import sys
from pathlib import Path
from threading import active_count
from typing import NoReturn

from sav_ops import home as homes
from sav_ops import rooms
from sav_ops.home import Home, OpsError
from sav_ops.launch import keeper_client, processes, readiness


def main() -> None:
    """Start the processes that the standard input names, unless they run."""
    order = keeper_client.Start(**json.load(sys.stdin))
    homes.GIVEN.clear()
    homes.GIVEN.update(order.given)
    home = Home.default()
    servers = [name for name in order.names if name.partition("-")[0] not in rooms.ROOMS]
    wrong = [problem for name in servers if (problem := start_server(home, name))]
    start_rooms(home, [name for name in order.names if name not in servers])
    sys.exit("\n".join(wrong) or 0)


def start_server(home: Home, name: str) -> str | None:
    """Start a server at its last port, unless it runs; return the reason if that fails."""
    from sav_ops.launch import postgres, rabbitmq

    again = {postgres.NAME: postgres.again, rabbitmq.NAME: rabbitmq.again, rabbitmq.EPMD: rabbitmq.epmd_again}
    try:
        if not processes.running(home, name):
            again[name](home)
    except (OSError, OpsError) as error:
        return f"{name}: {error}"
    return None


def start_rooms(home: Home, names: list[str]) -> None:
    missing = [name for name in names if not processes.running(home, name)]
    ports = {name: readiness.give_port(home, name) for name in missing}
    logs = {name: processes.log_of(home, name) for name in missing}
    if missing:
        import sav_chassis.process.runner  # noqa: F401  imported once for all forks
    if active_count() > 1:
        raise RuntimeError("a library starts threads when it is imported: no process can be forked from here")
    gc.freeze()
    for name in missing:
        pid = os.fork() or become(home, name, ports[name], logs[name])
        processes.note(home, name, pid)


def become(home: Home, name: str, port: int, log: Path) -> NoReturn:
    """Run in this fork as the process `name` until it is told to stop."""
    os.setsid()
    nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND)
    for descriptor, standard in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(descriptor, standard)
    room = name.partition("-")[0]
    environment = home.environment(room) | {"SAV_HEALTH_PORT": str(port)}
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(home.root)
    Path("/proc/self/comm").write_text(f"sav {name}")  # what `ps` and `top` show
    rooms.run(room)
    sys.exit(0)


if __name__ == "__main__":
    main()
