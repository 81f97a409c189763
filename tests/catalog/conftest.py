"""Catalog on its stage, with Léa and Paul known."""

from collections.abc import Awaitable, Callable

import pytest
import world
from given_catalog import client

from sav_catalog.app import catalog
from sav_chassis.service import Service
from sav_chassis.testing import Stage


@pytest.fixture
async def stage(stages: Callable[[Service], Awaitable[Stage]]) -> Stage:
    stage = await stages(catalog)
    await stage.clear()
    await stage.knows(client(world.lea), client(world.paul))
    return stage
