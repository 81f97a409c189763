"""Auth on its stage."""

from collections.abc import Awaitable, Callable

import cheap_passwords
import pytest

from sav_auth.app import auth
from sav_chassis.service import Service
from sav_chassis.testing import Stage


@pytest.fixture
async def stage(stages: Callable[[Service], Awaitable[Stage]]) -> Stage:
    cheap_passwords.use()
    stage = await stages(auth)
    await stage.clear()
    return stage
