"""Interventions on its stage."""

from collections.abc import Awaitable, Callable

import pytest

from sav_chassis.service import Service
from sav_chassis.testing import Stage
from sav_interventions.app import interventions


@pytest.fixture
async def stage(stages: Callable[[Service], Awaitable[Stage]]) -> Stage:
    stage = await stages(interventions)
    await stage.clear()
    return stage
