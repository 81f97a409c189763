"""CORS: pages of the origins in the policy `cors` may call the API from a browser (Fetch standard, 3.2).

Tokens travel in `Authorization`, not in cookies, so no response allows credentials.
"""

from sav_contracts.auth.policy import Cors
from sav_edge.request_context import Header

SENT = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, traceparent, X-Request-ID"
SHOWN = "Content-Disposition, ETag, Idempotency-Key, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
# Seconds for which a browser may cache a preflight.
REMEMBERED = 600

VARY: Header = (b"vary", b"Origin")
EXPOSED: Header = (b"access-control-expose-headers", SHOWN.encode())
ALLOWED: tuple[Header, ...] = (
    (b"access-control-allow-headers", SENT.encode()),
    (b"access-control-max-age", str(REMEMBERED).encode()),
)


def granted(policy: Cors, origin: bytes | None) -> tuple[Header, ...]:
    """The headers of every response to this origin: only `Vary` if it is not allowed, none if no origin is."""
    if not policy.origins:
        return ()
    if origin is None or origin.decode("latin-1") not in policy.origins:
        return (VARY,)
    return VARY, (b"access-control-allow-origin", origin), EXPOSED


def preflight(methods: bytes) -> tuple[Header, ...]:
    """What the response to an allowed preflight adds: the path's methods, and the request headers that are read."""
    return (b"access-control-allow-methods", methods), *ALLOWED
