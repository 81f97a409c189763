"""Connections to the databases of the rooms."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg

from sav_chassis.settings import Settings
from sav_ops.home import OpsError
from sav_ops.rooms import ROOMS

Databases = dict[str, "asyncpg.Connection[Any]"]


@asynccontextmanager
async def database(settings: Settings, room: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    try:
        connection = await asyncpg.connect(settings.database(room), timeout=5)
    except OSError:
        raise OpsError("PostgreSQL does not answer: ./sav up") from None
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def connected(settings: Settings, room: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection to a room's database; OpsError if it does not exist yet."""
    try:
        async with database(settings, room) as connection:
            yield connection
    except asyncpg.InvalidCatalogNameError:
        raise OpsError(f"{room} has no database yet: ./sav migrate") from None


@asynccontextmanager
async def opened(settings: Settings, rooms: Iterable[str] = ROOMS) -> AsyncIterator[Databases]:
    """A connection to the database of each of these rooms."""
    async with AsyncExitStack() as stack:
        yield {room: await stack.enter_async_context(connected(settings, room)) for room in rooms}
