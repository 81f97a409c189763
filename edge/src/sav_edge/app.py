"""The edge process: the HTTP door, and the consumer that feeds its read model."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import structlog
import uvicorn
from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException
from pydantic_core import to_json

from sav_chassis import metrics, tracing
from sav_chassis.asking import CommandClient
from sav_chassis.consuming import ViewConsumer
from sav_chassis.database import opened
from sav_chassis.envelope import Envelope
from sav_chassis.errors import SavError
from sav_chassis.files import Files, check_files
from sav_chassis.health import Health
from sav_chassis.identity import Verifier
from sav_chassis.migrate import migrate
from sav_chassis.runner import connected, run
from sav_chassis.settings import Settings
from sav_edge import problems
from sav_edge.description import described
from sav_edge.projection import apply
from sav_edge.reading import ReadModel
from sav_edge.routes import Door, handlers
from sav_edge.uploads import Uploads

log = structlog.get_logger()

POOL = 10
# Decoding a picture takes a core, and up to 400 MB.
RECOGNISERS = 2
# Seconds a request in hand may take after SIGTERM.
FINISH_WITHIN = 6


class Edge:
    """The HTTP door. Every event reaches its read model."""

    name = "edge"

    def bindings(self) -> dict[str, list[str]]:
        return {"edge.views": ["#"]}

    async def migrate(self, settings: Settings) -> None:
        """Creates and upgrades the read model's database."""
        await migrate(settings, self.name)

    def run(self) -> None:
        """The edge as a process, until SIGTERM or SIGINT."""
        run(listening(Settings()))


edge = Edge()


@asynccontextmanager
async def application(settings: Settings, health: Health | None = None) -> AsyncIterator[Litestar]:
    """The ASGI application at work: connected, its read model fed."""
    check_files(settings, edge.name)
    health = health or Health()
    async with (
        opened(settings, edge.name, POOL) as database,
        connected(settings, edge.name) as broker,
        connected(settings, "edge publishes") as publishing,
    ):
        client = CommandClient(publishing)
        await client.start()

        async def apply_reply(envelopes: Sequence[Envelope]) -> None:
            await apply(database.pool, [(envelope, envelope.event()) for envelope in envelopes])

        read = ReadModel(database.pool)
        recognisers = ThreadPoolExecutor(RECOGNISERS, "recogniser")
        uploads = Uploads(Files(settings.files_url), recognisers)
        verifier = Verifier(settings.public_keys)
        door = Door(read, client, verifier, settings.command_deadline, apply_reply, uploads)
        consumer = ViewConsumer(lambda told: apply(database.pool, told), database, broker, "edge.views")
        await consumer.start()
        health.database, health.connections = database, [broker, publishing]
        health.consumes(consumer.queue, consumer.channel)
        try:
            with health.started():
                yield build(door, health)
        finally:
            await consumer.stop()
            await client.close()
            recognisers.shutdown(wait=False, cancel_futures=True)


def build(door: Door, health: Health) -> Litestar:
    """The routes of the surface, health for a balancer and the API description."""

    @get("/health/live")
    async def live() -> Response[bytes]:
        return _json({"live": not await health.faults()})

    @get("/health/ready")
    async def ready() -> Response[bytes]:
        return _json(await health.ready())

    return Litestar(
        [*handlers(door), live, ready, *described()],
        openapi_config=None,
        logging_config=None,
        exception_handlers={
            SavError: problems.on_sav_error,
            HTTPException: _without_route,
            Exception: problems.on_any_error,
        },
    )


def _without_route(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What no row of the surface answers is counted together: its paths are anybody's."""
    metrics.REQUESTS.labels("none", error.status_code).inc()
    return problems.on_http_error(request, error)


def _json(parts: dict[str, bool]) -> Response[bytes]:
    status = 200 if all(parts.values()) else 503
    return Response(to_json(parts), status_code=status, media_type="application/json")


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[None]:
    """The application behind a real socket."""
    health = Health()
    async with (
        health.answering(settings),
        tracing.exporting(edge.name),
        application(settings, health) as app,
    ):
        # Only now: a replica that cannot answer yet takes no connections.
        listener = socket.create_server(
            (settings.edge_host, settings.edge_port), backlog=2048, reuse_port=True
        )
        server = Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=FINISH_WITHIN,
            )
        )
        serving = asyncio.create_task(server.serve([listener]))
        log.info("ready", service=edge.name, host=settings.edge_host, port=settings.edge_port)
        try:
            yield
        finally:
            server.should_exit = True
            await serving


class Server(uvicorn.Server):
    """Signals are the runner's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
