"""A wire to a server that can be cut and mended: how a server looks that is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """Forwards a port of its own to a server's; `url` is the server's with that port."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def url(self) -> str:
        people, _, _ = self._to.netloc.rpartition("@")
        place = f"127.0.0.1:{self._port}"
        return urlunsplit(self._to._replace(netloc=f"{people}@{place}" if people else place))

    async def mend(self) -> None:
        """Lets callers through (again)."""
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Breaks every connection and refuses new ones."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()

    def freeze(self) -> None:
        """Nothing comes through any more, and nobody is told; what is sent meanwhile arrives after the thaw."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._open |= {writer, back}
        if self._server is None:
            self.cut()
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
        self._open.discard(writer)


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[Wire]:
    """A wire that works, until it is cut."""
    it = Wire(url)
    await it.mend()
    try:
        yield it
    finally:
        it.cut()
