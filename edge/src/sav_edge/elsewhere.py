"""What is no row of the surface: the pages that ask for no token, and what there is not.

Both count as reads of their address. Free are health, which a balancer asks for, and preflights: they cannot say for
whom they ask, and an office that shares an address would soon have no more of them.
"""

from litestar import Response
from litestar.exceptions import HTTPException

from sav_edge import problems
from sav_edge.call import NONE, call_of
from sav_edge.limiting import Kind, TooManyRequests
from sav_edge.routes import HttpRequest


async def counted(request: HttpRequest) -> None:
    """Before a page answers; `TooManyRequests` where it shall not."""
    if request.method != "OPTIONS":
        _count(request)


def without_route(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    """The answer where nothing has this path, or this method."""
    call_of(request.scope).route = NONE
    try:
        _count(request)
    except TooManyRequests as refusal:
        return problems.on_sav_error(request, refusal)
    return problems.on_http_error(request, error)


def _count(request: HttpRequest) -> None:
    call = call_of(request.scope)
    # What has been counted before, by a page that has no such file, says so in its answer.
    if not call.headers:
        request.app.state.limiter.take(call, Kind.READS)
