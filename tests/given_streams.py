"""What tests of live changes start from: replicas of the edge's stream, and people who listen."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import world
from eventually import eventually
from given_views import a, announced
from litestar import Litestar
from litestar.datastructures import State
from pydantic_core import from_json

from sav_chassis.commands.roles import check_role
from sav_chassis.identity import Signer, Verifier
from sav_chassis.settings import Settings
from sav_contracts.actor import ANYONE, Actor
from sav_contracts.auth.policy import Cors
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import View
from sav_contracts.surface import Row
from sav_edge.app import served
from sav_edge.audit_log import Audit
from sav_edge.callers import token_of
from sav_edge.middleware import RequestMiddleware
from sav_edge.projection import apply
from sav_edge.request_context import request_context_of
from sav_edge.routes import HttpRequest
from sav_edge.stream import Streams, streaming

Json = dict[str, Any]


@dataclass
class Ear:
    """Somebody who listens, and what they have heard: `(event, data)` without comments."""

    heard: list[tuple[str, Json]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    place: str = ""
    ended: bool = False

    def of(self, view: View) -> list[int]:
        """The versions of this record that were told."""
        return [
            data["version"]
            for _, data in self.heard
            if (data.get("kind"), data.get("id")) == (view.kind(), str(view.id))
        ]

    async def hears(self, view: View) -> None:
        async def told() -> bool:
            return view.version in self.of(view)

        await eventually(told, 20)

    async def until(self, condition: Callable[["Ear"], object]) -> None:
        async def met() -> object:
            return condition(self)

        await eventually(met, 20)

    async def listen(self, answer: httpx.Response) -> None:
        event = ""
        async for line in answer.aiter_lines():
            self.lines.append(line)
            name, _, value = line.partition(": ")
            if name == "id":
                self.place = value
            elif name == "event":
                event = value
            elif name == "data":
                self.heard.append((event, from_json(value)))
        self.ended = True


@dataclass
class Replica:
    """One process of the edge, as far as it is about streams."""

    port: int
    settings: Settings

    def token(self, who: Actor, seconds: int = 60) -> str:
        return Signer(self.settings.signing_key).token(who, seconds)

    @asynccontextmanager
    async def heard_by(self, who: Actor, last: str | None = None, seconds: int = 60) -> AsyncIterator[Ear]:
        """An ear that is told what changes from now on; first of all it has a place."""
        headers = {"Authorization": f"Bearer {self.token(who, seconds)}".encode()}
        if last is not None:
            headers["Last-Event-ID"] = last.encode("latin-1")
        async with ear(self.port, headers) as one:
            yield one

    async def asked(self, headers: dict[str, str], method: str = "GET", query: str = "") -> httpx.Response:
        async with httpx.AsyncClient() as http:
            return await http.request(method, f"http://127.0.0.1:{self.port}/stream{query}", headers=headers)


@asynccontextmanager
async def ear(port: int, headers: Mapping[str, Any]) -> AsyncIterator[Ear]:
    async with (
        httpx.AsyncClient(timeout=None) as http,
        http.stream("GET", f"http://127.0.0.1:{port}/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        one = Ear()
        listening = asyncio.create_task(one.listen(answer))
        try:
            await one.until(lambda ear: ear.place)
            yield one
        finally:
            listening.cancel()
            await asyncio.wait([listening])


@asynccontextmanager
async def replica(
    settings: Settings, pool: asyncpg.Pool, at_most: int = 100, heartbeat: float = 15.0
) -> AsyncIterator[Replica]:
    """The edge's stream and server alone: no broker, and nothing that other tests change is heard of."""
    verifier = Verifier(settings.public_keys)
    streams = Streams(pool, verifier, at_most, heartbeat)

    def admit(row: Row, request: HttpRequest) -> str | None:
        call = request_context_of(request.scope)
        token = token_of(call)
        call.actor = verifier.actor(token) if token else ANYONE
        check_role(row, call.actor)
        return token

    app = Litestar([streaming(streams, admit)], state=State({"streams": streams}), openapi_config=None)
    app.asgi_handler = RequestMiddleware(app.asgi_handler, settings, Cors, Audit(pool, settings))
    listener = socket.create_server(("127.0.0.1", 0))
    # So that little is enough to fill it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    port = listener.getsockname()[1]
    async with streams.running(), served(app, listener, settings):
        yield Replica(port, settings)


async def changed(pool: asyncpg.Pool, *views: View) -> None:
    await apply(pool, [announced(view) for view in views])


def later(view: Any, **fields: Any) -> Any:
    return view.model_copy(update={"version": view.version + 1} | fields)


def a_claim(client: Actor = world.lea, technician: Actor | None = None) -> ReclamationView:
    return a(ReclamationView, client_id=client.id, technician_id=technician and technician.id)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
