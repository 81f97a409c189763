"""What a measure stands on: the private servers, rooms and baselines as processes of their own, databases of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import psutil

from sav_chassis import topology
from sav_chassis.settings import Settings
from sav_ops.home import REPO, Home, OpsError, free_port
from sav_ops.launch import platform, processes
from sav_ops.queues import depths
from sav_ops.rooms import EDGE, ROOMS

BASELINES = REPO / "benchmarks" / "baselines"
START_SECONDS = 60
# Celery's own name for its queue.
CELERY = "celery"


class Ground:
    """Starts and stops what is measured; `settings` name the servers and this measure's databases."""

    def __init__(self, settings: Settings) -> None:
        self.home = Home.default()
        self.settings = settings

    @classmethod
    async def fresh(cls, settings: Settings, name: str) -> "Ground":
        """The same servers with databases of this measure's own, empty, and nothing left in the queues."""
        settings = settings.model_copy(update={"database_prefix": f"bench_{name}", "edge_port": free_port()})
        await drop(settings)
        await platform.migrate(settings)
        async with await aio_pika.connect(settings.broker_url) as broker, broker.channel() as channel:
            await topology.declare(channel)
            await channel.declare_queue(CELERY, durable=True)
            for queue in (*topology.wanted(), CELERY):
                await (await channel.get_queue(queue, ensure=False)).purge()
        return cls(settings)

    @asynccontextmanager
    async def rooms(self, *names: str) -> AsyncIterator[None]:
        """These rooms as `sav up` runs them, one process each (another one: `edge-2`), ready; stopped at the end."""
        async with AsyncExitStack() as stack:
            for name in names:
                stack.push_async_callback(asyncio.to_thread, processes.stop, self.home, [name])
                self.start_room(name)
            for name in names:
                await self.ready(name)
            yield

    def start_room(self, name: str) -> None:
        mine = {
            "SAV_DATABASE_PREFIX": self.settings.database_prefix,
            "SAV_EDGE_PORT": str(self.settings.edge_port),
            # Everybody here is one person.
            "SAV_RATE_LIMITS_SCALE": "100000",
        }
        room = name.partition("-")[0]
        command = [sys.executable, "-P", "-m", "sav_ops.rooms", room]
        processes.start(self.home, name, command, self.home.environment(room) | mine, cwd=self.home.root)

    async def ready(self, name: str) -> None:
        """Returns when the room takes its messages, and the edge its requests."""
        room, _, number = name.partition("-")
        await self.listens(name, "edge.views" if room == EDGE else f"{room}.commands", int(number or 1))
        if room == EDGE:
            await reachable(self.settings.edge_port)

    async def listens(self, name: str, queue: str, consumers: int = 1) -> None:
        """Returns when the queue has so many consumers, of which this process is the last to come."""

        def has_consumer() -> bool:
            found = asyncio.run(depths(self.settings.broker_url, [queue])).get(queue)
            return found is not None and found.consumers >= consumers

        await asyncio.to_thread(processes.wait_ready, self.home, name, has_consumer, START_SECONDS)

    @asynccontextmanager
    async def web(self, app: str, pool: int) -> AsyncIterator[int]:
        """`<file>:<app>` of the baselines behind the server that the edge has, set up alike; yields its port."""
        port = free_port()
        words = "--loop uvloop --http httptools --no-access-log --no-server-header --log-level warning"
        command = ["uvicorn", app, "--port", str(port), *words.split()]
        async with self.baseline(app.partition(":")[0], *command, POOL=str(pool)):
            await reachable(port)
            yield port

    @asynccontextmanager
    async def baseline(self, name: str, *module: str, **more: str) -> AsyncIterator[None]:
        """`python -m <module …>` beside the baselines' files, with their packages; stopped at the end."""
        self.start_baseline(name, *module, **more)
        try:
            yield
        finally:
            await asyncio.to_thread(self.stop, name)

    def start_baseline(self, name: str, *module: str, **more: str) -> None:
        environment = self.home.environment() | baseline_environment(self.settings) | more
        processes.start(self.home, name, [sys.executable, "-m", *module], environment, cwd=BASELINES)

    @asynccontextmanager
    async def worker(self, name: str, late: bool = False) -> AsyncIterator[None]:
        """A Celery worker as `celery worker` starts it; `late`: a task is acknowledged when it is done."""
        await self.start_worker(name, late)
        try:
            yield
        finally:
            await asyncio.to_thread(self.stop, name)

    async def start_worker(self, name: str, late: bool) -> None:
        words = ["celery", "-A", "celery_tasks", "worker", "--loglevel", "warning"]
        self.start_baseline(name, *words, **({"ACKS_LATE": "1"} if late else {}))
        await self.listens(name, CELERY)

    def stop(self, name: str) -> None:
        """Stops a process and whatever it has started."""
        children = self._children(name)
        processes.stop(self.home, [name])
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()

    def kill(self, name: str) -> None:
        """kill -9 of a process and whatever it has started."""
        children = self._children(name)
        processes.stop(self.home, [name], signal.SIGKILL)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()

    def _children(self, name: str) -> list[psutil.Process]:
        pid = processes.running(self.home, name)
        return psutil.Process(pid).children(recursive=True) if pid else []

    def pids(self, *names: str) -> list[int]:
        """Of these processes, as far as they run."""
        return [pid for name in names if (pid := processes.running(self.home, name))]


def baseline_environment(settings: Settings) -> dict[str, str]:
    return {
        # What `./sav bench` has installed for baselines alone.
        "PYTHONPATH": os.environ["SAV_BENCH_PACKAGES"],
        "SAV_DATABASE_PREFIX": settings.database_prefix,
        "SAV_PUBLIC_KEYS": json.dumps(settings.public_keys),
    }


async def drop(settings: Settings) -> None:
    """Removes the databases of an earlier run."""
    connection = await asyncpg.connect(settings.database_url, database="postgres")
    try:
        for room in ROOMS:
            name = urlsplit(settings.database(room)).path.removeprefix("/")
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def reachable(port: int) -> None:
    """Returns when somebody listens there."""
    for _ in range(START_SECONDS * 10):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return
    raise OpsError(f"Nobody listens on port {port}: see the baseline's log.")


def processor_seconds(pids: list[int]) -> float:
    """What these processes, their children and those that ended since have used, of user and system time."""
    spent = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        times = process.cpu_times()
        spent += times.user + times.system + times.children_user + times.children_system
        for child in process.children(recursive=True):
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            spent += times.user + times.system
    return spent
