"""Reporting on its stage."""

from collections.abc import Awaitable, Callable

import pytest

from sav_chassis.service import Service
from sav_chassis.testing import Stage
from sav_reporting.app import reporting


@pytest.fixture
async def stage(stages: Callable[[Service], Awaitable[Stage]]) -> Stage:
    stage = await stages(reporting)
    await stage.clear()
    return stage
