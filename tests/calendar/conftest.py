"""The calendar on its stage: Karim works at the usual hours, Léa has a qualified réclamation."""

from collections.abc import Awaitable, Callable

import pytest
import world
from given_calendar import hours, reclamation, technician

from sav_calendar.app import calendar
from sav_chassis.service import Service
from sav_chassis.testing import Stage


@pytest.fixture
async def stage(stages: Callable[[Service], Awaitable[Stage]]) -> Stage:
    stage = await stages(calendar)
    await stage.clear()
    await stage.given(hours(world.karim))
    await stage.knows(technician(world.karim), reclamation())
    return stage
