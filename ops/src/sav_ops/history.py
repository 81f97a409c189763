"""The owners' logs, read in batches: what a replay is fed with."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg

from sav_chassis.envelope import Envelope
from sav_chassis.settings import Settings
from sav_ops.home import Problem
from sav_ops.parked import database

Logs = dict[str, "asyncpg.Connection[Any]"]

THOSE = "position > $1 AND ($2::text[] IS NULL OR type = ANY($2))"
READ = f"SELECT * FROM event_log WHERE {THOSE} ORDER BY position"
COUNT = f"SELECT count(*) FROM event_log WHERE {THOSE}"
END = "SELECT coalesce(max(position), 0) FROM event_log"
# Who holds this lock may still commit a position that was given out earlier than those that are to be seen.
WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE relation = 'event_log'::regclass AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@asynccontextmanager
async def opened(settings: Settings, owners: Iterable[str]) -> AsyncIterator[Logs]:
    """A connection to the log of each of these services."""
    async with AsyncExitStack() as stack:
        yield {owner: await stack.enter_async_context(connected(settings, owner)) for owner in owners}


@asynccontextmanager
async def connected(settings: Settings, room: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection to a room's database; a Problem where there is none yet."""
    try:
        async with database(settings, room) as connection:
            yield connection
    except asyncpg.InvalidCatalogNameError:
        raise Problem(f"{room} has no database yet: ./sav migrate") from None


async def read(
    log: "asyncpg.Connection[Any]", types: Sequence[str] | None, batch: int, after: int = 0
) -> AsyncIterator[list[Envelope]]:
    """The events of these types (None: all) behind a position, in order, as one snapshot has them."""
    async with log.transaction(readonly=True):
        cursor = await log.cursor(READ, after, types)
        while rows := await cursor.fetch(batch):
            yield [Envelope.model_validate(dict(row)) for row in rows]


async def size(log: "asyncpg.Connection[Any]", types: Sequence[str] | None, after: int = 0) -> int:
    """How many events `read` would bring."""
    return int(await log.fetchval(COUNT, after, types))


async def certain(log: "asyncpg.Connection[Any]") -> int:
    """A position up to which nothing is written any more; waits for transactions that may have one before it.

    Positions are given out in order but committed in any: whoever reads on behind the last one it saw would miss those
    that were slower.
    """
    end = int(await log.fetchval(END))
    writing = {row[0] for row in await log.fetch(WRITERS)}
    while writing:
        await asyncio.sleep(0.02)
        writing &= {row[0] for row in await log.fetch(WRITERS)}
    return end
