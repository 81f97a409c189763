"""People and records that the tests share. They add to them; none changes or uses up what another one asks for."""

import pytest
from recipes import Scene, scene
from system import System


@pytest.fixture(scope="session", name="scene")
async def the_scene(system: System) -> Scene:
    return await scene(system)
