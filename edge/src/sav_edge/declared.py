"""Columns and indexes of the read model that the surface declares: compared with what is there, and made.

They are outside the migrations: a row of the surface that filters or sorts by another field needs no further step.
"""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_chassis.views import TABLE_LOCK, Columns, arrays, unnested
from sav_contracts.messages import View
from sav_edge.folding import CORRECTABLE
from sav_edge.listed import INDEXES, LISTED, OWN, OWN_COLUMNS, own_values

BATCH = 1000
COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = 'view'::regclass AND attnum > 0 AND NOT attisdropped"
)
FOUND = """
SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = 'view'::regclass AND relname LIKE 'list\\_%'"""
# In the order of the projection: nobody waits for another in a circle.
STALE = "SELECT id, doc FROM view WHERE {stale} AND id > $1 ORDER BY id LIMIT $2 FOR UPDATE"
FIRST = UUID(int=0)
KEY: Columns = (("id", "uuid"), ("version", "bigint"))
_SELECTED, _ARRAYS = unnested(KEY + OWN_COLUMNS)
UPDATE = f"""
UPDATE view SET {", ".join(f"{name} = newer.{name}" for name in OWN)} FROM (SELECT {_SELECTED} FROM {_ARRAYS}) newer
WHERE kind = ${len(KEY) + len(OWN) + 1} AND view.id = newer.id AND view.version = newer.version"""
IDS = "SELECT id FROM {schema}.view WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3"
# A search corrects other words to these. In the order of the projection, too.
WORDS = """
INSERT INTO word (kind, word) SELECT $1, word COLLATE "C" FROM ts_stat(
    format('SELECT found FROM {schema}.view WHERE kind = %L AND id = ANY (%L)', $1::text, $2::uuid[]))
WHERE word ~ ('^' || $3::text || '$') ORDER BY 1, 2 ON CONFLICT DO NOTHING"""
MADE = "INSERT INTO listed VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET declared = excluded.declared"


async def missing(connection: "asyncpg.Connection[Any] | asyncpg.Pool") -> list[str]:
    """What `settle` would make."""
    return [
        *(f"the column {name}" for name in await _absent(connection)),
        *(f"the columns of each {view.kind()}" for view in await _changed(connection)),
        *(f"the index {name}" for name in INDEXES.keys() - await _whole(connection)),
    ]


async def settle(settings: Settings) -> None:
    """Makes the columns and indexes that are declared and missing, while others read and write.

    Drops the indexes that nobody declares. What was cut off goes on the next time.
    """
    connection = await asyncpg.connect(settings.database("edge"))
    try:
        # Somebody who waited in the server for the lock would hold up CREATE INDEX CONCURRENTLY.
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", TABLE_LOCK):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        await _settle(connection)
    finally:
        await connection.close()


async def _settle(connection: "asyncpg.Connection[Any]") -> None:
    for name in await _absent(connection):
        await connection.execute(f"ALTER TABLE view ADD COLUMN {name} {OWN[name]}")
    changed = await _changed(connection)
    for view in changed:
        await _refresh(connection, view)
        await connection.execute(MADE, view.kind(), LISTED[view].declared)
    whole = await _whole(connection)
    for name in {row["relname"] for row in await connection.fetch(FOUND)} - (INDEXES.keys() & whole):
        await connection.execute(f"DROP INDEX CONCURRENTLY {name}")
    for name in INDEXES.keys() - whole:
        await connection.execute(f"CREATE INDEX CONCURRENTLY {name} ON {INDEXES[name]}")
    if changed:
        await connection.execute("ANALYZE view")


async def refresh_stale(pool: asyncpg.Pool) -> int:
    """Makes the columns anew of records that a process of another release wrote; returns how many."""
    async with pool.acquire() as connection:
        return sum([await _refresh(connection, view) for view in LISTED])


async def _refresh(connection: Any, view: type[View]) -> int:
    """Makes the columns of each record whose own are not of its version and today's declaration, from its JSON."""
    stale = STALE.format(stale=LISTED[view].stale)
    refreshed, last = 0, FIRST
    while True:
        async with connection.transaction():
            rows = await connection.fetch(stale, last, BATCH)
            if not rows:
                return refreshed
            records = [_read(view, row) for row in rows]
            await connection.execute(UPDATE, *values_of(records), view.kind())
            await _add_words(connection, "public", view, [row["id"] for row in rows])
        refreshed, last = refreshed + len(rows), rows[-1]["id"]


def _read(view: type[View], row: asyncpg.Record) -> View:
    try:
        return view.model_validate_json(row["doc"])
    except ValidationError:
        raise CannotStart(
            f"edge: its copy of {view.kind()} {row['id']} cannot be read; run `./sav replay rebuild edge`"
        ) from None


def values_of(records: Iterable[View]) -> list[list[Any]]:
    """The values of `UPDATE` before the kind: only a row of the same version takes them."""
    rows = ((one.id, one.version, *own_values(one, one.for_client())) for one in records)
    return arrays(rows, len(KEY) + len(OWN))


async def replace_words(connection: "asyncpg.Connection[Any]", schema: str) -> None:
    """Forgets the words that occurred, and adds those of a schema's records; some at a time, beside the projection."""
    await connection.execute("DELETE FROM word")
    for view in LISTED:
        last = FIRST
        while rows := await connection.fetch(IDS.format(schema=schema), view.kind(), last, BATCH):
            last = rows[-1]["id"]
            await _add_words(connection, schema, view, [row["id"] for row in rows])


async def _add_words(connection: Any, schema: str, view: type[View], ids: list[UUID]) -> None:
    await connection.execute(WORDS.format(schema=schema), view.kind(), ids, CORRECTABLE)


async def _changed(connection: "asyncpg.Connection[Any] | asyncpg.Pool") -> list[type[View]]:
    """The views whose columns were made by another declaration."""
    made = {row[0]: row[1] for row in await connection.fetch("SELECT kind, declared FROM listed")}
    return [view for view, listed in LISTED.items() if made.get(view.kind()) != listed.declared]


async def _absent(connection: "asyncpg.Connection[Any] | asyncpg.Pool") -> list[str]:
    """The columns that are declared and not there."""
    there = {row[0] for row in await connection.fetch(COLUMNS)}
    return [name for name in OWN if name not in there]


async def _whole(connection: "asyncpg.Connection[Any] | asyncpg.Pool") -> set[str]:
    """The indexes of lists that are there and finished."""
    return {row["relname"] for row in await connection.fetch(FOUND) if row["indisvalid"]}
