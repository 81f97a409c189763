"""One request, as all that look at it know it: its id, from where it comes, who asks, and which row answers."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from sav_contracts.actor import ANYONE, Actor

Header = tuple[bytes, bytes]

# Where a request's scope holds its call.
KEY = "sav.call"
# What answers where no row of the surface does: the paths are anybody's, so they are counted together.
NONE = "none"


class Call:
    """Made at the front; who answers says who asks (`actor`), and what answers (`route`).

    A call whose `route` stays empty is neither logged nor kept: health, descriptions.
    """

    __slots__ = ("actor", "address", "ended", "headers", "id", "route", "sent", "status")

    def __init__(self, id: str, address: str | None, sent: Mapping[bytes, bytes]) -> None:
        self.id = id
        self.address = address
        self.sent = sent
        self.actor: Actor = ANYONE
        self.route = ""
        self.status = 500
        # What the answer carries beside its own headers.
        self.headers: tuple[Header, ...] = ()
        # Why something ended that has no end of its own.
        self.ended = ""

    def header(self, name: bytes) -> str | None:
        """A header of the request, its name in small letters."""
        value = self.sent.get(name)
        return None if value is None else value.decode("latin-1")


def joined(headers: Iterable[Header]) -> dict[bytes, bytes]:
    """The headers by name; those of one name as one list (RFC 9110, 5.3)."""
    sent: dict[bytes, bytes] = {}
    for name, value in headers:
        sent[name] = sent[name] + b", " + value if name in sent else value
    return sent


def call_of(scope: Mapping[str, Any]) -> Call:
    """The call that the front has made of this request."""
    return cast("Call", scope[KEY])
