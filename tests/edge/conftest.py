"""People and records that the tests share. They add to them; none changes or uses up what another one asks for."""

import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
from chromium import Browser, browser
from given_archive import Archive, whole
from given_streams import Replica, replica
from given_uploads import At, desk
from given_views import new_read_model, wipe
from recipes import Scene, scene
from system import System, door

from sav_chassis.settings import Settings
from sav_edge.app import listening
from sav_edge.read_model import ReadModel


@pytest.fixture(scope="session", name="scene")
async def the_scene(system: System) -> Scene:
    return await scene(system)


@pytest.fixture(scope="module")
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A replica that counts nobody's requests: of what is answered with 429 nothing is learned."""
    async with door(system.settings.model_copy(update={"rate_limits_scale": 0})) as http:
        yield http


@pytest.fixture(scope="session")
async def apart(settings: Settings) -> Settings:
    """A read model without services: records of any kind are told to it, and nothing that other tests change."""
    mine = settings.model_copy(update={"database_prefix": "apart"})
    await new_read_model(mine)
    return mine


@pytest.fixture(scope="session")
async def pool(apart: Settings) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(apart.database("edge"), min_size=1, max_size=5) as pool:
        yield pool


@pytest.fixture
async def read(pool: asyncpg.Pool) -> ReadModel:
    """The same, empty."""
    await wipe(pool)
    return ReadModel(pool)


@pytest.fixture(scope="module")
async def one(apart: Settings, pool: asyncpg.Pool) -> AsyncIterator[Replica]:
    async with replica(apart, pool) as one:
        yield one


@pytest.fixture(scope="module")
async def other(apart: Settings, pool: asyncpg.Pool) -> AsyncIterator[Replica]:
    async with replica(apart, pool) as other:
        yield other


@pytest.fixture
def at(tmp_path: Path) -> At:
    return partial(desk, tmp_path)


@pytest.fixture
async def archive(settings: Settings) -> AsyncIterator[Archive]:
    await whole(settings)
    async with door(settings) as http:
        yield Archive(settings, http)


@pytest.fixture(scope="module")
async def site(system: System) -> AsyncIterator[str]:
    """The edge behind a socket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings: Settings = system.settings.model_copy(update={"edge_port": port, "rate_limits_scale": 0})
    async with listening(settings):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as one:
        yield one
