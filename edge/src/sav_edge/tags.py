"""Entity tags (RFC 9110, 8.8.3): of records `"<id>.<version>"`, and `"<id>.<version>.client"` for what a client gets; of
lists what stands in them."""

import re
from hashlib import blake2b
from uuid import UUID

from sav_chassis.errors import ChangedSince
from sav_contracts.actor import Actor, Role

TAG = re.compile(r'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9]{1,18})(?:\.client)?"')


def tag(id: UUID, version: int, actor: Actor) -> str:
    """The same for all who get the same form of this version."""
    return f'"{id}.{version}.client"' if actor.role is Role.CLIENT else f'"{id}.{version}"'


def of_page(body: bytes) -> str:
    """The same for the same page. It is weak: of no record, so that no If-Match takes it."""
    return f'W/"{blake2b(body, digest_size=16).hexdigest()}"'


def holds(known: str | None, tag: str) -> bool:
    """Whether an If-None-Match names it: `*`, or any of a list, compared weakly (RFC 9110, 13.1.2)."""
    if known is None:
        return False
    tag = tag.removeprefix("W/")
    return known.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in known.split(",")]


def expected(known: str | None) -> frozenset[str]:
    """The versions (`id.version`) of which an If-Match asks for one; none where it asks for nothing.

    `ChangedSince` where no record of ours can be meant: a weak tag never matches (RFC 9110, 13.1.1).
    """
    if known is None or known.strip() == "*":
        return frozenset()
    parts = [TAG.fullmatch(part.strip()) for part in known.split(",")]
    if versions := frozenset(part[1] for part in parts if part):
        return versions
    raise ChangedSince("If-Match names no version of a record")
