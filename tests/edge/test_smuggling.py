"""Requests that two servers could read in two ways, and paths written in odd ones."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar.types import Receive, Send
from litestar.types import Scope as Asgi
from pydantic_core import from_json
from recipes import Scene
from stories import done, refused

from sav_chassis.settings import Settings
from sav_edge.app import listening
from sav_edge.http_server import Config, Server
from sav_edge.reply import Reply


@pytest.fixture(scope="module")
async def server(scene: Scene) -> AsyncIterator[Settings]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = scene.system.settings.model_copy(update={"edge_port": port})
    async with listening(settings):
        yield settings


async def told(server: Settings, *said: bytes) -> bytes:
    """All that is answered until the connection is closed; what is said in several parts is sent apart."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.edge_port)
    try:
        for part in said:
            writer.write(part)
            await asyncio.sleep(0.1 if len(said) > 1 else 0)
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()


async def told_while_it_answers(server: Settings, said: bytes, more: bytes) -> bytes:
    """The same, where more is said as soon as the head of the answer is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.edge_port)
    try:
        writer.write(said)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        writer.write(more)
        return head + await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()


HIDDEN = b"GET /openapi.json HTTP/1.1\r\nHost: sav.test\r\n\r\n"


CHUNKED = b"0\r\n\r\n" + HIDDEN


POST = b"POST /api/auth/verify-email/resend HTTP/1.1\r\nHost: sav.test\r\nContent-Type: application/json\r\n"


def framed(*headers: bytes) -> bytes:
    return POST + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


LENGTH = b"Content-Length: %d" % len(CHUNKED)


TWO_WAYS = {
    "a length and chunks": framed(LENGTH, b"Transfer-Encoding: chunked") + CHUNKED,
    "chunks and a length": framed(b"Transfer-Encoding: chunked", LENGTH) + CHUNKED,
    "two lengths": framed(LENGTH, b"Content-Length: 5") + CHUNKED,
    "a list of lengths": framed(LENGTH + b", 5") + CHUNKED,
    "a length with a sign": framed(b"Content-Length: +5") + CHUNKED,
    "a length in hex": framed(b"Content-Length: 0x5") + CHUNKED,
    "a length below nothing": framed(b"Content-Length: -5") + CHUNKED,
    "a length beyond measure": framed(b"Content-Length: 18446744073709551621") + CHUNKED,
    "other chunks": framed(b"Transfer-Encoding: xchunked", LENGTH) + CHUNKED,
    "chunks, then not": framed(b"Transfer-Encoding: chunked, identity", LENGTH) + CHUNKED,
    "chunks twice": framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", LENGTH) + CHUNKED,
    "a space before the colon": framed(b"Transfer-Encoding : chunked", LENGTH) + CHUNKED,
    "a folded line": framed(b"Transfer-Encoding:\r\n chunked", LENGTH) + CHUNKED,
    "a size of chunk that is none": framed(b"Transfer-Encoding: chunked") + b"0x0\r\n\r\n" + HIDDEN,
    "a line that ends early": framed(b"X: a\nTransfer-Encoding: chunked", LENGTH) + CHUNKED,
    "chunks that are packed": framed(b"Transfer-Encoding: gzip, chunked") + CHUNKED,
    "chunks in HTTP/1.0": framed(b"Transfer-Encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0") + CHUNKED,
    "the same length twice": framed(LENGTH, LENGTH) + CHUNKED,
    "a body for another protocol": framed(b"Connection: Upgrade", b"Upgrade: h2c", LENGTH) + CHUNKED,
    "no host": b"GET / HTTP/1.1\r\n\r\n" + HIDDEN,
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + HIDDEN,
    "the same host twice": b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n" + HIDDEN,
    "an empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n" + HIDDEN,
    "a list of hosts": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n" + HIDDEN,
    "a host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" + HIDDEN,
    "another host in the address": b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n" + HIDDEN,
    "a name before the host": b"GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n" + HIDDEN,
    "what browsers keep": b"GET /docs#/api/users HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "HTTP before it had versions": b"GET /\r\n\r\n" + HIDDEN,
    "two spaces before the address": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "two spaces behind the address": b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "a tunnel": b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "another version": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n" + HIDDEN,
}


@pytest.mark.parametrize("sent", TWO_WAYS.values(), ids=TWO_WAYS)
async def test_a_request_that_can_be_read_in_two_ways_is_refused(server: Settings, sent: bytes) -> None:
    answer = await told(server, sent)
    assert answer.startswith(b"HTTP/1.1 400"), answer[:300]
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) == 1, "the hidden request was answered"
    head, _, problem = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert from_json(problem)["code"] == "malformed"


async def test_a_request_line_may_come_in_pieces_and_behind_another_request(server: Settings) -> None:
    last = HIDDEN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    for parts in (
        [bytes([one]) for one in last[:30]] + [last[30:]],
        [HIDDEN + last[:9], last[9:20], last[20:]],
    ):
        answer = await told(server, *parts)
        assert answer.count(b"HTTP/1.1 200") == len(b"".join(parts)) // len(HIDDEN), answer[:300]
    another = last.replace(b"openapi.json", b"docs")
    refused = await told(server, HIDDEN + another[:4], b" " + another[4:])
    assert re.findall(rb"HTTP/1\.1 (\d+)", refused) == [b"200", b"400"]


NONE = {
    "no text": b"\0\0\r\n",
    "no HTTP": b"NO HTTP\r\n\r\n",
    "a wrong size of chunk": TWO_WAYS["a size of chunk that is none"],
}


@pytest.mark.parametrize("more", NONE.values(), ids=NONE)
@pytest.mark.parametrize("requests", [1, 2])
async def test_what_follows_requests_and_is_none_is_refused_after_their_answers(
    server: Settings, requests: int, more: bytes
) -> None:
    answer = await told(server, HIDDEN * requests + more)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200"] * requests + [b"400"]
    assert from_json(answer.rpartition(b"\r\n\r\n")[2])["code"] == "malformed"


async def test_a_request_that_is_answered_gets_no_second_answer(server: Settings) -> None:
    """Whatever is wrong in the rest of its body: a proxy would take that for the answer to the next request."""
    head = framed(b"Transfer-Encoding: chunked").replace(b"/api/auth/verify-email/resend", b"/api/nothing")
    answer = await told(server, head, b"0x0\r\n\r\n" + HIDDEN)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"404"]


async def test_the_methods_of_the_whole_server_are_nothing_here(server: Settings) -> None:
    answer = await told(server, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404"), answer[:300]
    assert from_json(answer.partition(b"\r\n\r\n")[2])["code"] == "not_found"


async def test_what_comes_apart_from_its_head_is_no_other_request(server: Settings) -> None:
    """The parser takes a body after `Upgrade` for the next request, where it comes by itself."""
    head = framed(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: %d" % len(HIDDEN))
    answer = await told(server, head, HIDDEN)
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) == 1, "the body was answered"


@pytest.mark.parametrize("together", [True, False], ids=["in one piece", "apart"])
@pytest.mark.parametrize("name", [b"Authorization", b"X-Forwarded-For", b"Idempotency-Key", b"Host"])
async def test_what_follows_a_body_in_chunks_is_no_header(scene: Scene, name: bytes, together: bool) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def application(scope: Asgi, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        seen.extend(scope["headers"])
        await Reply(b"", 204, headers={"Connection": "close"})(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0))
    settings = scene.system.settings.model_copy(update={"edge_port": listener.getsockname()[1]})
    server = Server(Config(application, settings, 1))
    serving = asyncio.create_task(server.serve([listener]))
    parts = framed(b"Transfer-Encoding: chunked"), b"1\r\n{\r\n", b"0\r\n" + name + b": later\r\n\r\n"
    answer = await told(settings, *([b"".join(parts)] if together else parts))
    server.should_exit = True
    await serving
    assert answer.startswith(b"HTTP/1.1 204")
    assert b"later" not in dict(seen).values()
    assert b"sav.test" in dict(seen).values()


async def test_nothing_is_said_into_the_answer_that_goes_out(server: Settings, scene: Scene) -> None:
    """What cannot be read after a request is closed without a word: it would be read as part of that answer."""
    token = scene.near.client.token.encode()
    listening = b"GET /stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + b"\r\n\r\n"
    answer = await told_while_it_answers(server, listening, b"NO HTTP\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) == 1
    answer = await told_while_it_answers(server, listening, b"GET / HTTP/1.1\r\nX: " + b"y" * 40_000)
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) == 1


async def test_what_is_no_http_is_told_so_in_the_language_it_asks_for(server: Settings) -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Language: fr\r\nX: y\r\n"
    answer = await told(server, head + b"Y : z\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert "deux façons".encode() in answer


PATHS = (
    "//api/users",
    "/api//users",
    "/api/./users",
    "/api/me/../users",
    "/api/me/%2e%2e/users",
    "/api/me/%2e%2e%2fusers",
    "/api/me/..%2fusers",
    "/api/me/..;/users",
    "/api/users;x=1",
    "/api/users%3bx=1",
    "/api/users/",
    "/api/users//",
    "/api/users%2f",
    "/api/users%00",
    "/api/users%20",
    "/api/users.json",
    "/api/users/.",
    "/api/%75sers",
    "/api/%2575sers",
    "/API/users",
    "/api/Users",
    "/api\\users",
    "http://sav.test/api/users",
    "/docs/../api/users",
    "/docs/assets/../../api/users",
    "/docs/assets/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/docs/assets/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/docs/assets//etc/passwd",
    "/schemas/..%2f..%2fpyproject.toml",
    "/schemas/%2e%2e/openapi.json",
)


@pytest.mark.parametrize("path", PATHS)
async def test_no_way_of_writing_a_path_gets_around_its_role(
    server: Settings, scene: Scene, path: str
) -> None:
    """They lead to the row and its refusal, or nowhere."""
    line = f"GET {path} HTTP/1.1\r\nHost: sav.test\r\nConnection: close\r\n"
    answer = await told(server, f"{line}Authorization: Bearer {scene.near.client.token}\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"403", b"404"), answer[:300]
    assert b"root:" not in answer
    assert b'"items"' not in answer


async def test_the_same_paths_written_plainly_are_refused_by_role(server: Settings, scene: Scene) -> None:
    """What those differ from: without it, nothing would be refused for its role."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.edge_port}") as http:
        refused(await http.get("/api/users", headers=scene.near.client.headers()), 403, "not_allowed")
        assert done(await http.get("/api/users", headers=scene.admin.headers()))["items"]
