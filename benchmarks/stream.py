"""Thousands who listen to one edge: what each of them takes, and when the last one hears of a change."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from typing import cast
from uuid import uuid4

import psutil
from ground import Ground, processor_seconds
from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from news import assignments, broker
from people import connection, token

from sav_chassis.envelope import Envelope
from sav_chassis.settings import Settings
from sav_contracts.actor import Role
from sav_edge.projection import apply

LISTENERS = 2000
# Listeners before those that are measured: what the first of all takes is not repeated.
FIRST = 20
CHANGES = 50
# Seconds: in which memory settles, of rest, between changes.
SETTLE, REST, PAUSE = 2, 15, 0.1
PATIENCE = 30
AIMS = (
    Aim("kB each", 25, "most"),
    Aim("here p99 ms", 250, "most"),
    Aim("elsewhere p99 ms", 250, "most"),
)
EVENT = b"event: changed"


class Listener(asyncio.Protocol):
    """One connection; `hears` is called for each change."""

    transport: asyncio.Transport

    def __init__(self, request: bytes, hears: Callable[[], None]) -> None:
        self._request = request
        self._hears = hears
        self.listens: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.listens.done() and b"id: " in data:
            self.listens.set_result(None)
        for _ in range(data.count(EVENT)):
            self._hears()


class Crowd:
    """Managers, each of whom may see everything."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listeners: list[Listener] = []
        self._left = 0
        self._all = asyncio.Event()

    async def grow(self, number: int) -> None:
        """So many more; each has begun to listen."""
        for _ in range(number):
            request = (
                f"GET /stream HTTP/1.1\r\nHost: sav.test\r\nAuthorization: Bearer {self._token()}\r\n\r\n"
            )
            line = Listener(request.encode(), self._hears)
            loop = asyncio.get_running_loop()

            def made(line: Listener = line) -> Listener:
                return line

            await loop.create_connection(made, "127.0.0.1", self._settings.edge_port)
            await asyncio.wait_for(line.listens, PATIENCE)
            self._listeners.append(line)

    def _token(self) -> str:
        return token(self._settings, uuid4(), Role.MANAGER)

    def _hears(self) -> None:
        self._left -= 1
        if not self._left:
            self._all.set()

    async def all_hear(self, change: Callable[[], Awaitable[object]]) -> float:
        """Seconds from the change until the last of them has heard of it."""
        self._all.clear()
        self._left = len(self._listeners)
        began = time.perf_counter()
        await change()
        await asyncio.wait_for(self._all.wait(), PATIENCE)
        return time.perf_counter() - began

    def leave(self) -> None:
        for line in self._listeners:
            line.transport.abort()


async def measure(settings: Settings, rounds: int, listeners: int = LISTENERS) -> Measured:
    """Memory of a listener in kB (10³ bytes), and how long after a change the last one hears of it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ground = await Ground.fresh(settings, "stream")
    told = iter(assignments(2 * (CHANGES + 1) * rounds))

    async def ours() -> Figures:
        crowd = Crowd(ground.settings)
        async with ground.rooms("edge"):
            try:
                return await _figures(ground, crowd, listeners, lambda: next(told))
            finally:
                crowd.leave()

    measured = await interleaved(
        "Stream: all who listen hear of a change", [Contender("SAV's edge", ours)], AIMS, rounds
    )
    measured.notes.append(
        f"{listeners:,} managers, each with a token and a connection of their own, listen to one process. Memory is what "
        f"its resident set grows by after the first {FIRST}; rest is {REST} s without a change. {CHANGES} changes of a "
        "réclamation each way: here the process projects the event itself, from its queue; elsewhere another one has, "
        "and it has to look. Time is until the last listener has the hint, CPU the edge's for a change. Listeners, server, broker and database share "
        "the machine."
    )
    return measured


async def _figures(ground: Ground, crowd: Crowd, listeners: int, event: Callable[[], Envelope]) -> Figures:
    settings, pids = ground.settings, ground.pids("edge")
    process = psutil.Process(pids[0])
    async with broker(settings) as (_, channel), connection(settings, "edge") as database:

        async def here() -> None:
            await channel.default_exchange.publish(event().to_amqp(), routing_key="edge.views")

        async def elsewhere() -> None:
            envelope = event()
            await apply(database, [(envelope, envelope.event())])

        await crowd.grow(FIRST)
        await crowd.all_hear(here)
        await crowd.all_hear(elsewhere)
        before = process.memory_info().rss
        await crowd.grow(listeners - FIRST)
        await asyncio.sleep(SETTLE)
        each = (process.memory_info().rss - before) / (listeners - FIRST)
        used = processor_seconds(pids)
        await asyncio.sleep(REST)
        used = processor_seconds(pids) - used
        figures = {"kB each": each / 1000, "% of a core at rest": 100 * used / REST}
        for name, change in (("here", here), ("elsewhere", elsewhere)):
            took, used = [], processor_seconds(pids)
            for _ in range(CHANGES):
                took.append(await crowd.all_hear(change))
                await asyncio.sleep(PAUSE)
            figures |= {
                f"{name} p50 ms": percentile(took, 0.5) * 1000,
                f"{name} p99 ms": percentile(took, 0.99) * 1000,
                f"{name} CPU ms": (processor_seconds(pids) - used) / CHANGES * 1000,
            }
    return figures
