"""The edge behind a real socket: what a server in front of the application adds."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from recipes import Scene
from stories import PLACE, done, refused

from sav_contracts.files import MAX_BODY
from sav_edge.app import listening

OPENING = {"article": "Évier", "problem_type": "leak", "description": "fuite", "place": PLACE}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_a_request_in_hand_is_answered_before_the_edge_stops(scene: Scene) -> None:
    changed = {"edge_port": free_port(), "command_deadline": 2.0}
    settings = scene.system.settings.model_copy(update=changed)
    await scene.system.stop("claims")
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.edge_port}", timeout=10) as http:
            async with listening(settings):
                assert done(await http.get("/health/live")) == {"live": True}
                asking = asyncio.create_task(
                    http.post("/api/reclamations", json=OPENING, headers=scene.near.client.headers())
                )
                await asyncio.sleep(0.2)
            refused(await asking, 504, "outcome_unknown")
            with pytest.raises(httpx.ConnectError):
                await http.get("/health/live")
    finally:
        await scene.system.start("claims")


async def test_a_body_without_a_length_is_refused_when_it_grows_too_large(scene: Scene) -> None:
    settings = scene.system.settings.model_copy(update={"edge_port": free_port()})

    async def growing() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 100_000 + 1):
            yield b" " * 100_000

    async with (
        listening(settings),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.edge_port}", timeout=10) as http,
    ):
        answer = await http.post("/api/reclamations", content=growing(), headers=scene.near.client.headers())
        refused(answer, 413, "too_large")
        assert done(await http.get("/health/live")) == {"live": True}


async def test_bytes_that_are_no_http_do_not_trouble_the_others(scene: Scene) -> None:
    settings = scene.system.settings.model_copy(update={"edge_port": free_port()})
    async with (
        listening(settings),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.edge_port}", timeout=10) as http,
    ):
        for sent in (
            b"\x00\xff\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /api/me HTTP/1.1\r\nA: \x00\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", settings.edge_port)
            writer.write(sent)
            writer.write_eof()
            told = await asyncio.wait_for(reader.read(), 5)
            assert told.startswith(b"HTTP/1.1 4"), told
            writer.close()
        me = await http.get("/api/me", headers=scene.near.client.headers())
        assert done(me)["id"] == scene.near.client.id
