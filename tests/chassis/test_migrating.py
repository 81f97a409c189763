"""Schemas: what the models say is what the migrations made, and old ones are refused."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table
from sqlalchemy.types import String, TypeEngine

from sav_chassis.database import Database
from sav_chassis.migrate import engine_for, migrate
from sav_chassis.model import Base
from sav_chassis.process.runner import serving
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import MissingMigration

ROOMS = [
    room
    for room in ("auth", "catalog", "claims", "interventions", "calendar", "notifier", "reporting", "toy")
    if room == "toy" or (find_spec(f"sav_{room}") and find_spec(f"sav_{room}.model"))
]
CHASSIS = {
    "event_log",
    "event_chain",
    "erased",
    "outbox",
    "handled",
    "answered",
    "task",
    "view",
    "chassis_version",
    "room_version",
}
# What a database guards or finds faster beyond what the models say, and what only SQL touches (tables of facts, columns
# that it computes), are the migrations' own affair.
BEYOND = {"remove_index", "remove_fk", "remove_constraint", "remove_table"}


@pytest.fixture(scope="session")
def drifting(settings: Settings) -> Settings:
    return settings.model_copy(update={"database_prefix": "drift"})


@pytest.mark.parametrize("room", ROOMS)
async def test_the_migrations_make_what_the_models_say(drifting: Settings, room: str) -> None:
    await migrate(drifting, room)
    module = "toy" if room == "toy" else f"sav_{room}"
    if room != "toy":
        getattr(import_module(f"{module}.app"), room).load()
    tables = {
        table
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.split(".")[0] == module and isinstance(table := mapper.local_table, Table)
    }
    assert tables
    engine = engine_for(drifting.database(room))
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(drift, tables) == []
    finally:
        await engine.dispose()


def drift(connection: Connection, tables: set[Table]) -> list[Any]:
    """What differs between these tables and all there is in the database but the chassis' own."""
    names = {table.name for table in tables}

    def ours(found: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
        table = name if type_ == "table" else found.table.name
        return table in names or (reflected and table not in CHASSIS)

    context = MigrationContext.configure(
        connection, opts={"compare_type": differs, "include_object": ours, "target_metadata": Base.metadata}
    )
    found = compare_metadata(context, Base.metadata)
    return [one for one in found if not isinstance(one, tuple) or not (one[0] in BEYOND or is_computed(one))]


def is_computed(found: tuple[Any, ...]) -> bool:
    return found[0] == "remove_column" and found[3].computed is not None


def differs(
    context: Any, inspected_column: Any, metadata_column: Any, inspected: Any, wanted: TypeEngine[Any]
) -> bool | None:
    """Any kind of text is the same to PostgreSQL; the rest is alembic's to say."""
    return False if isinstance(inspected, String) and isinstance(wanted, String) else None


async def test_migrating_again_does_nothing(toy_settings: Settings) -> None:
    await migrate(toy_settings, "toy")
    await migrate(toy_settings, "toy")


async def test_a_service_does_not_start_on_an_old_schema(settings: Settings, toys: Service) -> None:
    old = await emptied(settings)
    await migrate(old, "toy")
    connection = await asyncpg.connect(old.database("toy"))
    try:
        await connection.execute("DELETE FROM room_version")
    finally:
        await connection.close()
    with pytest.raises(MissingMigration, match=r"toy: .*room_version 0001.*`\./sav migrate`"):
        async with serving(toys, old):
            pass


async def test_a_database_that_was_never_migrated_is_refused(settings: Settings) -> None:
    with pytest.raises(MissingMigration, match=r"chassis_version \d+, room_version \d+"):
        await Database(await emptied(settings), "toy").open()


async def emptied(settings: Settings) -> Settings:
    """Settings with an empty database for the toys."""
    server = await asyncpg.connect(f"{settings.database_url}/postgres")
    try:
        await server.execute("DROP DATABASE IF EXISTS emptied_toy WITH (FORCE)")
        await server.execute("CREATE DATABASE emptied_toy")
    finally:
        await server.close()
    return settings.model_copy(update={"database_prefix": "emptied"})
