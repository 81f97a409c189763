"""`sav restart`: stops and starts what runs, with the current code."""

import asyncio
from collections.abc import Sequence
from functools import partial

from sav_ops import queues, rooms
from sav_ops.home import Home, OpsError
from sav_ops.launch import platform, postgres, processes, rabbitmq, readiness
from sav_ops.settings import read_settings
from sav_ops.terminal.steps import step

SERVERS = {postgres.NAME: (postgres.stop, postgres.start), rabbitmq.NAME: (rabbitmq.stop, rabbitmq.start)}


def restart(home: Home, named: Sequence[str]) -> None:
    """Restart these rooms, processes or servers (none: all rooms), one replica of each room after the other."""
    with home.lock():
        servers = [name for name in named if name in SERVERS]
        waves = by_replica(chosen(home, [name for name in named if name not in SERVERS], bool(servers)))
        settings = read_settings(home)
        for server in servers:
            if server not in processes.expected_processes(home):
                raise OpsError(f"{server} is not of this home, or not up: ./sav up")
            with step(server):
                stop, start = SERVERS[server]
                stop(home)
                start(home)
        if waves:
            with step("Migrations"):
                asyncio.run(
                    platform.migrate(settings, {name.partition("-")[0] for wave in waves for name in wave})
                )
            with step("Topology"):
                asyncio.run(queues.declare(settings.broker_url))
        for wave in waves:
            with step("Services") as now:
                now.note = ", ".join(wave)
                processes.stop(home, wave)
                platform.start(home, *wave)
                for name in wave:
                    ready = partial(readiness.ready, home, name, settings)
                    processes.wait_ready(home, name, ready, platform.START_SECONDS)


def chosen(home: Home, named: Sequence[str], only_servers: bool) -> list[str]:
    """Return the processes to restart: for a room, all its replicas that are meant to run."""
    kept = platform.kept_rooms(home)
    if not named:
        if not kept and not only_servers:
            raise OpsError("No room is up: ./sav up")
        return [] if only_servers else kept
    for name in named:
        if name.partition("-")[0] not in rooms.ROOMS:
            raise OpsError(f"There is no {name}; there are: {', '.join((*rooms.ROOMS, *SERVERS))}.")
        if not any(name in (process, process.partition("-")[0]) for process in kept):
            raise OpsError(f"{name} is not up: ./sav up")
    return [process for process in kept if {process, process.partition("-")[0]} & set(named)]


def by_replica(names: Sequence[str]) -> list[list[str]]:
    """Return the processes in waves with at most one replica of a room: while a wave starts, the others work."""
    waves: dict[str, list[str]] = {}
    for name in names:
        waves.setdefault(name.partition("-")[2], []).append(name)
    return list(waves.values())
