"""A limit on concurrent connections or requests, shared so that no address takes them all."""

from collections import Counter

from sav_chassis.errors import TooMany, Unavailable

# Seconds after which the caller may try again.
LATER = 5


class NoFreeConnection(Unavailable):
    retry_after: int = LATER
    en = "All connections are taken just now; try again in a moment"
    fr = "Toutes les connexions sont prises en ce moment ; réessayez dans un instant"


class TooManyConnections(TooMany):
    """The caller's address has as many connections or open requests as are left for all the others."""

    code = "too_many_connections"
    retry_after: int = LATER
    en = "Too many connections from your address; close some, or try again in a moment"
    fr = "Trop de connexions depuis votre adresse ; fermez-en, ou réessayez dans un instant"


class ConnectionSlots:
    """A fixed number of connections. No address holds more of them than are still free.

    So a single address gets half of them, two get a third each, and a new one always finds some. An office behind one
    address needs no setting.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._taken: Counter[str | None] = Counter()

    def enter(self, who: str | None) -> None:
        """Takes a slot until `leave`. `None` stands for a proxy with many callers: it gets any free slot."""
        if not self._free:
            raise NoFreeConnection
        if who is not None and self._taken[who] >= self._free:
            raise TooManyConnections
        self._free -= 1
        self._taken[who] += 1

    def leave(self, who: str | None) -> None:
        self._free += 1
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]
