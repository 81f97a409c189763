"""People and records that the tests of one module share."""

import pytest
from recipes import Scene, scene
from system import System


@pytest.fixture(scope="module", name="scene")
async def the_scene(system: System) -> Scene:
    return await scene(system)
