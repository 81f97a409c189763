"""Who calls, and from where."""

from sav_chassis.envelope import Caller
from sav_chassis.errors import NotSignedIn
from sav_edge.request_context import RequestContext

# Characters of a user agent.
LONGEST_AGENT = 200


class NoBearer(NotSignedIn):
    en = "Send the token as `Authorization: Bearer …`"
    fr = "Envoyez le jeton sous la forme `Authorization: Bearer …`"


def caller_of(call: RequestContext) -> Caller:
    """From where a request comes, as its owner is told."""
    agent = "".join(filter(str.isprintable, call.header(b"user-agent") or ""))[:LONGEST_AGENT]
    return Caller(call.address, agent or None)


def token_of(call: RequestContext) -> str | None:
    """The token that the caller sent, if any; `NotSignedIn` unless it was sent once, as `Bearer`."""
    given = call.header(b"authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token or "," in token:
        raise NoBearer
    return token
