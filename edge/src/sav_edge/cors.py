"""Which pages of other origins may call the API from a browser: those of the policy `cors` (Fetch standard, 3.2).

Tokens travel in a header of their own, so no answer allows credentials.
"""

from sav_contracts.auth.policy import Cors
from sav_edge.call import Header

SENT = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, traceparent, X-Request-ID"
SHOWN = "Content-Disposition, ETag, Idempotency-Key, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
# Seconds for which a browser need not ask again.
REMEMBERED = 600

VARY: Header = (b"vary", b"Origin")
EXPOSED: Header = (b"access-control-expose-headers", SHOWN.encode())
ALLOWED: tuple[Header, ...] = (
    (b"access-control-allow-headers", SENT.encode()),
    (b"access-control-max-age", str(REMEMBERED).encode()),
)


def granted(policy: Cors, origin: bytes | None) -> tuple[Header, ...]:
    """What every answer to this origin carries; where other origins may ask, that answers differ by origin."""
    if not policy.origins:
        return ()
    if origin is None or origin.decode("latin-1") not in policy.origins:
        return (VARY,)
    return VARY, (b"access-control-allow-origin", origin), EXPOSED


def preflight(methods: bytes) -> tuple[Header, ...]:
    """What the answer to a granted preflight carries beside that: the path's methods and the headers that are read."""
    return (b"access-control-allow-methods", methods), *ALLOWED
