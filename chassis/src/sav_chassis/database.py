"""A room's database: the engine for handlers, a small pool for the chassis' own SQL, and how to recognise an outage."""

import asyncio
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar, cast

import asyncpg
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from sav_chassis import backoff
from sav_chassis.errors import Unavailable
from sav_chassis.migrate import engine_for, missing
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import MissingMigration, check_durable, check_settings

log = structlog.get_logger()

R = TypeVar("R")

FLOOR = "SELECT coalesce(max(floor), 0) FROM restored"
NO_SUCH_DATABASE = "3D000"
# SQLSTATE class of refused logins. Where a server is down, another one may answer at its address.
_NOT_LET_IN = "28"
# SQLSTATE classes and codes of a server that is unreachable, starting, stopping, full, read-only or not ours:
# connection errors, shutdown and recovery, too many connections, a standby.
_AWAY = ("08", "57P", "53300", "25006", _NOT_LET_IN, NO_SUCH_DATABASE)
# SQLSTATE of a server without disk space or memory, or with a failing disk.
_EXHAUSTED = ("53", "58030")
# SQLSTATE of work that others block: serialization failure, deadlock, lock not available, cancelled statement.
_BUSY = ("40001", "40P01", "55P03", "57014")
# Serialization failure, deadlock, lock not available, unique violation.
_TRANSIENT = {"40001", "40P01", "55P03", "23505"}
# asyncpg's messages about a connection that was closed or cut: when a statement starts, in the middle of one, after
# another was given up, or once the pool has taken the connection back. Its messages about misuse do not match.
_CUT = re.compile("clos|another operation|released back|in error state")


def sqlstate(error: BaseException) -> str | None:
    """The five-character code of a PostgreSQL error, also where SQLAlchemy has wrapped it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    code = getattr(error, "sqlstate", None)
    return code if isinstance(code, str) else None


def is_away(error: BaseException) -> bool:
    """Whether the database could not be reached or could not work, rather than refused a statement.

    Looks at the causes of the error too: the rollback on a connection that was cut has another message. Network errors
    of other libraries do not count.
    """
    return any(map(_says_away, _causes(error)))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, the one that SQLAlchemy wrapped, and those during whose handling it was raised."""
    while error:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _says_away(error: BaseException) -> bool:
    if isinstance(error, (PoolExhausted, asyncpg.InternalClientError)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, asyncpg.InterfaceError):
        return bool(_CUT.search(str(error)))
    if isinstance(error, (OSError, RuntimeError)):
        return _of_the_driver(error)
    return (sqlstate(error) or "").startswith(_AWAY + _EXHAUSTED)


def _of_the_driver(error: BaseException) -> bool:
    """Whether asyncpg raised it: under uvloop, a closed connection is reported as a plain RuntimeError."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").startswith("asyncpg.") for frame in frames)


def is_exhausted(error: BaseException) -> bool:
    """Whether the database answers, but lacks the disk space or memory for the request."""
    codes = [sqlstate(one) or "" for one in _causes(error)]
    return any(code.startswith(_EXHAUSTED) and not code.startswith(_AWAY) for code in codes)


class DatabaseFull(Unavailable):
    retry_after: int = 5
    en = "The database has no room or memory left just now; nothing was done"
    fr = "La base de données n’a plus de place ou de mémoire en ce moment ; rien n’a été fait"


class DatabaseAway(Unavailable):
    en = "The database is away; nothing was done"
    fr = "La base de données est injoignable ; rien n’a été fait"


class DatabaseBusy(Unavailable):
    en = "The database is too busy just now; nothing was done"
    fr = "La base de données est trop occupée en ce moment ; rien n’a été fait"


def unavailable(error: BaseException) -> Unavailable | None:
    """The refusal for an error that comes from the database's own passing state; None for any other error."""
    if is_exhausted(error):
        return DatabaseFull()
    if is_away(error):
        return DatabaseAway()
    if any((sqlstate(one) or "").startswith(_BUSY) for one in _causes(error)):
        return DatabaseBusy()
    return None


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed when repeated: a deadlock, or another transaction was first."""
    return isinstance(error, StaleDataError) or sqlstate(error) in _TRANSIENT


def driver(session: AsyncSession) -> "asyncpg.Connection[asyncpg.Record]":
    """The asyncpg connection of a session whose transaction has begun, for plain SQL: it takes a third of the time.

    The session begins its transaction with its own first statement, so the first one cannot be sent this way.
    """
    raw = session.sync_session.connection().connection.driver_connection
    return cast("asyncpg.Connection[asyncpg.Record]", raw)


def utc_now() -> datetime:
    return datetime.now(UTC)


async def _as_it_is(connection: object) -> None:
    """Skips the reset of a returned connection, which would cost a round trip: no session state is left to reset.

    An open transaction is rolled back all the same; settings and locks are local to their transaction.
    """


def _replace_what_was_cut(connection: Any, *_: object) -> None:
    """Replaces an idle connection that the server ended, so that no request fails because of a restart."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


class Database:
    """Usable from `open` to `close`; both pools reconnect on their own."""

    engine: AsyncEngine
    pool: asyncpg.Pool

    def __init__(self, settings: Settings, room: str) -> None:
        self.url = settings.database(room)
        self.room = room
        # The time that handlers see; the test kit moves it.
        self.clock: Callable[[], datetime] = utc_now
        # The highest version that may have been published before the last restore. No open database is restored.
        self.floor = 0

    async def open(self, pool_size: int = 4) -> None:
        """Connects, and waits for a server that is still starting. `MissingMigration` where the schema is old."""
        self.engine = engine_for(self.url)
        event.listen(self.engine.sync_engine, "checkout", _replace_what_was_cut)
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
                if not behind:
                    self.floor = await self.pool.fetchval(FLOOR)
                break
            except Exception as error:
                if sqlstate(error) == NO_SUCH_DATABASE:
                    raise MissingMigration(
                        f"{self.room}: it has no database yet; run `./sav migrate`"
                    ) from None
                if not is_away(error) or (sqlstate(error) or "").startswith(_NOT_LET_IN):
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

    async def until_available(self, work: Callable[[], Awaitable[R]]) -> R:
        """Retries idempotent work until the database is available."""
        while True:
            try:
                return await work()
            except Exception as error:
                if not is_away(error):
                    raise
                await self.wait_until_available()

    async def wait_until_available(self) -> None:
        """Returns when the database answers again."""
        for tries in count(1):
            try:
                await self.pool.fetchval("SELECT 1")
                return
            except Exception as error:
                log.warning("database is away", error=repr(error))
                await asyncio.sleep(backoff.pause(tries))


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
