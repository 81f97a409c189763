"""Every error as `application/problem+json` (RFC 9457) with a stable code; never a stack trace."""

from copy import copy
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send
from pydantic_core import to_json

from sav_chassis.database import unavailable
from sav_chassis.errors import Fault, Malformed, NotFound, Problem, SavError, TooLarge
from sav_edge.language import TITLES, prefers_french
from sav_edge.reply import Reply
from sav_edge.request_context import request_context_of

log = structlog.get_logger()


class MethodNotAllowed(SavError):
    """The address exists, but takes other methods."""

    code = "method_not_allowed"
    status = 405
    allowed: str
    en = "This address takes {allowed} only; see /docs"
    fr = "Cette adresse n’accepte que {allowed} ; voir /docs"


class NothingHere(NotFound):
    en = "There is nothing at this address; see /docs"
    fr = "Il n’y a rien à cette adresse ; ce qu’il y a est décrit sous /docs"


class RequestTooLarge(TooLarge):
    en = "The request is too large"
    fr = "La requête est trop volumineuse"


class RequestUnreadable(Malformed):
    en = "The request cannot be read"
    fr = "La requête est illisible"


class ProblemResponse(Reply):
    """A problem in the caller's language, with the headers that its status requires."""

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
        translated.body = _document(self.problem.in_french(), TITLES[self.status])
        translated.headers = self.headers | {"Content-Language": "fr"}
        return translated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Reply.__call__(self.spoken(scope), scope, receive, send)


def _document(problem: Problem, title: str) -> bytes:
    document = {"type": f"urn:sav:problem:{problem.code}", "title": title}
    return to_json(document | problem.model_dump(exclude_none=True, exclude={"retry_after", "french"}))


def reply(problem: Problem, headers: dict[str, str] | None = None) -> ProblemResponse:
    return ProblemResponse(problem, headers)


def refusal(error: Exception, headers: dict[str, str]) -> ProblemResponse:
    """The problem for an error during a request; raises the error again where it is a fault of ours."""
    if isinstance(error, SavError):
        return reply(error.problem, headers)
    if isinstance(error, HTTPException):
        return of_http_error(error, headers)
    if away := unavailable(error):
        log.warning("request refused: dependency unavailable", refusal=str(away), error=repr(error))
        return reply(away.problem, headers)
    raise error


def of_http_error(error: HTTPException, headers: dict[str, str] | None = None) -> ProblemResponse:
    """What Litestar itself refuses: unknown path or method."""
    return reply(_meant(error).problem, (headers or {}) | (error.headers or {}))


def _meant(error: HTTPException) -> SavError:
    match error.status_code:
        case 404:
            return NothingHere()
        case 405:
            # Litestar writes the header's name in lower case, and lists OPTIONS too.
            named = {name.lower(): value for name, value in (error.headers or {}).items()}.get("allow", "GET")
            allowed = ", ".join(sorted(set(named.split(", ")) - {"OPTIONS"}))
            return MethodNotAllowed(allowed=allowed)
        case 413:
            return RequestTooLarge()
        case status if status < 500:
            return RequestUnreadable()
    return Fault()


def on_sav_error(request: Request[Any, Any, Any], error: SavError) -> Response[bytes]:
    return reply(error.problem).spoken(request.scope).response()


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    return of_http_error(error).spoken(request.scope).response()


def on_any_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours; the cause is in the log, not in the answer."""
    # Not its path: that may hold what is signed into a link.
    log.error("request failed", route=request_context_of(request.scope).route, exc_info=error)
    return on_sav_error(request, Fault())
