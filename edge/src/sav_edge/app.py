"""The edge process: the HTTP server, and the consumer that feeds its read model."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from pydantic_core import to_json

from sav_chassis.commands.client import CommandClient
from sav_chassis.database import opened
from sav_chassis.envelope import Envelope
from sav_chassis.errors import SavError
from sav_chassis.events.consumers import ViewConsumer
from sav_chassis.files import Files, check_files
from sav_chassis.identity import Verifier
from sav_chassis.process.health import Health
from sav_chassis.process.runner import connected
from sav_chassis.revocations import revoke
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import MissingMigration, readable
from sav_chassis.telemetry import tracing
from sav_chassis.views import RecordedEvent
from sav_contracts.auth.policy import Cors, RateLimits, SlaTargets
from sav_edge import declared, problems, unmatched
from sav_edge.api_docs import described
from sav_edge.audit_log import Audit
from sav_edge.bodies import BodyLimits
from sav_edge.dashboards import Dashboards
from sav_edge.exports import Exports
from sav_edge.http_server import Config, Server
from sav_edge.live_settings import LiveSettings
from sav_edge.middleware import RequestMiddleware
from sav_edge.pages import PAGES
from sav_edge.pages.serving import Pages, back_from_payment, logo, look
from sav_edge.pages.serving import handlers as page_handlers
from sav_edge.papers import Firm, Papers
from sav_edge.picture_sizes import Pictures
from sav_edge.projection import apply
from sav_edge.rate_limiter import RateLimiter
from sav_edge.read_model import ReadModel
from sav_edge.request_context import NONE, request_context_of
from sav_edge.routes import Gateway, HttpRequest, handlers
from sav_edge.stream import Streams, streaming
from sav_edge.upload_screening import UploadScreening
from sav_edge.uploads import Uploads

log = structlog.get_logger()

POOL = 10
# Files screened concurrently: each takes one core and up to `screen_upload.MEMORY` bytes.
RECOGNISERS = 2
# Seconds between attempts to reconnect to the broker: people wait until commands work again.
SOON = 0.2
# Seconds that requests still running at SIGTERM may take.
FINISH_WITHIN = 6


class Edge:
    """The room and its queue: every event reaches the read model."""

    name = "edge"

    def bindings(self) -> dict[str, list[str]]:
        return {"edge.views": ["#"]}


edge = Edge()


@asynccontextmanager
async def application(settings: Settings, health: Health | None = None) -> AsyncIterator[Litestar]:
    """The ASGI application, connected to database and broker, its read model kept up to date."""
    check_files(settings, edge.name)
    readable(Firm)(settings, edge.name)
    health = health or Health()
    async with (
        opened(settings, edge.name, POOL) as database,
        connected(settings, edge.name) as broker,
        connected(settings, "edge publishes", SOON) as publishing,
    ):
        if lacking := await declared.missing(database.pool):
            raise MissingMigration(f"edge: the database lacks {', '.join(lacking)}; run `./sav migrate`")
        # Whoever starts last after an update finds what processes of the release before wrote meanwhile.
        await declared.refresh_stale(database.pool)
        client = CommandClient(publishing)
        await client.start()

        verifier = Verifier(settings.public_keys)
        live = LiveSettings(database, verifier)
        await live.start()
        streams = Streams(database.pool, verifier, settings.streams)

        async def take_in(events: Sequence[RecordedEvent]) -> None:
            await revoke(database.pool, events)
            await apply(database.pool, events)
            await live.tell(events)
            streams.look()

        async def apply_reply(envelopes: Sequence[Envelope]) -> None:
            await take_in([(envelope, envelope.event()) for envelope in envelopes])

        read = ReadModel(database.pool)
        bounds = BodyLimits(settings.max_body, settings.max_upload, settings.body_within)
        files, screening = Files(settings.files_url), UploadScreening(RECOGNISERS)
        uploads, pictures = Uploads(files, screening, bounds), Pictures(files, screening)
        papers = Papers(read, settings)
        limiter = RateLimiter(database.pool, lambda: live.policy(RateLimits), settings.rate_limits_scale)
        audit = Audit(database.pool, settings)
        deadline = settings.command_deadline
        gateway = Gateway(
            read,
            Exports(read),
            client,
            verifier,
            deadline,
            apply_reply,
            uploads,
            pictures,
            papers,
            limiter,
            audit,
            Dashboards(database.pool, lambda: live.policy(SlaTargets), database.clock),
        )
        consumer = ViewConsumer(take_in, database, broker, "edge.views")
        await consumer.start()
        health.database, health.connections = database, [broker, publishing]
        health.parts["read model"] = read.is_complete
        health.consumes(consumer.queue, consumer.channel)
        try:
            async with audit.running(), limiter.running(), streams.running():
                with health.started():
                    app = build(gateway, streams, health)
                    app.asgi_handler = RequestMiddleware(
                        app.asgi_handler, settings, lambda: live.policy(Cors), audit
                    )
                    yield app
        finally:
            await consumer.stop()
            await live.stop()
            await client.close()


def build(gateway: Gateway, streams: Streams, health: Health) -> Litestar:
    """The routes of the surface, the stream, health for a load balancer, public keys, the API description and the small pages."""

    @get("/health/live")
    async def live() -> Response[bytes]:
        return _json({"live": not await health.faults()})

    @get("/health/ready")
    async def ready() -> Response[bytes]:
        return _json(await health.ready())

    @get("/.well-known/jwks.json")
    async def keys() -> Response[bytes]:
        return Response(
            to_json(gateway.verifier.jwks()),
            media_type="application/json",
            headers={"Cache-Control": "public, max-age=300"},
        )

    parts = [look, logo(gateway), back_from_payment(gateway)]
    beside = Router("/", route_handlers=[keys, *parts, *described()], before_request=unmatched.counted)
    pages = page_handlers(Pages(gateway), PAGES)
    return Litestar(
        [*handlers(gateway), streaming(streams, gateway.admit), live, ready, beside, *pages],
        state=State({"streams": streams, "limiter": gateway.limiter}),
        openapi_config=None,
        logging_config=None,
        exception_handlers={
            SavError: problems.on_sav_error,
            HTTPException: unmatched.without_route,
            Exception: _unexpected,
        },
    )


def _unexpected(request: HttpRequest, error: Exception) -> Response[bytes]:
    call = request_context_of(request.scope)
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
        # Last: a replica that cannot answer yet takes no connections.
        listener = socket.create_server(
            (settings.edge_host, settings.edge_port), backlog=2048, reuse_port=True
        )
        async with served(app, listener, settings):
            log.info("ready", service=edge.name, host=settings.edge_host, port=settings.edge_port)
            yield


@asynccontextmanager
async def served(app: Litestar, listener: socket.socket, settings: Settings) -> AsyncIterator[None]:
    """Serves HTTP. At the end, running requests finish; streams, which never end otherwise, are ended."""
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
    """Raises the limit of open files, usually a thousand: a connection is one, and thousands of callers listen."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
