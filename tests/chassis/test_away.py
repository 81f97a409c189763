"""What a database says that is away, full or busy, and what callers are told of it: 503, never 500."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest
import toy
import world
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from toy import Box, Fill
from toy_asking import OnStage, filled_of, refusal
from toy_wire import wire

from sav_chassis.database import Database, driver, is_away
from sav_chassis.settings import Settings
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor

BOX = UUID(int=100)
AWAY = "The database is away; nothing was done"
FULL = "The database has no room or memory left just now; nothing was done"
BUSY = "The database is too busy just now; nothing was done"
SAYS = "DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$"
AT_COMMIT = """
CREATE FUNCTION pg_temp.so_it_is() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$;
CREATE CONSTRAINT TRIGGER so_it_is AFTER UPDATE ON box DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION pg_temp.so_it_is()"""


STATEMENT, COMMIT = "at a statement", "at the commit"
GONE = ("57P01", "57P02", "57P03", "53300", "08006", "25006", "28P01", "3D000")
# What is refused while it commits is not done; a server that goes then may have done it (504).
REFUSED = {
    "53100": FULL,
    "53200": FULL,
    "58030": FULL,
    "57014": BUSY,
    "55P03": BUSY,
    "40P01": BUSY,
    "40001": BUSY,
}


@pytest.mark.parametrize(
    ("code", "told", "when"),
    [
        *[(code, AWAY, STATEMENT) for code in GONE],
        *[(code, told, when) for code, told in REFUSED.items() for when in (STATEMENT, COMMIT)],
    ],
)
async def test_what_the_server_says_of_its_own_state_is_told_as_503(
    on_stage: OnStage, code: str, told: str, when: str
) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await toy.fill(cmd, tx, by)
        if when == STATEMENT:
            await tx.session.execute(text(SAYS.format(code=code)))
        else:
            await driver(tx.session).execute(AT_COMMIT.format(code=code))
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    problem = refusal(await stage.when(Fill(box_id=BOX), by=world.lea))
    assert (problem.status, problem.detail) == (503, told)
    assert problem.retry_after
    assert await filled_of(stage, 100) == 0


async def select_with_the_pool(database: Database, cut: Callable[[], None]) -> None:
    await asyncio.gather(database.pool.fetch("SELECT pg_sleep(5)"), soon(cut))


async def select_with_a_session(database: Database, cut: Callable[[], None]) -> None:
    async with AsyncSession(database.engine) as session:
        await asyncio.gather(session.execute(text("SELECT pg_sleep(5)")), soon(cut))


async def go_on_with_the_pool(database: Database, cut: Callable[[], None]) -> None:
    """The pool takes back a connection that was cut, under the hands of who has it."""
    async with database.pool.acquire() as connection:
        await soon(cut)
        await asyncio.sleep(0.2)
        await connection.fetchval("SELECT 1")


async def go_on_with_a_session(database: Database, cut: Callable[[], None]) -> None:
    async with AsyncSession(database.engine) as session, session.begin():
        await session.execute(text("SELECT 1"))
        await soon(cut)
        await asyncio.sleep(0.2)
        await session.execute(text("SELECT 1"))


async def go_on_beneath_a_session(database: Database, cut: Callable[[], None]) -> None:
    async with AsyncSession(database.engine) as session, session.begin():
        await session.execute(text("SELECT 1"))
        await soon(cut)
        await asyncio.sleep(0.2)
        await driver(session).fetch("SELECT 1")


async def commit(database: Database, cut: Callable[[], None]) -> None:
    async with AsyncSession(database.engine) as session:
        await session.execute(text("SELECT 1"))
        await soon(cut)
        await session.commit()


async def connect(database: Database, cut: Callable[[], None]) -> None:
    await soon(cut)
    await database.pool.expire_connections()
    await database.pool.fetch("SELECT 1")


async def soon(cut: Callable[[], None]) -> None:
    await asyncio.sleep(0.05)
    cut()


@pytest.mark.parametrize(
    "work",
    [
        select_with_the_pool,
        select_with_a_session,
        go_on_with_the_pool,
        go_on_with_a_session,
        go_on_beneath_a_session,
        commit,
        connect,
    ],
)
async def test_a_line_that_is_cut_anywhere_is_known_as_away(
    toy_settings: Settings, work: Callable[[Database, Callable[[], None]], Awaitable[None]]
) -> None:
    async with wire(toy_settings.database_url) as line:
        database = Database(toy_settings.model_copy(update={"database_url": line.url}), "toy")
        await database.open()
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
            await work(database, line.cut)
        await database.engine.dispose()
        database.pool.terminate()
    assert is_away(caught.value), repr(caught.value)


def wrapped(error: Exception) -> Exception:
    """As SQLAlchemy raises what asyncpg says on a connection that it does not know to be closed yet."""
    adapted = RuntimeError(str(error))
    adapted.__cause__ = error
    outer = DBAPIError("SELECT 1", {}, adapted)
    outer.__cause__ = adapted
    return outer


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.InterfaceError("cannot perform operation: another operation is cancelling"),
        asyncpg.InterfaceError(
            "cannot call Connection.fetch(): connection has been released back to the pool"
        ),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        # Where ours is down, somebody else's server may have taken its address.
        asyncpg.InvalidPasswordError("password authentication failed"),
        asyncpg.InvalidCatalogNameError("there is no such database"),
    ],
)
def test_what_the_driver_says_of_a_cut_connection_is_known_in_any_wrapping(error: Exception) -> None:
    assert is_away(error)
    assert is_away(wrapped(error))


def test_what_comes_up_while_the_cut_is_cleaned_up_is_known_by_its_cause() -> None:
    def clean_up() -> None:
        try:
            raise asyncpg.ConnectionDoesNotExistError
        finally:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        clean_up()
    assert is_away(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InterfaceError("the server expects 1 argument for this query, 2 were passed"),
        asyncpg.UniqueViolationError("twice"),
        ConnectionResetError("by a mail server"),
        TimeoutError(),
        RuntimeError("a fault of ours"),
    ],
)
def test_what_is_no_matter_of_the_database_is_not_its_absence(error: Exception) -> None:
    assert not is_away(error)


async def test_nobody_at_the_address_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionError) as caught:
        await asyncpg.connect(f"postgresql://sav:x@127.0.0.1:{port}/x", timeout=2)
    assert is_away(caught.value)
