"""The manager whom the journeys of one module share; clients and technicians are each journey's own."""

import pytest
from system import Person, System


@pytest.fixture(scope="module")
async def marie(system: System) -> Person:
    await system.dismiss_managers()
    return await system.manager()
