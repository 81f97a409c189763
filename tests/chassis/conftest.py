"""The toys on a stage of their own: each test says what its service does, then what happens to it."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import toy
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from toy_asking import OnStage

from sav_chassis.database import Database, opened
from sav_chassis.migrate import migrate
from sav_chassis.process.runner import connected
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.testing import Stage

# Where the toys' migrations are.
sys.path.append(str(Path(__file__).parent.parent / "toy_room"))


@pytest.fixture(scope="module", autouse=True)
def toys_are_catalogued() -> Iterator[None]:
    with toy.catalogued():
        yield


@pytest.fixture(scope="session")
async def toy_settings(settings: Settings) -> Settings:
    """Settings of the toys, whose database exists."""
    apart = settings.model_copy(update={"database_prefix": "chassis"})
    await migrate(apart, "toy")
    return apart


@pytest.fixture(scope="session")
async def toy_database(toy_settings: Settings) -> AsyncIterator[Database]:
    """Connections to the toys' database, shared by their stages."""
    async with opened(toy_settings, "toy", pool_size=8) as database:
        yield database


@pytest.fixture
def on_stage(toy_settings: Settings, toy_database: Database) -> OnStage:
    """Puts a service on a stage with empty tables."""

    async def open_stage(service: Service) -> Stage:
        stage = Stage(service, toy_settings)
        stage.database.engine, stage.database.pool = toy_database.engine, toy_database.pool
        await stage.clear()
        return stage

    return open_stage


@pytest.fixture
async def stage(on_stage: OnStage) -> Stage:
    """The usual toys on their stage."""
    return await on_stage(toy.usual())


@pytest.fixture(scope="session")
async def broker(settings: Settings) -> AsyncIterator[AbstractRobustConnection]:
    """A connection on which every service's queues are declared."""
    async with connected(settings, "chassis tests") as connection:
        yield connection


@pytest.fixture
async def channel(broker: AbstractRobustConnection) -> AsyncIterator[AbstractChannel]:
    async with broker.channel() as channel:
        yield channel


@pytest.fixture
def toys() -> Service:
    """The usual toys."""
    return toy.usual()
