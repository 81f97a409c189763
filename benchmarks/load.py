"""A load generator that costs little: keep-alive HTTP/1.1 on raw protocols, any number of connections in one process."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import cast

from harness import Figures, percentile

# Seconds before what is measured: pools fill, code warms.
WARM_UP = 1.0


class Unexpected(Exception):
    """An answer with another status, or a connection that was closed."""


class Line(asyncio.Protocol):
    """One connection, one request at a time; `answered` is told of each answer and how long it took."""

    transport: asyncio.Transport

    def __init__(self, expected: int, answered: Callable[["Line", float], None]) -> None:
        self._expected = f"HTTP/1.1 {expected} ".encode()
        self._answered = answered
        self._got = b""
        self._whole = 0
        self._since = 0.0
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass

    def send(self, request: bytes, since: float | None = None) -> None:
        """Latency counts from `since`: when it was to be sent, however late that is."""
        self._since = since if since is not None else time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._whole:
            head, end, _ = self._got.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(self._expected):
                self._break(self._got.decode(errors="replace"))
                return
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._whole = len(head) + 4 + int(length or 0)
        if len(self._got) >= self._whole:
            self._got, self._whole = b"", 0
            self._answered(self, time.perf_counter() - self._since)

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(f"the connection was closed: {exc}")

    def _break(self, why: str) -> None:
        if not self.broken.done():
            self.broken.set_exception(Unexpected(why))
            self.broken.exception()  # whoever waits raises it; after the end nobody does


class Load:
    """Requests to one port; every answer must have this status."""

    def __init__(self, port: int, request: bytes, status: int = 200) -> None:
        self.port, self.request, self.status = port, request, status

    async def saturated(self, connections: int, seconds: float) -> Figures:
        """Each connection asks again as soon as it is answered."""
        took: list[float] = []

        def again(line: Line, seconds_taken: float) -> None:
            took.append(seconds_taken)
            line.send(self.request)

        lines = await self._open(connections, again)
        for line in lines:
            line.send(self.request)
        await self._until(lines, WARM_UP)
        took.clear()
        began = time.perf_counter()
        await self._until(lines, seconds)
        lasted = time.perf_counter() - began
        self._close(lines)
        return {"requests/s": len(took) / lasted, **latencies(took)}

    async def counted(self, connections: int, requests: int) -> None:
        """So many requests in all, over so many connections."""
        done, left = asyncio.Event(), requests
        open_answers = requests

        def again(line: Line, _: float) -> None:
            nonlocal left, open_answers
            open_answers -= 1
            if left:
                left -= 1
                line.send(self.request)
            elif not open_answers:
                done.set()

        lines = await self._open(min(connections, requests), again)
        for line in lines:
            left -= 1
            line.send(self.request)
        await self._until(lines, 600, done)
        self._close(lines)

    async def paced(self, rate: float, seconds: float) -> Figures:
        """So many requests a second, whether answers come or not: latency counts from the planned time."""
        took: list[float] = []
        free: deque[Line] = deque()

        def back(line: Line, seconds_taken: float) -> None:
            took.append(seconds_taken)
            free.append(line)

        lines = await self._open(4, back)
        free.extend(lines)
        warm = round(WARM_UP * rate)
        count = warm + round(seconds * rate)
        began = time.perf_counter()
        for number in range(count):
            planned = began + number / rate
            await self._until(lines, max(0, planned - time.perf_counter()))
            if not free:
                more = await self._open(1, back)
                lines += more
                free.extend(more)
            free.popleft().send(self.request, planned)
        while len(took) < count:
            await self._until(lines, 0.01)
        self._close(lines)
        return latencies(took[warm:])

    async def _open(self, count: int, answered: Callable[[Line, float], None]) -> list[Line]:
        loop = asyncio.get_running_loop()
        return [
            (await loop.create_connection(lambda: Line(self.status, answered), "127.0.0.1", self.port))[1]
            for _ in range(count)
        ]

    async def _until(self, lines: list[Line], seconds: float, done: asyncio.Event | None = None) -> None:
        """Waits; raises `Unexpected` as soon as a line has broken."""
        waiting = asyncio.create_task(_passed(seconds, done))
        watched: set[asyncio.Future[None]] = {waiting, *(line.broken for line in lines)}
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for line in lines:
            if line.broken.done():
                waiting.cancel()
                line.broken.result()
        await waiting

    def _close(self, lines: list[Line]) -> None:
        for line in lines:
            line.transport.abort()


async def _passed(seconds: float, done: asyncio.Event | None) -> None:
    """The time, or what is waited for within it."""
    if done is None:
        await asyncio.sleep(seconds)
    else:
        await asyncio.wait_for(done.wait(), seconds)


def latencies(took: list[float]) -> Figures:
    return {"p50 ms": percentile(took, 0.5) * 1000, "p99 ms": percentile(took, 0.99) * 1000}


def get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: sav.test\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def post(path: str, token: str, body: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: sav.test\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n"
    )
    return (head + body).encode()
