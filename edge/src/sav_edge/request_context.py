"""What is known of one HTTP request: its id, the caller's address, the actor and the route."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from sav_contracts.actor import ANYONE, Actor

Header = tuple[bytes, bytes]

# The key of the request context in the ASGI scope.
KEY = "sav.call"
# The route of requests that no row of the surface answers. Their paths may be anything, so they are counted together.
NONE = "none"
TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class RequestContext:
    """Made by the middleware; whatever answers the request sets `actor` and `route`.

    A request whose `route` stays empty is neither logged nor audited: health, descriptions.
    """

    __slots__ = ("actor", "address", "ended", "headers", "id", "route", "sent", "status")

    def __init__(self, id: str, address: str | None, sent: Mapping[bytes, bytes]) -> None:
        self.id = id
        self.address = address
        self.sent = sent
        self.actor: Actor = ANYONE
        self.route = ""
        self.status = 500
        # Headers added to those of the response itself.
        self.headers: tuple[Header, ...] = ()
        # Why a stream ended, which has no end of its own.
        self.ended = ""

    def header(self, name: bytes) -> str | None:
        """A header of the request; `name` is in lower case."""
        value = self.sent.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def traceparent(self) -> str | None:
        """The caller's trace; a malformed one is ignored, as the standard requires (W3C Trace Context, 3.2.2)."""
        given = self.header(b"traceparent")
        return given if given and TRACEPARENT.fullmatch(given) else None


def joined(headers: Iterable[Header]) -> dict[bytes, bytes]:
    """The headers by name; several of one name are joined into one list (RFC 9110, 5.3)."""
    sent: dict[bytes, bytes] = {}
    for name, value in headers:
        sent[name] = sent[name] + b", " + value if name in sent else value
    return sent


def request_context_of(scope: Mapping[str, Any]) -> RequestContext:
    """The request context that the middleware has put into this scope."""
    return cast("RequestContext", scope[KEY])
