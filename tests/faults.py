"""A real database that is slow, full or broken for a while; a replica that is busy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from eventually import eventually
from system import System

SLOW = "PERFORM pg_sleep(0.5); RETURN NEW"
# Until whoever holds it (`held_back`) lets go.
HELD_BACK = "PERFORM pg_advisory_xact_lock(4711); RETURN NEW"
FULL = "RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'"
BROKEN = "RAISE EXCEPTION 'not now'"


@asynccontextmanager
async def on_insert(system: System, room: str, table: str, act: str) -> AsyncIterator[None]:
    """Every insert into a room's table does this first (PL/pgSQL)."""
    await system.sql(
        room, f"CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {act}; END $$"
    )
    try:
        await system.sql(
            room, f"CREATE TRIGGER fault BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fault()"
        )
        yield
    finally:
        await system.sql(room, "DROP FUNCTION fault CASCADE")


@asynccontextmanager
async def held_back(system: System, room: str, table: str) -> AsyncIterator[None]:
    """Every insert into a room's table waits for the end of this."""
    async with on_insert(system, room, table, HELD_BACK):
        connection = await asyncpg.connect(system.settings.database(room))
        try:
            await connection.execute("SELECT pg_advisory_lock(4711)")
            yield
        finally:
            await connection.close()


@asynccontextmanager
async def held(system: System, room: str, lane: str) -> AsyncIterator[None]:
    """What a room is to do about a record's events waits, as if another replica were still busy with it."""
    connection = await asyncpg.connect(system.settings.database(room))
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", lane)
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def unseen(system: System, room: str, record: str) -> AsyncIterator[None]:
    """A room's copy of a record stays as it is, as if news of it were still on its way."""
    connection = await asyncpg.connect(system.settings.database(room))
    try:
        async with connection.transaction():
            locked = "SELECT true FROM view WHERE id = $1 FOR UPDATE"
            await eventually(lambda: connection.fetchval(locked, record))
            yield
    finally:
        await connection.close()
