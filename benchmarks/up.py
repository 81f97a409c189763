"""`./sav up` in a fresh clone, and again after `./sav down`; what the platform takes at rest."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from harness import Aim, Contender, Figures, Measured, interleaved

from sav_chassis.settings import Settings
from sav_ops.home import REPO, Home, free_port
from sav_ops.launch import processes

REST = 15
AIMS = (
    Aim("fresh s", 60, "most"),
    Aim("again s", 15, "most"),
    Aim("GB at rest", 1.2, "most"),
)
NOTES = (
    "One round. Fresh is a `git clone` of the last commit without environment, keys or data: `./sav up` makes all of it, "
    "with packages from uv's cache and RabbitMQ from wherever `./sav up` finds it. Memory is the proportional set size "
    f"of every process, {REST} s after the start: what processes share counts once.",
)


async def measure(settings: Settings, rounds: int) -> Measured:
    """Seconds until SAV is up, the first time and the second, and its memory in GB (10⁹ bytes)."""
    del settings, rounds  # servers and an environment of its own; it takes minutes, and is about them
    measured = await interleaved("Up: from a clone to a running platform", [Contender("SAV", ours)], AIMS, 1)
    measured.notes += NOTES
    return measured


async def ours() -> Figures:
    return await asyncio.to_thread(figures)


def figures() -> Figures:
    with clone() as (folder, environment):

        def sav(*words: str) -> float:
            began = time.perf_counter()
            subprocess.run(
                ["./sav", *words], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL
            )
            return time.perf_counter() - began

        try:
            fresh = sav("up")
            sav("down")
            again = sav("up")
            time.sleep(REST)
            parts = memory(Home(folder / ".sav"))
        finally:
            sav("down", "--wipe", "--yes")
    return {"fresh s": fresh, "again s": again, "GB at rest": sum(parts.values()), **parts}


@contextmanager
def clone() -> Iterator[tuple[Path, dict[str, str]]]:
    """The last commit in a folder of its own, and the variables of a shell that knows nothing of SAV."""
    area = Path(tempfile.mkdtemp(prefix="sav-up-"))
    area.chmod(0o755)  # PostgreSQL runs as nobody when we are root
    try:
        subprocess.run(["git", "clone", "--quiet", REPO, area / "sav"], check=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
        yield area / "sav", environment | {"SAV_EDGE_PORT": str(free_port())}
    finally:
        shutil.rmtree(area)


def memory(home: Home) -> Figures:
    """GB of rooms, broker and database, with everything they have started."""
    parts = dict.fromkeys(("GB of rooms", "GB of RabbitMQ", "GB of PostgreSQL"), 0.0)
    servers = {"rabbitmq": "GB of RabbitMQ", "epmd": "GB of RabbitMQ", "postgres": "GB of PostgreSQL"}
    seen: set[int] = set()
    for name in sorted(file.stem for file in home.run.glob("*.pid")):
        for process in family(home, name):
            if process.pid not in seen:
                seen.add(process.pid)
                parts[servers.get(name, "GB of rooms")] += process.memory_full_info().pss / 1e9
    return parts


def family(home: Home, name: str) -> list[psutil.Process]:
    pid = processes.running(home, name)
    if pid is None:
        return []
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
