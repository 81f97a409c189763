"""Callers who send too much or too slowly, behind a real socket: they are cut, and the others are served."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from pydantic_core import from_json
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
        except ConnectionError:
            return b"reset"

    async def first(self) -> bytes:
        """The first line of an answer."""
        return await asyncio.wait_for(self._reader.readline(), 5)

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def wire(settings: Settings, of: str = "127.0.0.1") -> AsyncIterator[Wire]:
    """A connection from this address, which is the same machine's."""
    port = settings.edge_port
    one = Wire(*await asyncio.open_connection("127.0.0.1", port, local_addr=(of, 0)))
    try:
        yield one
    finally:
        one.close()


async def test_a_head_that_does_not_end_is_cut(scene: Scene) -> None:
    async with edge(scene, head_within=0.5) as settings, wire(settings) as silent, wire(settings) as slow:
        await slow.says(LINE, *[b"X-%d: y\r\n" % number for number in range(5)], every=0.02)
        assert {*await asyncio.gather(silent.hears(), slow.hears())} == {b""}


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


@pytest.mark.parametrize(
    "around",
    [
        b"0\r\n" + b"A: b\r\n" * 50_000,
        b"0\r\nA: " + b"x" * 300_000,
        b"0\r\n" + b"x" * 300_000,
        b"2;" + b"x" * 300_000,
    ],
    ids=["lines", "value", "name", "chunk"],
)
async def test_what_stands_around_a_body_in_chunks_is_bounded(scene: Scene, around: bytes) -> None:
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    async with edge(scene, max_head=8_000) as settings, wire(settings) as one:
        with contextlib.suppress(ConnectionError):
            await one.says(
                head, *[around[at : at + 10_000] for at in range(0, len(around), 10_000)], every=0.01
            )
        # It did not end: only a bound closes it before its time is over.
        heard = await one.hears(2)
        assert heard == b"reset" or heard.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 4"))


async def test_a_body_in_the_smallest_chunks_is_read(scene: Scene) -> None:
    body = json.dumps({"email": "nobody@example.com", "password": "x" * 8_000}).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    head = (
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with edge(scene, max_head=8_000) as settings, wire(settings) as one:
        await one.says(head, chunks, b"0\r\n\r\n")
        assert b" 422 " in await one.first()


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
    monkeypatch.setattr("sav_edge.http_server.LINGER", 0.2)
    async with edge(scene, head_within=0.2, body_within=0.2) as settings, wire(settings) as one:
        await one.says(b"POST /api/reclamations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", b"{")
        heard = await one.hears()
        assert heard.startswith(b"HTTP/1.1 401 ")


def problem(heard: bytes) -> Any:
    """What a refusal says; it closes the connection, and says when to come again."""
    head, _, body = heard.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"retry-after: 5" in head.lower()
    return from_json(body)


async def test_one_address_does_not_hold_the_places_of_all(scene: Scene) -> None:
    async with edge(scene, connections=9, head_within=60) as settings, AsyncExitStack() as stack:
        for _ in range(12):
            await stack.enter_async_context(wire(settings, "127.0.0.2"))
        one = await stack.enter_async_context(wire(settings, "127.0.0.2"))
        await one.says(LINE + b"\r\n")
        heard = await one.hears()
        assert heard.startswith(b"HTTP/1.1 429 ")
        assert b"connection: close" in heard.lower()
        assert problem(heard)["code"] == "too_many_connections"
        # The others are served while its connections stay where they are.
        for other in ("127.0.0.3", "127.0.0.4"):
            one = await stack.enter_async_context(wire(settings, other))
            await one.says(LINE + b"Connection: close\r\n\r\n")
            assert (await one.hears()).startswith(b"HTTP/1.1 401 ")


async def test_beyond_so_many_connections_the_others_are_told_to_come_back(scene: Scene) -> None:
    async with edge(scene, connections=3, head_within=60) as settings, AsyncExitStack() as stack:
        for last in range(3):
            await stack.enter_async_context(wire(settings, f"127.0.1.{last}"))
        one = await stack.enter_async_context(wire(settings, "127.0.2.1"))
        await one.says(LINE + b"\r\n")
        heard = await one.hears()
        assert heard.startswith(b"HTTP/1.1 503 ")
        assert problem(heard)["code"] == "unavailable"
        await stack.aclose()
        await asyncio.sleep(0.1)


async def test_whoever_is_turned_away_and_says_nothing_is_not_kept(scene: Scene) -> None:
    async with edge(scene, connections=2, head_within=60) as settings, AsyncExitStack() as stack:
        ones = [await stack.enter_async_context(wire(settings, "127.0.0.2")) for _ in range(6)]
        at_once, soon = ones[4:], ones[1:4]
        assert await asyncio.gather(*(one.hears(0.5) for one in at_once)) == [b"", b""]
        assert await asyncio.gather(*(one.hears() for one in soon)) == [b"", b"", b""]
        await stack.aclose()
        await asyncio.sleep(0.1)


async def test_behind_a_proxy_the_open_requests_of_each_address_are_counted(scene: Scene) -> None:
    trusted = [ip_network("127.0.0.0/8")]
    async with edge(scene, connections=5, trusted_proxies=trusted) as settings, AsyncExitStack() as stack:

        async def listens(address: bytes) -> bytes:
            one = await stack.enter_async_context(wire(settings))
            token = b"Authorization: Bearer " + scene.near.client.token.encode()
            await one.says(b"GET /stream HTTP/1.1\r\nHost: x\r\n" + token + b"\r\nX-Forwarded-For: ")
            await one.says(address + b"\r\n\r\n")
            return await one.first()

        # A household has one network of its own in IPv6.
        for last in range(3):
            assert b" 200 " in await listens(b"2001:db8::%d" % last)
        assert b" 429 " in await listens(b"2001:db8::7")
        assert b" 200 " in await listens(b"203.0.113.7")
        await stack.aclose()
        await asyncio.sleep(0.1)


async def test_a_place_is_free_again_when_its_connection_is_closed(scene: Scene) -> None:
    async with edge(scene, connections=2) as settings:
        for _ in range(10):
            async with wire(settings) as one:
                await one.says(LINE + b"Connection: close\r\n\r\n")
                assert (await one.hears()).startswith(b"HTTP/1.1 401 ")


async def test_an_empty_line_does_not_keep_a_connection_for_ever(scene: Scene) -> None:
    async with edge(scene, keep_alive=1, head_within=0.3) as settings, wire(settings) as one:
        await one.says(LINE + b"\r\n", every=0.3)
        await one.says(b"\r\n")
        assert (await one.hears()).startswith(b"HTTP/1.1 401 ")


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
