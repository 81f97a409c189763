"""Callers who send too much or too slowly, behind a real socket: they are cut, and the others are served."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from recipes import Scene
from stories import done

from sav_chassis.settings import Settings
from sav_edge.app import listening

LINE = b"GET /api/me HTTP/1.1\r\nHost: sav.test\r\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@asynccontextmanager
async def edge(scene: Scene, **changes: Any) -> AsyncIterator[Settings]:
    settings = scene.system.settings.model_copy(update={"edge_port": free_port()} | changes)
    async with listening(settings):
        yield settings
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.edge_port}") as http:
            me = await http.get("/api/me", headers=scene.near.client.headers())
            assert done(me)["id"] == scene.near.client.id


class Wire:
    """A connection on which anything can be said."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def says(self, *parts: bytes, every: float = 0.0) -> None:
        for part in parts:
            self._writer.write(part)
            await asyncio.sleep(every)

    async def hears(self, seconds: float = 5.0) -> bytes:
        """All that comes until the other side closes."""
        try:
            return await asyncio.wait_for(self._reader.read(), seconds)
        except ConnectionResetError:
            return b"reset"

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def wire(settings: Settings) -> AsyncIterator[Wire]:
    one = Wire(*await asyncio.open_connection("127.0.0.1", settings.edge_port))
    try:
        yield one
    finally:
        one.close()


async def test_a_head_that_does_not_end_is_cut(scene: Scene) -> None:
    async with edge(scene, head_within=0.5) as settings, wire(settings) as silent, wire(settings) as slow:
        await slow.says(LINE, *[b"X-%d: y\r\n" % number for number in range(5)], every=0.02)
        assert await asyncio.gather(silent.hears(), slow.hears()) == [b"", b""]


@pytest.mark.parametrize("said", [b"X-Long: %b\r\n", b"X-Cookie: %b"], ids=["whole", "endless"])
async def test_a_head_that_is_too_large_is_refused(scene: Scene, said: bytes) -> None:
    async with edge(scene, max_head=8_000) as settings:
        async with wire(settings) as one:
            head = LINE + said % (b"y" * 20_000)
            await one.says(head + (b"\r\n" if said.endswith(b"\n") else b""))
            assert (await one.hears()).startswith(b"HTTP/1.1 431 ")
        async with wire(settings) as one:
            # The body is no part of the head, though it comes with it.
            head = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n"
            await one.says(head + b" " * 20_000)
            heard = await one.hears()
            assert heard.startswith(b"HTTP/1.1 4")
            assert b" 431 " not in heard


async def test_a_body_that_comes_too_slowly_is_refused(scene: Scene) -> None:
    token = scene.near.client.token.encode()
    head = b"POST /api/reclamations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Length: 100\r\n\r\n"
    async with edge(scene, body_within=0.3) as settings, wire(settings) as one:
        await one.says(head % token, b"{", every=0.05)
        heard = await one.hears()
        assert heard.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in heard.lower()
        assert b"too_slow" in heard


async def test_whoever_was_refused_does_not_hold_the_line_with_a_body(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sav_edge.serving.LINGER", 0.2)
    async with edge(scene, head_within=0.2, body_within=0.2) as settings, wire(settings) as one:
        await one.says(b"POST /api/reclamations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", b"{")
        heard = await one.hears()
        assert heard.startswith(b"HTTP/1.1 401 ")


async def test_beyond_so_many_connections_the_others_are_told_to_come_back(scene: Scene) -> None:
    async with edge(scene, connections=5) as settings, AsyncExitStack() as stack:
        waiting = [await stack.enter_async_context(wire(settings)) for _ in range(5)]
        await waiting[-1].says(LINE + b"Connection: close\r\n\r\n")
        assert (await waiting[-1].hears()).startswith(b"HTTP/1.1 503 ")
        for one in waiting:
            one.close()
        await asyncio.sleep(0.1)


async def test_an_idle_connection_is_kept_as_long_as_the_settings_say(scene: Scene) -> None:
    async with edge(scene, keep_alive=1) as settings, wire(settings) as one:
        await one.says(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await one.hears(3)).startswith(b"HTTP/1.1 200 ")


async def test_head_has_no_body_on_the_wire(scene: Scene) -> None:
    async with edge(scene) as settings, wire(settings) as one:
        await one.says(b"HEAD /docs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        heard = await one.hears()
        assert heard.startswith(b"HTTP/1.1 200 ")
        assert heard.endswith(b"\r\n\r\n")
        assert b"content-length: " in heard.lower()
