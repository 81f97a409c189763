"""What changed recently, and who may see it. Each replica reads the table `change` on its own.

Only the views declare who sees what. `read_model` applies their rules for one caller, this module for all persons at
the same time: for everybody in a role who sees the record alike, and for the persons named by the change, its parent,
or a record that names either. Naming too many does no harm: `visible_of` is applied to each of them.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple
from uuid import UUID

import asyncpg

from sav_chassis.views import SqlExecutor
from sav_chassis.visibility import condition, naming
from sav_contracts.actor import PEOPLE, Actor, Role
from sav_contracts.messages import View
from sav_contracts.visibility import ChildOf, Named, Own, Rule, alternatives, either
from sav_edge.read_model import VIEWS, Views, typed, visible_of

# How long a listener may be disconnected and still get what they missed.
RETENTION = "15 minutes"
# Seconds after which a missing position counts as rolled back: longer than any statement runs.
NEVER = 15
AT_ONCE = 5000

# The kind of a change that concerns no single record: the read model was replaced, and anything may have changed.
EVERYTHING = "everything"
REPLACED = f"INSERT INTO change (kind, id, version) VALUES ('{EVERYTHING}', '{UUID(int=0)}', 0)"

# Milliseconds since 1970: more than there ever were changes.
NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

RECENT = f"clock_timestamp() - interval '{NEVER} s'"
# A position up to which no change can still be uncommitted.
FLOOR = f"""
SELECT coalesce(
    (SELECT max(position) FROM change WHERE at < {RECENT}), (SELECT min(position) - 1 FROM change), 0)"""
NEW = f"""
SELECT position FROM change WHERE position > $1 AND position <> ALL($2::bigint[])
ORDER BY position LIMIT {AT_ONCE}"""
# Whether every change after position $1 is still in the table and concerns a single record.
KNOWN = f"""
SELECT $1::bigint BETWEEN coalesce((SELECT min(position) - 1 FROM change), 0) AND last_value
    AND NOT EXISTS (SELECT FROM change WHERE position > $1 AND kind = '{EVERYTHING}') FROM change_position_seq"""
# Keeps the last row: it shows how far the positions have come.
FORGET = f"""
DELETE FROM change WHERE at < now() - interval '{RETENTION}' AND position < (SELECT max(position) FROM change)"""
# A change in the form of a view row, as the visibility rules need it; then with its parent's columns.
CHANGED = "SELECT c.*, v.doc FROM change c JOIN view v USING (kind, id) WHERE position"
PARENTS = {
    one.view
    for views in VIEWS.values()
    for rule in views.values()
    for one in alternatives(rule)
    if isinstance(one, ChildOf)
}
WITH_PARENT = f"""
SELECT c.*, p.kind AS parent_kind, p.user_id AS parent_user_id, p.client_id AS parent_client_id,
    p.technician_id AS parent_technician_id
FROM ({CHANGED} = ANY($1)) c
LEFT JOIN view p ON p.kind IN ({", ".join(sorted(f"'{view.kind()}'" for view in PARENTS))}) AND p.id = c.parent"""


class Change(NamedTuple):
    """A record that changed, or `EVERYTHING`, and who may see it: one person in this role, or (None) everybody in it."""

    kind: str
    id: UUID
    version: int
    role: Role
    person: UUID | None


def _reads(role: Role, me: str) -> tuple[Views, Views]:
    """Each view's rule in two parts: what everybody in the role sees alike, and what depends on the person."""
    alike: dict[type[View], Rule] = {}
    personal: dict[type[View], Rule] = {}
    for view, rule in VIEWS[role].items():
        parts = alternatives(rule)
        matters = [me in condition(role, part, me, "v") for part in parts]
        alike[view] = either(
            *(part for part, it_matters in zip(parts, matters, strict=True) if not it_matters)
        )
        personal[view] = either(
            *(part for part, it_matters in zip(parts, matters, strict=True) if it_matters)
        )
    return alike, personal


def _persons(role: Role) -> str:
    """SQL for the persons of the role named by the change `c`, its parent, or a record that names either."""
    named: dict[str, None] = {}
    for view, rule in VIEWS[role].items():
        named |= dict.fromkeys(_named(role, view, rule, "c.", "c.id"))
    return " UNION ".join(named)


def _named(role: Role, view: type[View], rule: Rule, c: str, id: str) -> Iterator[str]:
    """SQL for the persons to whom a rule may show the record `id`, whose columns begin with `c`."""
    for one in alternatives(rule):
        match one:
            case Own(field):
                yield f"SELECT {id if field == 'id' else c + field} AS id"
            case Named():
                yield f"""SELECT w.{one.whose} FROM view w
                    WHERE {c}kind = '{view.kind()}' AND {naming(one, "w")} AND w.{one.names} = {id}"""
            case ChildOf(parent):
                yield from _named(role, parent, parent.visible.to(role), "c.parent_", "c.parent")


def _whom(role: Role) -> str:
    alike, personal = _reads(role, "p.id")
    whom = f"""
    SELECT c.position, c.kind, c.id, c.version, '{role}', NULL::uuid FROM c WHERE {visible_of(role, alike, "p.id", "c")}"""
    if persons := _persons(role):
        whom += f"""
    UNION ALL
    SELECT c.position, c.kind, c.id, c.version, '{role}', p.id FROM c CROSS JOIN LATERAL ({persons}) p
    WHERE {visible_of(role, personal, "p.id", "c")}"""
    return whom


@cache
def _missed(role: Role, at_most: int) -> str:
    return f"""
    SELECT c.kind, c.id, max(c.version) FROM ({CHANGED} > $1) c
    WHERE {typed("$2")} AND {visible_of(role, VIEWS[role], "$2", "c")}
    GROUP BY c.kind, c.id LIMIT {at_most + 1}"""


WHOM = f"""
WITH c AS MATERIALIZED ({WITH_PARENT})
{" UNION ALL ".join(map(_whom, sorted(PEOPLE)))} UNION ALL
SELECT position, kind, id, version, role, NULL FROM change, unnest(ARRAY{sorted(map(str, PEOPLE))}) AS role
WHERE position = ANY($1) AND kind = '{EVERYTHING}'
ORDER BY position"""


async def replaced(connection: SqlExecutor) -> None:
    """Makes all listeners reload everything. Called in the transaction that replaces the read model's tables."""
    await connection.execute(REPLACED)


async def restored(connection: SqlExecutor) -> None:
    """The same after a restore: positions from before it are unknown from now on, and never allocated again."""
    await connection.execute("TRUNCATE change")
    await connection.execute(
        f"SELECT setval('change_position_seq', greatest(last_value, {NOW})) FROM change_position_seq"
    )
    await replaced(connection)


class Changes:
    """One reader's position in the table.

    Positions are allocated before the commit, so a lower one may appear after a higher one. `floor` is the highest up
    to which no more will appear; None before `begin`. Who has received all that `fresh` returned can resume from there.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._beginning = asyncio.Lock()
        self.floor: int | None = None
        # Positions read above the floor; the floor waits for those in between, since `_waits_since`.
        self._beyond: set[int] = set()
        self._waits_since = 0.0

    async def begin(self) -> None:
        """Starts at the present position, unless it has started already."""
        async with self._beginning:
            if self.floor is None:
                self._beyond.clear()
                self.floor = await self._pool.fetchval(FLOOR)
                while positions := await self._new():
                    self._advance(positions)

    def end(self) -> None:
        """Stops, because nobody listens any more."""
        self.floor = None

    async def fresh(self) -> list[Change]:
        """The changes committed since the last call, in the order of their positions."""
        positions = await self._new()
        rows = await self._pool.fetch(WHOM, positions) if positions else []
        self._advance(positions)
        return [Change(kind, id, version, Role(role), person) for _, kind, id, version, role, person in rows]

    async def missed(self, position: int, actor: Actor, at_most: int) -> Sequence[asyncpg.Record] | None:
        """Kind, id and version of the later changes that the actor may see; None if they are not known any more.

        Returns one row more than `at_most` where there are too many.
        """
        if not await self._pool.fetchval(KNOWN, position):
            return None
        return await self._pool.fetch(_missed(actor.role, at_most), position, actor.id)

    async def forget(self) -> None:
        """Deletes changes older than `RETENTION`."""
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
