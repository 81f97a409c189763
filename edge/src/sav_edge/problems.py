"""Every error as `application/problem+json` (RFC 9457) with a stable code; never a stack trace."""

from copy import copy
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send
from pydantic_core import to_json

from sav_chassis.errors import Problem, SavError
from sav_edge.french import french, in_french, prefers_french
from sav_edge.reply import Reply

log = structlog.get_logger()

CODES = {
    400: "malformed",
    401: "not_signed_in",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


class Refusal(Reply):
    """A problem in the language of who reads it, with the headers that its status asks for."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        more = {"Content-Language": "en", "Vary": "Accept-Language"} | (headers or {})
        if problem.status == 401:
            more["WWW-Authenticate"] = "Bearer"
        if problem.status == 408:
            more["Connection"] = "close"
        if problem.retry_after:
            more["Retry-After"] = str(problem.retry_after)
        title = HTTPStatus(problem.status).phrase
        super().__init__(_document(problem, title), problem.status, "application/problem+json", more)
        self.problem = problem

    def spoken(self, scope: Scope) -> Reply:
        """The same in French, where the request prefers it."""
        accepts = (value for name, value in scope["headers"] if name == b"accept-language")
        if not prefers_french(b",".join(accepts).decode("latin-1")):
            return self
        translated = copy(self)
        translated.body = _document(in_french(self.problem), french(HTTPStatus(self.status).phrase))
        translated.headers = self.headers | {"Content-Language": "fr"}
        return translated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Reply.__call__(self.spoken(scope), scope, receive, send)


def _document(problem: Problem, title: str) -> bytes:
    told = {"type": f"urn:sav:problem:{problem.code}", "title": title}
    return to_json(told | problem.model_dump(exclude_none=True, exclude={"retry_after"}))


def reply(problem: Problem, headers: dict[str, str] | None = None) -> Refusal:
    """The problem as an answer."""
    return Refusal(problem, headers)


def of_http_error(error: HTTPException, headers: dict[str, str] | None = None) -> Refusal:
    """What Litestar itself refuses: unknown path or method."""
    status = error.status_code
    problem = Problem(status=status, code=CODES.get(status, "refused"), detail=error.detail)
    return reply(problem, (headers or {}) | (error.headers or {}))


def on_sav_error(request: Request[Any, Any, Any], error: SavError) -> Response[bytes]:
    return reply(error.problem).spoken(request.scope).response()


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    return of_http_error(error).spoken(request.scope).response()


def on_any_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours; the cause is in the log, not in the answer."""
    log.error("request failed", path=request.url.path, exc_info=error)
    told = SavError("something went wrong on our side; it is logged").problem
    return reply(told).spoken(request.scope).response()
