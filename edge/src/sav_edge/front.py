"""What every request passes on its way in and out, whatever answers it: its id, who may read the answer, the log."""

import time
from collections.abc import Callable, Iterable
from typing import cast
from uuid import UUID

import structlog
import uuid_utils
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from sav_chassis import metrics
from sav_chassis.settings import Settings
from sav_contracts.actor import ANYONE
from sav_contracts.auth.policy import Cors
from sav_edge import cors, safety
from sav_edge.addresses import Addresses
from sav_edge.auditing import Audit
from sav_edge.call import KEY, NONE, Call, Header

log = structlog.get_logger()

DOCS = "/docs"
# It has no end, so there is no answer to leave the body of.
STREAM = "/stream"


class Front:
    """The application behind it gets GET for HEAD, and a `Call` in the scope."""

    def __init__(self, app: ASGIApp, settings: Settings, policy: Callable[[], Cors], audit: Audit) -> None:
        self._app = app
        self._policy = policy
        self._audit = audit
        self._addresses = Addresses(settings.trusted_proxies)
        self._always = safety.headers(settings.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            await self._pass(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _pass(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        origin, given, asks = _looked_for(scope["headers"])
        method, path, peer = scope["method"], scope["path"], scope["client"]
        call = Call(_id(given), self._addresses.client(peer[0] if peer else None, scope["headers"]))
        safe = safety.PAGE if path.startswith(DOCS) else safety.DATA
        granted = cors.granted(self._policy(), origin)
        bodiless = method == "HEAD" and path != STREAM

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", call.id.encode()), *call.headers]
                headers += self._always
                headers += granted
                if all(name != safety.POLICY for name, _ in headers):
                    headers.append(safe)
                if method == "OPTIONS":
                    headers = _allowing(headers, len(granted) > 1 and asks is not None)
                message["headers"] = headers
            elif bodiless and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        passed = {**scope, "method": "GET" if bodiless else method, KEY: call}
        # Every request is a task of its own, and so is its context.
        structlog.contextvars.bind_contextvars(correlation_id=call.id)
        try:
            await self._app(cast("Scope", passed), receive, answer)
        finally:
            if call.route:
                self._note(call, time.perf_counter() - started)

    def _note(self, call: Call, seconds: float) -> None:
        route, status, actor = call.route, call.status, call.actor
        told = {} if actor is ANYONE else {"user": str(actor.id)}
        ended = {"ended": call.ended} if call.ended else {}
        log.info(
            "request",
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            role=actor.role.value,
            address=call.address,
            **told,
            **ended,
        )
        if route == NONE or ended:
            # Not among the times of answers: they say nothing of any route, and a stream's is how long somebody listens.
            metrics.REQUESTS.labels(route, status).inc()
        else:
            metrics.requested(route, status, seconds)
        self._audit.note(call, seconds)


def _looked_for(headers: Iterable[Header]) -> tuple[bytes | None, ...]:
    """`Origin`, `X-Request-ID` and what a preflight asks for."""
    origin = given = asks = None
    for name, value in headers:
        if name == b"origin":
            origin = value
        elif name == b"x-request-id":
            given = value
        elif name == b"access-control-request-method":
            asks = value
    return origin, given, asks


def _id(given: bytes | None) -> str:
    """The caller's own, or a new one."""
    try:
        return str(UUID(given.decode())) if given else str(uuid_utils.uuid7())
    except ValueError:
        return str(uuid_utils.uuid7())


def _allowing(headers: list[Header], preflight: bool) -> list[Header]:
    """The methods of a path with those that are there for every GET; for a preflight in its words too."""
    methods = {method.strip() for name, value in headers if name == b"allow" for method in value.split(b",")}
    if not methods:
        return headers
    methods |= {b"OPTIONS", *([b"HEAD"] if b"GET" in methods else [])}
    allowed = b", ".join(sorted(methods))
    rest = [(name, value) for name, value in headers if name != b"allow"]
    return [*rest, (b"allow", allowed), *(cors.preflight(allowed) if preflight else ())]
