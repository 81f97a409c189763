"""Claims on its stage, with Léa's profile and two technicians known."""

from collections.abc import Awaitable, Callable

import pytest
import world
from given_claims import client, technician

from sav_chassis.service import Service
from sav_chassis.testing import Stage
from sav_claims.app import claims


@pytest.fixture
async def stage(stages: Callable[[Service], Awaitable[Stage]]) -> Stage:
    stage = await stages(claims)
    await stage.clear()
    await stage.given(client(world.lea))
    await stage.knows(technician(world.karim), technician(world.sofia))
    return stage
