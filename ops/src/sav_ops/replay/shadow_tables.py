"""A second set of a read side's tables: created empty, filled, compared with the live set, and swapped for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg

from sav_chassis.settings import Settings
from sav_chassis.views import TABLE_LOCK
from sav_ops.databases import connected
from sav_ops.home import OpsError

SCHEMA = "rebuild"
# Longer than PostgreSQL takes to cancel an autovacuum that holds a lock.
WRITERS_END_WITHIN = "3s"
# How long readers may have to wait behind a slower one, and how often the swap is tried.
READERS_END_WITHIN = "250ms"
TRIES = 30
NAMED = 5

CONSTRAINTS = """
SELECT format('ALTER TABLE rebuild.%I ADD CONSTRAINT %I %s', $1::text, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = format('public.%I', $1::text)::regclass AND contype IN ('p', 'u', 'x')"""
# The other indexes are created when the rows are there, which is faster. Names are unique within a schema, so they
# stay the same.
INDEXES = """
SELECT replace(pg_get_indexdef(indexrelid), format(' ON public.%I ', $1::text), format(' ON rebuild.%I ', $1::text))
FROM pg_index WHERE indrelid = format('public.%I', $1::text)::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"""
KEY = """
SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
WHERE indrelid = format('public.%I', $1::text)::regclass AND indisprimary ORDER BY array_position(indkey::int2[], attnum)"""
HAS_VERSION = """
SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = format('public.%I', $1::text)::regclass
    AND attname = 'version' AND NOT attisdropped)"""
# What `LIKE` does not copy: a swap would silently lose it.
NOT_COPIED = """
SELECT 'the trigger ' || tgname FROM pg_trigger
WHERE tgrelid = format('public.%I', $1::text)::regclass AND NOT tgisinternal
UNION ALL SELECT 'the foreign key ' || conname FROM pg_constraint
WHERE format('public.%I', $1::text)::regclass IN (conrelid, confrelid) AND contype = 'f'
UNION ALL SELECT 'grants' FROM pg_class
WHERE oid = format('public.%I', $1::text)::regclass AND relacl IS NOT NULL"""
DROP = f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"
# This session sees only the shadow tables: a projection that writes another table fails and harms nothing. Its commits
# are asynchronous: the next commit of the gate makes them durable. It ends within about a second after its process.
FILLING = f"""
SET search_path = {SCHEMA};
SET synchronous_commit = off;
SET client_connection_check_interval = '1s'"""
MIGRATED = "SELECT (SELECT version_num FROM chassis_version), (SELECT version_num FROM room_version)"


class Difference(NamedTuple):
    """A kind of difference of a live table: what is wrong, the number of rows, and the keys of the first few."""

    table: str
    what: str
    rows: int
    first: list[str]

    def __str__(self) -> str:
        more = ", …" if self.rows > len(self.first) else ""
        return f"{self.table}: {self.rows} {self.what}: {', '.join(self.first)}{more}"


class Shadow:
    """The tables in their own schema; the session `filling` sees only them, `gate` locks out writers and readers."""

    def __init__(
        self, tables: Sequence[str], gate: "asyncpg.Connection[Any]", filling: "asyncpg.Connection[Any]"
    ) -> None:
        self.tables = tables
        self.filling = filling
        self.gate = gate
        self._live = ", ".join(f"public.{table}" for table in tables)
        self._keys: dict[str, list[str]] = {}
        self._versioned: set[str] = set()
        self._migrated: Any = None
        # Since when readers may have to wait (monotonic seconds); None if the swap has not asked for its lock.
        self.readers_wait_since: float | None = None

    async def make(self) -> None:
        """Create empty tables with the columns and constraints of the live ones; remove what an earlier rebuild left.

        OpsError if a live table has something that the copy would lose.
        """
        await self.gate.execute(DROP)
        self._migrated = await self.gate.fetchrow(MIGRATED)
        await self.gate.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in self.tables:
            if lost := await self.gate.fetchval(NOT_COPIED, table):
                raise OpsError(f"{table} has {lost}, which a rebuild does not know how to keep.")
            self._keys[table] = [row[0] for row in await self.gate.fetch(KEY, table)]
            if await self.gate.fetchval(HAS_VERSION, table):
                self._versioned.add(table)
            await self.gate.execute(
                f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL EXCLUDING INDEXES)"
            )
            for row in await self.gate.fetch(CONSTRAINTS, table):
                await self.gate.execute(row[0])

    async def finish(self) -> None:
        """Create the indexes, and collect the planner's statistics."""
        # In one transaction: a commit for each index takes longer than the index of a small table.
        async with self.gate.transaction():
            for table in self.tables:
                for row in await self.gate.fetch(INDEXES, table):
                    await self.gate.execute(row[0])
                await self.gate.execute(f"ANALYZE {SCHEMA}.{table}")

    @asynccontextmanager
    async def writers_out(self) -> AsyncIterator[None]:
        """Wait until transactions that write the live tables have ended, and lock out new ones; readers notice nothing.

        The lock ends with the transaction. Raises `LockNotAvailableError` if a writer takes too long.
        """
        async with self.gate.transaction():
            await self.gate.execute(f"SET LOCAL lock_timeout = '{WRITERS_END_WITHIN}'")
            # In the order in which a projection writes them, so that there is no deadlock.
            await self.gate.execute(f"LOCK TABLE {self._live} IN EXCLUSIVE MODE")
            yield

    async def freeze(self) -> None:
        """Begin a transaction in which `filling` sees both sets as they are now; `compare` ends it."""
        await self.filling.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await self.filling.fetchval("SELECT 1")

    async def compare(self) -> None:
        """Note every row that differs between the sets, as of `freeze`."""
        for table, keys in self._keys.items():
            versioned = table in self._versioned
            await self.filling.execute(
                f"""CREATE TABLE {table}_differs AS
                SELECT {", ".join(keys)}, {"shadow.version" if versioned else "0"} AS version,
                    CASE WHEN live.{keys[0]} IS NULL THEN 'missing' WHEN shadow.{keys[0]} IS NULL THEN 'too many'
                        ELSE 'different' END AS what,
                    live.{keys[0]} IS NULL {"OR live.version < shadow.version" if versioned else ""} AS awaited
                FROM public.{table} live FULL JOIN {SCHEMA}.{table} shadow USING ({", ".join(keys)})
                -- As stored, byte by byte: some types cannot be compared otherwise, and texts would have to be made.
                WHERE live.{keys[0]} IS NULL OR shadow.{keys[0]} IS NULL OR live.* *<> shadow.*"""
            )
        await self.filling.execute("COMMIT")

    async def settle(self, patience: float) -> None:
        """Wait up to `patience` seconds for events on their way to the live tables; remove differences that end so."""
        until = time.monotonic() + patience
        while await self._awaited():
            if time.monotonic() > until:
                return
            await asyncio.sleep(0.1)

    async def _awaited(self) -> int:
        left = 0
        for table, keys in self._keys.items():
            same = " AND ".join(f"live.{key} = d.{key}" for key in keys)
            newer = "AND live.version >= d.version" if table in self._versioned else ""
            await self.filling.execute(
                f"DELETE FROM {table}_differs d USING public.{table} live WHERE awaited AND {same} {newer}"
            )
            left += await self.filling.fetchval(f"SELECT count(*) FROM {table}_differs WHERE awaited")
        return left

    async def differences(self) -> list[Difference]:
        found: list[Difference] = []
        for table, keys in self._keys.items():
            key = f"concat_ws(' ', {', '.join(keys)})"
            rows = await self.filling.fetch(
                f"""SELECT what, count(*), (array_agg({key} ORDER BY {", ".join(keys)}))[:{NAMED}]
                FROM {table}_differs GROUP BY what ORDER BY what"""
            )
            found += [Difference(table, *row) for row in rows]
        return found

    async def rows(self) -> int:
        return sum([await self.filling.fetchval(f"SELECT count(*) FROM {table}") for table in self.tables])

    async def take_over(self) -> None:
        """Replace the live tables with these, inside `writers_out`.

        Raises `LockNotAvailableError` if a reader is slow: other readers would wait behind it and behind this lock.
        OpsError if the database was migrated meanwhile.
        """
        await self.gate.execute(f"SET LOCAL lock_timeout = '{READERS_END_WITHIN}'")
        if await self.gate.fetchrow(MIGRATED) != self._migrated:
            raise OpsError("The database was migrated meanwhile, and nothing was changed: rebuild again.")
        self.readers_wait_since = time.monotonic()
        await self.gate.execute(f"LOCK TABLE {self._live} IN ACCESS EXCLUSIVE MODE")
        for table in self.tables:
            await self.gate.execute(
                f"DROP TABLE public.{table}; ALTER TABLE {SCHEMA}.{table} SET SCHEMA public"
            )


@asynccontextmanager
async def made(settings: Settings, room: str, tables: Sequence[str]) -> AsyncIterator[Shadow]:
    """Create empty shadows of these tables and remove them at the end; OpsError if another rebuild of the room runs."""
    async with connected(settings, room) as gate:
        if not await gate.fetchval("SELECT pg_try_advisory_lock($1)", TABLE_LOCK):
            raise OpsError(f"Another rebuild or migration of {room} is under way.")
        try:
            async with connected(settings, room) as filling:
                await filling.execute(FILLING)
                shadow = Shadow(tables, gate, filling)
                await shadow.make()
                yield shadow
        finally:
            if not gate.is_closed():
                await gate.execute(DROP)
