"""Interventions on its stage."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
import world
from given_views import a

from sav_chassis.service import Service
from sav_chassis.testing import Stage
from sav_contracts.claims.client import ClientView
from sav_interventions.app import interventions
from sav_interventions.model import Technician


@pytest.fixture
async def stage(stages: Callable[[Service], Awaitable[Stage]]) -> Stage:
    stage = await stages(interventions)
    await stage.clear()
    return stage


@pytest.fixture
async def at_work(stage: Stage) -> Stage:
    """Karim and Sofia take visits; Omar left."""
    await stage.given(
        Technician(id=world.karim.id, name="Karim", account_active=True),
        Technician(id=world.sofia.id, name="Sofia", account_active=True),
        Technician(id=UUID(int=13), name="Omar", account_active=False),
    )
    await stage.knows(a(ClientView, world.lea.id), a(ClientView, world.paul.id, client_id=world.paul.id))
    return stage
