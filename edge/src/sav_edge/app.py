"""The edge process: the HTTP door, and the consumer that feeds its read model."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import structlog
from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from pydantic_core import to_json

from sav_chassis import tracing
from sav_chassis.asking import CommandClient
from sav_chassis.consuming import ViewConsumer
from sav_chassis.database import opened
from sav_chassis.envelope import Envelope
from sav_chassis.errors import SavError
from sav_chassis.files import Files, check_files
from sav_chassis.health import Health
from sav_chassis.identity import Verifier
from sav_chassis.migrate import migrate
from sav_chassis.projector import Told
from sav_chassis.revoking import revoke
from sav_chassis.runner import connected, run
from sav_chassis.settings import Settings
from sav_contracts.auth.policy import Cors, RateLimits
from sav_edge import elsewhere, problems
from sav_edge.auditing import Audit
from sav_edge.call import NONE, call_of
from sav_edge.description import described
from sav_edge.front import Front
from sav_edge.limiting import RateLimiter
from sav_edge.live import Live
from sav_edge.projection import apply
from sav_edge.reading import ReadModel
from sav_edge.routes import Door, HttpRequest, handlers
from sav_edge.serving import Config, Server
from sav_edge.stream import Streams, streaming
from sav_edge.uploads import Bounds, Uploads

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

        verifier = Verifier(settings.public_keys)
        live = Live(database, verifier)
        await live.start()
        streams = Streams(database.pool, verifier, settings.streams)

        async def take_in(told: Sequence[Told]) -> None:
            await revoke(database.pool, told)
            await apply(database.pool, told)
            await live.tell(told)
            streams.look()

        async def apply_reply(envelopes: Sequence[Envelope]) -> None:
            await take_in([(envelope, envelope.event()) for envelope in envelopes])

        read = ReadModel(database.pool)
        recognisers = ThreadPoolExecutor(RECOGNISERS, "recogniser")
        bounds = Bounds(settings.max_body, settings.max_upload, settings.body_within)
        uploads = Uploads(Files(settings.files_url), recognisers, bounds)
        limiter = RateLimiter(database.pool, lambda: live.policy(RateLimits), settings.rate_limits_scale)
        audit = Audit(database.pool, settings)
        deadline = settings.command_deadline
        door = Door(read, client, verifier, deadline, apply_reply, uploads, limiter, audit)
        consumer = ViewConsumer(take_in, database, broker, "edge.views")
        await consumer.start()
        health.database, health.connections = database, [broker, publishing]
        health.consumes(consumer.queue, consumer.channel)
        try:
            async with audit.running(), limiter.running(), streams.running():
                with health.started():
                    app = build(door, streams, health)
                    app.asgi_handler = Front(app.asgi_handler, settings, lambda: live.policy(Cors), audit)
                    yield app
        finally:
            await consumer.stop()
            await live.stop()
            await client.close()
            recognisers.shutdown(wait=False, cancel_futures=True)


def build(door: Door, streams: Streams, health: Health) -> Litestar:
    """The routes of the surface, live changes, health for a balancer and the API description."""

    @get("/health/live")
    async def live() -> Response[bytes]:
        return _json({"live": not await health.faults()})

    @get("/health/ready")
    async def ready() -> Response[bytes]:
        return _json(await health.ready())

    @get("/.well-known/jwks.json")
    async def keys() -> Response[bytes]:
        return Response(
            to_json(door.verifier.jwks()),
            media_type="application/json",
            headers={"Cache-Control": "public, max-age=300"},
        )

    pages = Router("/", route_handlers=[keys, *described()], before_request=elsewhere.counted)
    return Litestar(
        [*handlers(door), streaming(streams, door.admit), live, ready, pages],
        state=State({"streams": streams, "limiter": door.limiter}),
        openapi_config=None,
        logging_config=None,
        exception_handlers={
            SavError: problems.on_sav_error,
            HTTPException: elsewhere.without_route,
            Exception: _unexpected,
        },
    )


def _unexpected(request: HttpRequest, error: Exception) -> Response[bytes]:
    call = call_of(request.scope)
    call.route = call.route or NONE
    return problems.on_any_error(request, error)


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
        async with served(app, listener, settings):
            log.info("ready", service=edge.name, host=settings.edge_host, port=settings.edge_port)
            yield


@asynccontextmanager
async def served(app: Litestar, listener: socket.socket, settings: Settings) -> AsyncIterator[None]:
    """Answers HTTP; at the end what is in hand is finished, and streams, which have no end of their own, are ended."""
    _enough_files()
    server = Server(Config(app, settings, FINISH_WITHIN))
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        app.state.streams.stop()
        server.should_exit = True
        await serving


def _enough_files() -> None:
    """A connection is a file: thousands listen, and the usual limit is a thousand."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
