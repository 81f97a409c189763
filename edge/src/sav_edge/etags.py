"""Entity tags (RFC 9110, 8.8.3).

A record has `"<id>.<version>"`, or `"<id>.<version>.client"` in the form that a client gets. A list has a hash of its
content.
"""

import re
from hashlib import blake2b
from uuid import UUID

from sav_chassis.errors import ChangedSince
from sav_contracts.actor import Actor, Role

TAG = re.compile(r'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9]{1,18})(?:\.client)?"')


def tag(id: UUID, version: int, actor: Actor) -> str:
    """A record's tag, the same for all who get the same form of this version."""
    return f'"{id}.{version}.client"' if actor.role is Role.CLIENT else f'"{id}.{version}"'


def of_page(body: bytes) -> str:
    """A page's tag, the same for the same content. It is weak and names no record, so no If-Match accepts it."""
    return f'W/"{blake2b(body, digest_size=16).hexdigest()}"'


class NamesNoVersion(ChangedSince):
    en = "If-Match names no version of a record"
    fr = "If-Match ne nomme aucune version d’un enregistrement"


def expected(known: str | None) -> frozenset[str]:
    """The versions (`id.version`) of which an If-Match demands one; none if there is no If-Match or it is `*`.

    `ChangedSince` where it names no version of a record: a weak tag never matches (RFC 9110, 13.1.1).
    """
    if known is None or known.strip() == "*":
        return frozenset()
    parts = [TAG.fullmatch(part.strip()) for part in known.split(",")]
    if versions := frozenset(part[1] for part in parts if part):
        return versions
    raise NamesNoVersion
