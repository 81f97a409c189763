"""Requests sent one behind the other without reading: few of them wait in the server, the others are not parsed."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from litestar.types import Receive, Scope, Send

from sav_chassis.settings import Settings
from sav_edge.http_server import WAITING, Config, Protocol, Server
from sav_edge.reply import Reply

MANY = 20_000
GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"POST /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
KINDS = pytest.mark.parametrize("one", [GET, POST, CHUNKED], ids=["no body", "body", "chunks"])


class Application:
    """Answers with the path, `/bulk` with more; `/wait` waits for `go`, `/stay` until the caller goes."""

    def __init__(self) -> None:
        self.asked = 0
        self.go = asyncio.Event()
        self.gone = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        while (await receive()).get("more_body"):
            pass
        if scope["path"] == "/wait":
            await self.go.wait()
        if scope["path"] == "/stay":
            await receive()
            self.gone.set()
        times = 20_000 if scope["path"] == "/bulk" else 1
        await Reply(scope["path"].encode() * times, 200)(scope, receive, send)


@asynccontextmanager
async def serving(application: Application, **changes: Any) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(Config(application, Settings(connections=20, **changes), 1))
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests waited whenever one had been parsed."""
    seen: list[int] = []
    parse = Protocol.on_headers_complete

    def on_headers_complete(self: Protocol) -> None:
        parse(self)
        seen.append(len(self.pipeline))

    monkeypatch.setattr(Protocol, "on_headers_complete", on_headers_complete)
    return seen


@KINDS
async def test_who_sends_requests_and_reads_no_answer_is_read_no_further(
    waiting: list[int], one: bytes
) -> None:
    application = Application()
    async with serving(application) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + b"".join(map(one.__mod__, range(MANY))))
        await asyncio.sleep(0.5)
        assert application.asked == 1
        assert max(waiting) <= WAITING + 20
        # What has not been read is still in the sockets, and with the client.
        assert len(waiting) <= WAITING + 20
        other, to_other = await asyncio.open_connection("127.0.0.1", port)
        to_other.write(GET % 7 + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await asyncio.wait_for(other.read(), 2)).count(b"HTTP/1.1 200") == 2
        to_other.close()
        writer.transport.abort()
        application.go.set()
        await asyncio.sleep(0.5)
        # Those of the other connection, and the few that came before its end was seen.
        assert application.asked <= 3 + WAITING
        assert len(waiting) <= 2 + 2 * (WAITING + 20)


async def test_answers_that_nobody_reads_are_not_made(waiting: list[int]) -> None:
    application = Application()
    async with serving(application) as port:
        # The reader stops at its limit: what is behind stays in the sockets.
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(b"GET /bulk HTTP/1.1\r\nHost: a\r\n\r\n" * MANY)
        await asyncio.sleep(1)
        assert application.asked < MANY / 20
        assert len(waiting) < application.asked + WAITING + 20
        writer.transport.abort()


async def test_a_request_is_told_that_its_caller_is_gone_though_others_wait_behind_it() -> None:
    application = Application()
    async with serving(application) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /stay HTTP/1.1\r\nHost: a\r\n\r\n" + GET % 1 * 9)
        await asyncio.sleep(0.2)
        assert not application.gone.is_set()
        writer.close()
        await asyncio.wait_for(application.gone.wait(), 2)
        assert application.asked == 1


@KINDS
async def test_who_reads_gets_all_the_answers_in_order(waiting: list[int], one: bytes) -> None:
    async with serving(Application()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(map(one.__mod__, range(MANY))) + b"NO HTTP\r\n\r\n")
        heard = await asyncio.wait_for(reader.read(), 120)
        writer.close()
    assert re.findall(rb"\r\n\r\n/(\d+)", heard) == [b"%d" % number for number in range(MANY)]
    assert heard.count(b"HTTP/1.1 400") == 1
    assert heard.rpartition(b"HTTP/1.1 ")[2].startswith(b"400")
    assert max(waiting) <= WAITING + 20


async def test_what_is_sent_in_odd_pieces_is_the_same(waiting: list[int]) -> None:
    kinds = [GET, POST, CHUNKED]
    sent = b"".join(kinds[number % 3] % number for number in range(60))
    for size in (1, 2, 3, 5, 31, 64, 257):
        async with serving(Application()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for at in range(0, len(sent), size):
                writer.write(sent[at : at + size])
                await asyncio.sleep(0)
            writer.write(b"NO HTTP\r\n\r\n")
            heard = await asyncio.wait_for(reader.read(), 20)
            writer.close()
        assert re.findall(rb"\r\n\r\n/(\d+)", heard) == [b"%d" % number for number in range(60)], size


async def test_a_caller_whose_requests_wait_is_not_taken_for_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The body of the last one has come, and is not parsed before those in front are answered."""
    monkeypatch.setattr("sav_edge.http_server.LINGER", 0.1)
    application = Application()
    async with serving(application, head_within=0.1, body_within=0.1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        last = b"POST /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 900\r\n\r\n" + b" " * 900
        writer.write(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + GET % 1 + last)
        # The server looks for slow callers once a second.
        await asyncio.sleep(2.5)
        application.go.set()
        heard = await asyncio.wait_for(reader.read(), 2)
        writer.close()
    assert re.findall(rb"\r\n\r\n/([a-z]+|\d)", heard) == [b"wait", b"1", b"2"]
