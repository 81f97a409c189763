"""Every error as `application/problem+json` (RFC 9457) with a stable code; never a stack trace."""

from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from pydantic_core import to_json

from sav_chassis.errors import Problem, SavError
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


def reply(problem: Problem, headers: dict[str, str] | None = None) -> Reply:
    """The problem as an answer, with the headers that its status asks for."""
    document = {"type": f"urn:sav:problem:{problem.code}", "title": HTTPStatus(problem.status).phrase}
    document |= problem.model_dump(exclude_none=True, exclude={"retry_after"})
    more = dict(headers or {})
    if problem.status == 401:
        more["WWW-Authenticate"] = "Bearer"
    if problem.retry_after:
        more["Retry-After"] = str(problem.retry_after)
    return Reply(to_json(document), problem.status, "application/problem+json", more)


def of_http_error(error: HTTPException, headers: dict[str, str] | None = None) -> Reply:
    """What Litestar itself refuses: unknown path or method."""
    status = error.status_code
    problem = Problem(status=status, code=CODES.get(status, "refused"), detail=error.detail)
    return reply(problem, (headers or {}) | (error.headers or {}))


def on_sav_error(request: Request[Any, Any, Any], error: SavError) -> Response[bytes]:
    return reply(error.problem).response()


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    return of_http_error(error).response()


def on_any_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours; the cause is in the log, not in the answer."""
    log.error("request failed", path=request.url.path, exc_info=error)
    return reply(SavError("something went wrong on our side; it is logged").problem).response()
