"""A process's health, on a port of its own: `/live`, `/ready` and `/metrics` only.

The event loop that does the work also answers here, so a stuck loop does not answer.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import structlog
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from aiormq.exceptions import AMQPError
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.core import GaugeMetricFamily, Metric
from pydantic_core import to_json

from sav_chassis.database import Database
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_chassis.telemetry import metrics
from sav_chassis.topology import dead_letters, is_blocked

log = structlog.get_logger()

# Seconds for one check of the database or the broker, and for a whole request.
LOOK_WITHIN = 2.0
ANSWER_WITHIN = 10.0
# Seconds without a consumer on a working connection, after which only a restart helps.
DEAF_FOR = 60.0
JSON = "application/json"


class Health:
    """Live: there is nothing that a restart would repair. Ready: the database, the broker and all queues answer."""

    def __init__(self) -> None:
        self.port = 0
        self.database: Database | None = None
        self.connections: list[AbstractRobustConnection] = []
        # Looks up figures for a scrape; called only while the database answers.
        self.figures: Callable[[], Awaitable[Iterable[Metric]]] | None = None
        # Further parts of what must work, by name; asked only while the database answers.
        self.parts: dict[str, Callable[[], Awaitable[bool]]] = {}
        self._started = False
        self._channels: dict[str, AbstractChannel] = {}
        self._vital: list[asyncio.Task[None]] = []
        self._deaf_since: dict[str, float] = {}

    @contextmanager
    def started(self) -> Iterator[None]:
        """Marks the process as started, from the last step of the start to the first step of the stop."""
        self._started = True
        try:
            yield
        finally:
            self._started = False

    def consumes(self, queue: str, channel: AbstractChannel) -> None:
        """Registers a queue and the channel of its one consumer."""
        self._channels[queue] = channel

    def watch(self, vital: "asyncio.Task[None]") -> "asyncio.Task[None]":
        """Registers a task that the process cannot work without: when the task fails, the process exits."""
        self._vital.append(vital)
        return vital

    async def ready(self) -> dict[str, bool]:
        """Each part and whether it works: the database, the broker, the queue of each consumer."""
        if not self._started:
            return {"started": False}
        answers = await self._database_answers()
        return {
            "database": answers,
            "broker": await self._takes(),
            **{name: answers and await self._works(name, part) for name, part in self.parts.items()},
            **await self._hears(),
        }

    async def faults(self) -> list[str]:
        """The failed tasks and unconsumed queues that only a restart repairs."""
        gone = [task.get_name() for task in self._vital if self._started and task.done()]
        await self._hears()
        now = time.monotonic()
        return gone + sorted(queue for queue, since in self._deaf_since.items() if now - since > DEAF_FOR)

    @asynccontextmanager
    async def answering(self, settings: Settings) -> AsyncIterator[None]:
        """Listens inside the `async with`; `CannotStart` where the port is taken."""
        where = settings.health_host, settings.health_port
        try:
            server = await asyncio.start_server(self._answer, *where, limit=8192)
        except OSError as error:
            raise CannotStart(f"{error.strerror}; give SAV_HEALTH_HOST and SAV_HEALTH_PORT others") from None
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    @property
    def _connected(self) -> bool:
        return all(one.connected.is_set() and not one.is_closed for one in self.connections)

    async def _takes(self) -> bool:
        """Whether the broker is connected and accepts messages: in an alarm it accepts none."""
        return self._connected and not any([await is_blocked(one) for one in self.connections])

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                assert self.database is not None
                return bool(await self.database.pool.fetchval("SELECT true"))
        except Exception as error:
            log.warning("database is away", error=repr(error))
            return False

    async def _works(self, name: str, part: Callable[[], Awaitable[bool]]) -> bool:
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                return await part()
        except Exception as error:
            log.warning("a part does not answer", part=name, error=repr(error))
            return False

    async def _hears(self) -> dict[str, bool]:
        """Which queues are consumed. Remembers since when a queue is not consumed although the broker is connected."""
        found = {queue: await self._consumes(channel) for queue, channel in self._channels.items()}
        for queue, consumed in found.items():
            if consumed or not self._connected:
                self._deaf_since.pop(queue, None)
            else:
                self._deaf_since.setdefault(queue, time.monotonic())
        return found

    async def _consumes(self, channel: AbstractChannel) -> bool:
        if not self._connected:
            return False
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                underlying = await channel.get_underlay_channel()
        except (TimeoutError, AMQPError, ConnectionError, RuntimeError):
            return False
        # The broker may have cancelled the consumer of a channel that is open.
        return not underlying.is_closed and bool(getattr(underlying, "consumers", None))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The other side may leave, or not speak HTTP at all; both are ignored.
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(ANSWER_WITHIN):
                words = (await reader.readuntil(b"\r\n\r\n")).split(maxsplit=2)
                page = self._pages().get(words[1]) if words[0] == b"GET" and len(words) == 3 else None
                status, kind, body = await page() if page else ("404 Not Found", JSON, b"{}")
                head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
                writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    def _pages(self) -> dict[bytes, Callable[[], Awaitable[tuple[str, str, bytes]]]]:
        return {b"/live": self._live, b"/ready": self._ready, b"/metrics": self._metrics}

    async def _live(self) -> tuple[str, str, bytes]:
        faults = await self.faults()
        return (
            status(not faults),
            JSON,
            to_json({"live": not faults} | ({"faults": faults} if faults else {})),
        )

    async def _ready(self) -> tuple[str, str, bytes]:
        parts = await self.ready()
        return status(all(parts.values())), JSON, to_json(parts)

    async def _metrics(self) -> tuple[str, str, bytes]:
        parts = await self.ready()
        works = GaugeMetricFamily("sav_ready", "Whether a part of this process works", labels=["part"])
        for part, answer in parts.items():
            works.add_metric([part], float(answer))
        families = [
            works,
            *(await self._looked_up(self.figures) if self.figures and parts.get("database") else []),
            *(await self._looked_up(self._letters) if self.connections and parts.get("broker") else []),
        ]
        # Rendering takes milliseconds, which would block the event loop.
        return "200 OK", CONTENT_TYPE_PLAIN_0_0_4, await asyncio.to_thread(metrics.exposition, families)

    async def _letters(self) -> Iterable[Metric]:
        count = await dead_letters(self.connections[0])
        return [GaugeMetricFamily("sav_dead_letters", "Messages that no consumer could handle", count)]

    async def _looked_up(self, figures: Callable[[], Awaitable[Iterable[Metric]]]) -> Iterable[Metric]:
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                return await figures()
        except Exception as error:
            log.warning("metrics not collected", error=repr(error))
            return []


def status(well: bool) -> str:
    return "200 OK" if well else "503 Service Unavailable"
