"""Upgrades a room's database to the current schema: first the chassis' tables, then the room's own.

Only upgrades import Alembic. A process only checks versions at its start, and saves the memory.
"""

from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sav_chassis.settings import Settings

HERE = Path(str(files("sav_chassis"))) / "migrations"


def _histories(room: str) -> list[tuple[Path, str]]:
    """The folders of migrations (file names begin with the revision), each with the table of those that were run."""
    own = Path(str(files(f"sav_{room}"))) / "migrations"
    return [(HERE / "versions", "chassis_version"), (own, "room_version")]


async def create_database(settings: Settings, room: str) -> None:
    """Creates the room's database on the server if it does not exist."""
    server = await asyncpg.connect(f"{settings.database_url.rstrip('/')}/postgres")
    try:
        await server.execute(f'CREATE DATABASE "{settings.database_prefix}_{room}"')
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await server.close()


async def migrate(settings: Settings, room: str) -> None:
    """Creates and upgrades the room's database; does nothing where it is up to date."""
    await create_database(settings, room)
    engine = engine_for(settings.database(room))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, room)
    finally:
        await engine.dispose()
    # What follows from declarations is compared with what is there, outside the migrations.
    if find_spec(declared := f"sav_{room}.declared"):
        await import_module(declared).settle(settings)


def _upgrade(connection: Connection, room: str) -> None:
    from alembic import command
    from alembic.config import Config

    for versions, table in _histories(room):
        config = Config()
        config.set_main_option("script_location", str(HERE))
        config.set_main_option("version_locations", str(versions))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_table", table)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def newest(room: str) -> dict[str, str]:
    """The newest migrations in this code: of the chassis' tables, and of the room's own."""
    return {
        table: max(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))
        for versions, table in _histories(room)
    }


async def missing(engine: AsyncEngine, room: str) -> list[str]:
    """The newest migrations of this code that the database lacks."""
    async with engine.connect() as connection:
        return await connection.run_sync(_missing, room)


def _missing(connection: Connection, room: str) -> list[str]:
    wanted = []
    for table, revision in newest(room).items():
        made = connection.scalar(text("SELECT to_regclass(:table)"), {"table": table})
        has = connection.scalar(text(f"SELECT version_num FROM {table}")) if made else None
        if has != revision:
            wanted.append(f"{table} {revision}")
    return wanted


def engine_for(url: str) -> AsyncEngine:
    """An engine whose connections cancel a statement after 10 s and end an idle transaction after 30 s."""
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=10,
        max_overflow=10,
        pool_timeout=5,
        # Parameters hold personal data and hashes; errors are logged.
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "server_settings": {"statement_timeout": "10000", "idle_in_transaction_session_timeout": "30000"},
        },
    )
