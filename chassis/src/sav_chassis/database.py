"""A room's database: the engine for handlers, a small pool for the chassis' own SQL, and what being away looks like."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from sav_chassis.fitness import MissingMigration, check_durable, check_settings
from sav_chassis.migrate import engine_for, missing
from sav_chassis.settings import Settings

log = structlog.get_logger()

# SQLSTATE classes and codes of a server that is away or going away: connection errors, shutdown, too many clients.
_AWAY_CLASSES = ("08", "57P", "53")
NO_SUCH_DATABASE = "3D000"
# Serialization failure, deadlock, unique violation.
_TRANSIENT = {"40001", "40P01", "23505"}


def sqlstate(error: BaseException) -> str | None:
    """The five-character code of a PostgreSQL error, also where SQLAlchemy has wrapped it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    code = getattr(error, "sqlstate", None)
    return code if isinstance(code, str) else None


def is_away(error: BaseException) -> bool:
    """Whether the database could not be reached, as against having refused a statement."""
    if isinstance(error, PoolExhausted):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.orig or error
    if isinstance(error, (OSError, asyncpg.PostgresConnectionError)):
        return True
    if isinstance(error, asyncpg.InterfaceError) and "clos" in str(error):
        return True  # the connection or its pool has been closed
    if isinstance(error, asyncpg.InternalClientError):
        return True  # what asyncpg says of a connection that was cut in the middle of a statement
    return (sqlstate(error) or "").startswith(_AWAY_CLASSES)


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed when done again: a deadlock, or somebody was first with the same value."""
    return sqlstate(error) in _TRANSIENT


def driver(session: AsyncSession) -> "asyncpg.Connection[asyncpg.Record]":
    """The connection under a session whose transaction has begun, for plain SQL: in a third of the time.

    The session begins its transaction with its own first statement, so that one cannot be said here.
    """
    raw = session.sync_session.connection().connection.driver_connection
    return cast("asyncpg.Connection[asyncpg.Record]", raw)


def utc_now() -> datetime:
    return datetime.now(UTC)


async def _as_it_is(connection: object) -> None:
    """Nobody leaves anything behind in a session, so a round trip to the server that clears it is saved.

    An open transaction is rolled back all the same; settings and locks are local to theirs.
    """


class Database:
    """Open from `open` to `close`; both pools reconnect by themselves."""

    engine: AsyncEngine
    pool: asyncpg.Pool

    def __init__(self, settings: Settings, room: str) -> None:
        self.url = settings.database(room)
        self.room = room
        # What time it is for handlers; the test kit lets it pass.
        self.clock: Callable[[], datetime] = utc_now

    async def open(self, pool_size: int = 4) -> None:
        """Connects, waiting for a server that is still starting; `MissingMigration` where the schema is old."""
        self.engine = engine_for(self.url)
        while True:
            try:
                behind = await missing(self.engine, self.room)
                self.pool = await asyncpg.create_pool(
                    self.url,
                    min_size=1,
                    max_size=pool_size,
                    timeout=5,
                    command_timeout=10,
                    reset=_as_it_is,
                    server_settings={"idle_in_transaction_session_timeout": "30000"},
                )
                break
            except Exception as error:
                if sqlstate(error) == NO_SUCH_DATABASE:
                    raise MissingMigration(
                        f"{self.room}: it has no database yet; run `./sav migrate`"
                    ) from None
                if not is_away(error):
                    raise
                log.warning("database is away", error=str(error))
                await asyncio.sleep(1)
        if behind:
            await self.close()
            raise MissingMigration(
                f"{self.room}: the database lacks {', '.join(behind)}; run `./sav migrate`"
            )

    async def close(self) -> None:
        await self.pool.close()
        await self.engine.dispose()

    async def is_the_cause_of(self, error: BaseException) -> bool:
        """Whether it was the database: it says so itself, or a network failed and the database does not answer."""
        if not is_away(error):
            return False
        if sqlstate(error) or isinstance(error, (DBAPIError, asyncpg.InterfaceError, PoolExhausted)):
            return True
        try:
            await self.pool.fetchval("SELECT 1")
        except Exception as other:
            return is_away(other)
        return False

    async def back(self) -> None:
        """Returns when the database answers again."""
        pause = 0.1
        while True:
            try:
                await self.pool.fetchval("SELECT 1")
                return
            except Exception as error:
                log.warning("database is away", error=repr(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2)


@asynccontextmanager
async def opened(settings: Settings, room: str, pool_size: int = 4) -> AsyncIterator[Database]:
    check_settings(settings, room)
    database = Database(settings, room)
    await database.open(pool_size)
    try:
        await check_durable(database.pool, room)
        yield database
    finally:
        await database.close()
