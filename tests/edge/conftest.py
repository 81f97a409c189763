"""People and records that the tests share. They add to them; none changes or uses up what another one asks for."""

from collections.abc import AsyncIterator

import httpx
import pytest
from recipes import Scene, scene
from system import System, door


@pytest.fixture(scope="session", name="scene")
async def the_scene(system: System) -> Scene:
    return await scene(system)


@pytest.fixture(scope="module")
async def patient(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A replica that counts nobody's requests: of what is answered with 429 nothing is learned."""
    async with door(system.settings.model_copy(update={"rate_limits_scale": 0})) as http:
        yield http
