"""Requests that two servers could read in two ways, and paths written in odd ones."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from recipes import Scene
from stories import done, refused

from sav_chassis.settings import Settings
from sav_edge.app import listening


@pytest.fixture(scope="module")
async def server(scene: Scene) -> AsyncIterator[Settings]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = scene.system.settings.model_copy(update={"edge_port": port})
    async with listening(settings):
        yield settings


async def told(server: Settings, said: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.edge_port)
    try:
        writer.write(said)
        return await asyncio.wait_for(reader.read(), 5)
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
}


@pytest.mark.parametrize("sent", TWO_WAYS.values(), ids=TWO_WAYS)
async def test_a_request_that_can_be_read_in_two_ways_is_refused(server: Settings, sent: bytes) -> None:
    answer = await told(server, sent)
    assert answer.startswith(b"HTTP/1.1 400"), answer[:300]
    assert answer.count(b"HTTP/1.1 ") == 1, "the hidden request was answered"


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
