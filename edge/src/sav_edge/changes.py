"""What has changed lately, and who may see it: read from the table `change`, by every replica for itself.

Who sees what is said once, by `reading.visible`. Here it is asked of a change as it is there asked of a record, for all
persons at once: those of a role who see it alike, and of the others whomever the change, its root or work names. Naming
too many does no harm, since `visible` is asked of each of them.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple
from uuid import UUID

import asyncpg

from sav_chassis.projector import Executes
from sav_contracts.actor import PEOPLE, Actor, Role
from sav_contracts.messages import Scope, View
from sav_contracts.surface import Reach, Serves
from sav_edge.reading import (
    KINDS,
    NAMED,
    THEIRS,
    VIEWS,
    WORK,
    Views,
    still,
    typed,
    views_of,
    visible,
    visible_of,
)

# How long a listener may be away and still be told what they have missed.
KEPT = "15 minutes"
# Seconds after which a position that did not come was rolled back: longer than any statement takes.
NEVER = 15
AT_ONCE = 5000

# The kind of a change that is none of a record: the read model was replaced, and whatever somebody saw may have changed.
EVERYTHING = "everything"
REPLACED = f"INSERT INTO change (kind, id, version) VALUES ('{EVERYTHING}', '{UUID(int=0)}', 0)"

RECENT = f"clock_timestamp() - interval '{NEVER} s'"
# Before the changes that may still have others, earlier ones, beside them that are not committed yet.
FLOOR = f"""
SELECT coalesce(
    (SELECT max(position) FROM change WHERE at < {RECENT}), (SELECT min(position) - 1 FROM change), 0)"""
NEW = f"""
SELECT position FROM change WHERE position > $1 AND position <> ALL($2::bigint[])
ORDER BY position LIMIT {AT_ONCE}"""
# Positions after which every change is still there, and says what has changed.
KNOWN = f"""
SELECT $1::bigint BETWEEN coalesce((SELECT min(position) - 1 FROM change), 0) AND last_value
    AND NOT EXISTS (SELECT FROM change WHERE position > $1 AND kind = '{EVERYTHING}') FROM change_position_seq"""
# But for the last one: it says how far the positions are.
FORGET = f"""
DELETE FROM change WHERE at < now() - interval '{KEPT}' AND position < (SELECT max(position) FROM change)"""
ROOTS = ", ".join(f"'{kind}'" for kind, view in KINDS.items() if view.scope is Scope.ROOT)
# A change as a row of the view that it is of, and its root.
CHANGED = "SELECT c.*, v.doc FROM change c JOIN view v USING (kind, id) WHERE position"
ROOTED = f"""
SELECT c.*, root.kind AS root_kind, root.client_id AS root_client_id, root.technician_id AS root_technician_id
FROM ({CHANGED} = ANY($1)) c LEFT JOIN view root ON root.kind IN ({ROOTS}) AND root.id = c.parent"""


class Change(NamedTuple):
    """A record that changed, or `EVERYTHING`, and who may see it: one person in this role, or (None) everybody in it."""

    kind: str
    id: UUID
    version: int
    role: Role
    person: UUID | None


def _reads(role: Role, me: str) -> tuple[Views, Views]:
    """The views that everybody in a role sees alike, and those in which it matters who one is."""
    alike: dict[type[View], Reach] = {}
    personal: dict[type[View], Reach] = {}
    for view, reach in (*VIEWS[role].items(), *views_of(role, (Serves.SELF,)).items()):
        it_matters = me in visible(Actor(role=role), reach, view, me)
        (personal if it_matters else alike)[view] = reach
    return alike, personal


def _persons(role: Role) -> str:
    """Everybody in the role whom the change `c`, its root, or work that names either may concern."""
    named = ["SELECT c.user_id AS id"]
    if theirs := THEIRS.get(role):
        named += [f"SELECT c.{theirs}", f"SELECT c.root_{theirs}"]
    for (whose, kind), name in NAMED.items():
        if whose is role:
            named.append(
                f"""SELECT w.{theirs} FROM view w WHERE '{kind}' IN (c.kind, c.root_kind)
                AND w.kind IN {WORK} AND w.{name} IN (c.id, c.parent) {still(role, "w")}"""
            )
    return " UNION ".join(named)


def _whom(role: Role) -> str:
    actor, (alike, personal) = Actor(role=role), _reads(role, "p.id")
    return f"""
    SELECT c.position, c.kind, c.id, c.version, '{role}', NULL::uuid FROM c WHERE {visible_of(actor, alike, "p.id", "c")}
    UNION ALL
    SELECT c.position, c.kind, c.id, c.version, '{role}', p.id FROM c CROSS JOIN LATERAL ({_persons(role)}) p
    WHERE {visible_of(actor, personal, "p.id", "c")}"""


@cache
def _missed(role: Role, at_most: int) -> str:
    actor, (alike, personal) = Actor(role=role), _reads(role, "$2")
    return f"""
    SELECT c.kind, c.id, max(c.version) FROM ({CHANGED} > $1) c
    WHERE {typed("$2")} AND ({" OR ".join(visible_of(actor, views, "$2", "c") for views in (alike, personal))})
    GROUP BY c.kind, c.id LIMIT {at_most + 1}"""


WHOM = f"""
WITH c AS MATERIALIZED ({ROOTED})
{" UNION ALL ".join(map(_whom, sorted(PEOPLE)))} UNION ALL
SELECT position, kind, id, version, role, NULL FROM change, unnest(ARRAY{sorted(map(str, PEOPLE))}) AS role
WHERE position = ANY($1) AND kind = '{EVERYTHING}'
ORDER BY position"""


async def replaced(connection: Executes) -> None:
    """Has all who listen load everything anew: called in the transaction that replaces the read model's tables."""
    await connection.execute(REPLACED)


class Changes:
    """One reader's place in the table.

    Positions are given before they are committed, so a lower one may come after a higher one: `floor` is the highest
    up to which nothing will come any more, None before `begin`. Whoever was told all that `fresh` found may go on from there.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._beginning = asyncio.Lock()
        self.floor: int | None = None
        # Positions above the floor that have come; the floor waits for those between since then.
        self._beyond: set[int] = set()
        self._waits_since = 0.0

    async def begin(self) -> None:
        """From now on, unless it has begun before."""
        async with self._beginning:
            if self.floor is None:
                self._beyond.clear()
                self.floor = await self._pool.fetchval(FLOOR)
                while positions := await self._new():
                    self._advance(positions)

    def end(self) -> None:
        """Nobody wants to know any more."""
        self.floor = None

    async def fresh(self) -> list[Change]:
        """What has been committed since the last time, in the order of positions."""
        positions = await self._new()
        rows = await self._pool.fetch(WHOM, positions) if positions else []
        self._advance(positions)
        return [Change(kind, id, version, Role(role), person) for _, kind, id, version, role, person in rows]

    async def missed(self, position: int, actor: Actor, at_most: int) -> Sequence[asyncpg.Record] | None:
        """Kind, id and version of what the actor may see of the changes since then; None where nobody knows any more.

        One more than `at_most` where there are too many.
        """
        if not await self._pool.fetchval(KNOWN, position):
            return None
        return await self._pool.fetch(_missed(actor.role, at_most), position, actor.id)

    async def forget(self) -> None:
        """Removes what is too old."""
        await self._pool.execute(FORGET)

    async def _new(self) -> list[int]:
        return [row[0] for row in await self._pool.fetch(NEW, self.floor, list(self._beyond))]

    def _advance(self, positions: list[int]) -> None:
        assert self.floor is not None
        before = self.floor
        self._beyond.update(positions)
        self._fill()
        if not self._beyond or self.floor > before:
            self._waits_since = time.monotonic()
        elif time.monotonic() - self._waits_since > NEVER:
            self.floor = min(self._beyond) - 1
            self._fill()

    def _fill(self) -> None:
        assert self.floor is not None
        while self.floor + 1 in self._beyond:
            self.floor += 1
            self._beyond.remove(self.floor)
