"""Reads the services' event logs in batches, for a replay."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg

from sav_chassis.envelope import Envelope
from sav_ops.statements import END_OF_LOG, EVENTS, NUMBER_OF_EVENTS, WRITERS


async def read(
    log: "asyncpg.Connection[Any]", types: Sequence[str] | None, batch: int, after: int = 0
) -> AsyncIterator[list[Envelope]]:
    """Yield batches of the events of these types (None: all) after a position, in order, from one snapshot."""
    async with log.transaction(readonly=True):
        cursor = await log.cursor(EVENTS, after, types)
        while rows := await cursor.fetch(batch):
            yield [Envelope.model_validate(dict(row)) for row in rows]


async def size(log: "asyncpg.Connection[Any]", types: Sequence[str] | None, after: int = 0) -> int:
    """Return how many events `read` would yield."""
    return int(await log.fetchval(NUMBER_OF_EVENTS, after, types))


async def certain(log: "asyncpg.Connection[Any]") -> int:
    """Return a position up to which no event can appear any more; wait for transactions that may commit an earlier one.

    Positions are assigned in order but committed in any order: a reader that continues after the last position it saw
    would miss slower transactions.
    """
    end = int(await log.fetchval(END_OF_LOG))
    writing = {row[0] for row in await log.fetch(WRITERS)}
    while writing:
        await asyncio.sleep(0.02)
        writing &= {row[0] for row in await log.fetch(WRITERS)}
    return end
