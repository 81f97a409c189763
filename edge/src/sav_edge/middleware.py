"""The ASGI middleware around every request: request id, CORS headers, log and audit."""

import time
from collections.abc import Callable
from uuid import UUID

import structlog
import uuid_utils
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sav_chassis.errors import SavError
from sav_chassis.settings import Settings
from sav_chassis.telemetry import logs, metrics
from sav_contracts.actor import ANYONE
from sav_contracts.auth.policy import Cors
from sav_edge import cors, problems, security_headers
from sav_edge.addresses import Addresses, client_network
from sav_edge.audit_log import Audit
from sav_edge.connection_slots import ConnectionSlots
from sav_edge.request_context import KEY, NONE, Header, RequestContext, joined

DOCS = "/docs"
# It never ends, so HEAD is not turned into GET for it.
STREAM = "/stream"


class RequestMiddleware:
    """Puts a `RequestContext` into the scope, and turns HEAD into GET for the application."""

    def __init__(self, app: ASGIApp, settings: Settings, policy: Callable[[], Cors], audit: Audit) -> None:
        self._app = app
        self._policy = policy
        self._audit = audit
        self._addresses = Addresses(settings.trusted_proxies)
        self._crowd = ConnectionSlots(settings.connections)
        self._always = security_headers.headers(settings.public_url)
        self._data, self._page = (
            (*self._always, security_headers.DATA),
            (*self._always, security_headers.PAGE),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method, path, peer, sent = scope["method"], scope["path"], scope["client"], joined(scope["headers"])
        address = self._addresses.client(peer[0] if peer else None, sent)
        call = scope[KEY] = RequestContext(_id(sent.get(b"x-request-id")), address, sent)  # type: ignore[literal-required]
        safe = self._page if path.startswith(DOCS) else self._data
        granted = cors.granted(self._policy(), sent.get(b"origin"))
        bodiless = method == "HEAD" and path != STREAM
        if bodiless:
            # The server's own scope still says HEAD: it leaves the body out too.
            scope = {**scope, "method": "GET"}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                own = message.get("headers", ())
                always = self._always if security_headers.POLICY in dict(own) else safe
                headers = [*own, (b"x-request-id", call.id.encode()), *call.headers, *always, *granted]
                if method == "OPTIONS":
                    asks = b"access-control-request-method" in sent
                    headers = _allowing(headers, len(granted) > 1 and asks)
                message["headers"] = headers
            elif bodiless and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        # Each request is a task with a context of its own, so this binding ends with it.
        structlog.contextvars.bind_contextvars(correlation_id=call.id)
        try:
            self._crowd.enter(client_network(address))
        except SavError as refusal:
            call.route = NONE
            await problems.reply(refusal.problem)(scope, receive, answer)
            self._note(call, time.perf_counter() - started)
            return
        try:
            await self._app(scope, receive, answer)
        finally:
            self._crowd.leave(client_network(address))
            if call.route:
                self._note(call, time.perf_counter() - started)

    def _note(self, call: RequestContext, seconds: float) -> None:
        route, status, actor = call.route, call.status, call.actor
        who = {} if actor is ANYONE else {"user": actor.id}
        ended = {"ended": call.ended} if call.ended else {}
        logs.write(
            "request",
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            role=actor.role.value,
            address=call.address,
            **who,
            **ended,
        )
        if route == NONE or ended:
            # Counted, not timed: unmatched requests share a route, and a stream lasts as long as its listener.
            metrics.REQUESTS.labels(route, status).inc()
        else:
            metrics.requested(route, status, seconds)
        self._audit.note(call, seconds)


def _id(given: bytes | None) -> str:
    """The caller's request id if it is a UUID, else a new one."""
    try:
        return str(UUID(given.decode())) if given else str(uuid_utils.uuid7())
    except ValueError:
        return str(uuid_utils.uuid7())


def _allowing(headers: list[Header], preflight: bool) -> list[Header]:
    """The headers, with OPTIONS and HEAD added to `Allow`; for an allowed preflight also its CORS headers."""
    methods = {method.strip() for name, value in headers if name == b"allow" for method in value.split(b",")}
    if not methods:
        return headers
    methods |= {b"OPTIONS", *([b"HEAD"] if b"GET" in methods else [])}
    allowed = b", ".join(sorted(methods))
    rest = [(name, value) for name, value in headers if name != b"allow"]
    return [*rest, (b"allow", allowed), *(cors.preflight(allowed) if preflight else ())]
