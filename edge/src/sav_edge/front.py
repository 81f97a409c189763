"""What every request passes on its way in and out, whatever answers it: its id, who may read the answer, the log."""

import time
from collections.abc import Callable
from uuid import UUID

import structlog
import uuid_utils
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sav_chassis import logs, metrics
from sav_chassis.settings import Settings
from sav_contracts.actor import ANYONE
from sav_contracts.auth.policy import Cors
from sav_edge import cors, safety
from sav_edge.addresses import Addresses
from sav_edge.auditing import Audit
from sav_edge.call import KEY, NONE, Call, Header, joined

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
        self._data, self._page = (*self._always, safety.DATA), (*self._always, safety.PAGE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method, path, peer, sent = scope["method"], scope["path"], scope["client"], joined(scope["headers"])
        address = self._addresses.client(peer[0] if peer else None, sent)
        call = scope[KEY] = Call(_id(sent.get(b"x-request-id")), address, sent)  # type: ignore[literal-required]
        safe = self._page if path.startswith(DOCS) else self._data
        granted = cors.granted(self._policy(), sent.get(b"origin"))
        bodiless = method == "HEAD" and path != STREAM
        if bodiless:
            # The server's own goes on saying HEAD: it leaves the body out too.
            scope = {**scope, "method": "GET"}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                own = message.get("headers", ())
                always = self._always if safety.POLICY in dict(own) else safe
                headers = [*own, (b"x-request-id", call.id.encode()), *call.headers, *always, *granted]
                if method == "OPTIONS":
                    asks = b"access-control-request-method" in sent
                    headers = _allowing(headers, len(granted) > 1 and asks)
                message["headers"] = headers
            elif bodiless and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        # Every request is a task of its own, and so is its context.
        structlog.contextvars.bind_contextvars(correlation_id=call.id)
        try:
            await self._app(scope, receive, answer)
        finally:
            if call.route:
                self._note(call, time.perf_counter() - started)

    def _note(self, call: Call, seconds: float) -> None:
        route, status, actor = call.route, call.status, call.actor
        told = {} if actor is ANYONE else {"user": actor.id}
        ended = {"ended": call.ended} if call.ended else {}
        logs.write(
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
