"""The edge without rate limits, request log, audit and metrics: nothing counts or notes what is asked."""

from typing import Any

from sav_chassis.process.runner import run
from sav_edge.app import listening
from sav_edge.middleware import RequestMiddleware
from sav_edge.rate_limiter import RateLimiter


def nothing(*_: Any) -> None:
    pass


if __name__ == "__main__":
    RequestMiddleware._note = nothing  # type: ignore[method-assign]
    RateLimiter.take = nothing  # type: ignore[method-assign]
    run(listening)
