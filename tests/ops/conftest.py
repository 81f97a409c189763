"""One visit from its réclamation to its validated report, for all who look at what happened."""

from typing import Any

import pytest
import stories
from system import System

from sav_ops.verify.verification import verify


@pytest.fixture(scope="session")
async def visit(system: System) -> dict[str, Any]:
    visit = await stories.closed(await system.client(), await system.manager(), await system.technician())
    assert await verify(system.settings, 10) == []
    return visit
