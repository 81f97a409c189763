"""One request, as all that look at it know it: its id, from where it comes, who asks, and which row answers."""

from collections.abc import Mapping
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

    __slots__ = ("actor", "address", "ended", "headers", "id", "route", "status")

    def __init__(self, id: str, address: str | None) -> None:
        self.id = id
        self.address = address
        self.actor: Actor = ANYONE
        self.route = ""
        self.status = 500
        # What the answer carries beside its own headers.
        self.headers: tuple[Header, ...] = ()
        # Why something ended that has no end of its own.
        self.ended = ""


def call_of(scope: Mapping[str, Any]) -> Call:
    """The call that the front has made of this request."""
    return cast("Call", scope[KEY])
