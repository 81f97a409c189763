"""HEAD as the application answers it: a server or client that leaves the body out by itself hides whether we do."""

from typing import Any, cast

import pytest
from litestar.types import HTTPScope, Message
from recipes import Scene
from system import app_behind

PATHS = [
    "/api/me",
    "/api/reclamations",
    "/api/nothing",
    "/docs",
    "/openapi.json",
    "/health/live",
    "/schemas/x",
]


async def told(scene: Scene, method: str, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body, as they go to the server."""
    app = app_behind(scene.system.http)
    headers = [(name.lower().encode(), value.encode()) for name, value in scene.manager.headers().items()]
    asked: Any = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": headers,
        "client": ("2001:db8:77::1", 4711),
        "server": ("sav.test", 80),
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(cast("HTTPScope", asked), receive, send)
    start, *parts = sent
    return start["status"], dict(start["headers"]), b"".join(part.get("body", b"") for part in parts)


@pytest.mark.parametrize("path", PATHS)
async def test_head_has_the_status_and_length_of_get_and_no_body(path: str, scene: Scene) -> None:
    status, headers, body = await told(scene, "GET", path)
    assert body
    assert int(headers[b"content-length"]) == len(body)
    other_status, other_headers, nothing = await told(scene, "HEAD", path)
    assert (other_status, nothing) == (status, b"")
    assert other_headers[b"content-length"] == headers[b"content-length"]
    assert other_headers[b"content-type"] == headers[b"content-type"]
