"""The edge without rate limits, request log, audit and metrics: nothing counts or notes what is asked."""

from typing import Any

from sav_edge.app import edge
from sav_edge.front import Front
from sav_edge.limiting import RateLimiter


def nothing(*_: Any) -> None:
    pass


if __name__ == "__main__":
    Front._note = nothing  # type: ignore[method-assign]
    RateLimiter.take = nothing  # type: ignore[method-assign]
    edge.run()
