"""A line to a server that a test can cut and mend."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Cable:
    """Bytes pass both ways while it is whole; cut, every connection breaks and no new one is accepted."""

    def __init__(self, url: str) -> None:
        self._there = urlsplit(url)
        self._plugged: set[asyncio.StreamWriter] = set()
        self._whole = True

    async def lay(self) -> None:
        self._server = await asyncio.start_server(self._plug, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        """The server's address at this end of the line."""
        login, at, _ = self._there.netloc.rpartition("@")
        port = self._server.sockets[0].getsockname()[1]
        return self._there._replace(netloc=f"{login}{at}127.0.0.1:{port}").geturl()

    def cut(self) -> None:
        self._whole = False
        for writer in self._plugged:
            writer.transport.abort()

    def mend(self) -> None:
        self._whole = True

    async def remove(self) -> None:
        self.cut()
        self._server.close()

    async def _plug(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self._there.hostname, self._there.port)
        ends = {writer, far_writer}
        self._plugged |= ends
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
        self._plugged -= ends
        for end in ends:
            end.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while read := await reader.read(65536):
        writer.write(read)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def cable(url: str) -> AsyncIterator[Cable]:
    line = Cable(url)
    await line.lay()
    try:
        yield line
    finally:
        await line.remove()
