"""Requests without a route in the surface: public pages, unknown paths, wrong methods.

They count as reads of the caller's address. Not counted are health requests, which a load balancer makes, and
preflights: they carry no token, so an office that shares an address would soon use up its limit.
"""

from litestar import Response
from litestar.exceptions import HTTPException

from sav_edge import problems
from sav_edge.rate_limiter import RequestClass, TooManyRequests
from sav_edge.request_context import NONE, request_context_of
from sav_edge.routes import HttpRequest


async def counted(request: HttpRequest) -> None:
    """Counts a request before a page answers it; `TooManyRequests` where none is left."""
    if request.method != "OPTIONS":
        _count(request)


def without_route(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    """The response where no route has this path, or this method."""
    request_context_of(request.scope).route = NONE
    try:
        _count(request)
    except TooManyRequests as refusal:
        return problems.on_sav_error(request, refusal)
    return problems.on_http_error(request, error)


def _count(request: HttpRequest) -> None:
    call = request_context_of(request.scope)
    # With headers it was counted before, by a page that then found no such file.
    if not call.headers:
        request.app.state.limiter.take(call, RequestClass.READS)
