"""A history, and then a release whose reactions have other names, are new or are no more: it stays right."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import stories
from eventually import eventually
from system import System

from sav_calendar.app import calendar
from sav_chassis.service import Reaction, Service
from sav_chassis.tx import Tx
from sav_contracts.interventions.visit import InterventionPlanned
from sav_notifier.app import notifier
from sav_ops.replay import heal
from sav_ops.verify.verification import verify

BOOKING = "put_into_calendar"
NOTED = "SELECT FROM handled WHERE handler = 'note' AND outcome = 'noted'"


@pytest.fixture(scope="module")
async def visit(system: System) -> dict[str, Any]:
    """What has happened: everybody has done their part."""
    closed = await stories.closed(await system.client(), await system.manager(), await system.technician())
    assert await verify(system.settings, 10) == []
    return closed


@contextmanager
def released(service: Service, *reactions: Reaction) -> Iterator[None]:
    """A release in which the service reacts to a planned visit so, and not as it did."""
    before = service.reactions[InterventionPlanned]
    service.reactions[InterventionPlanned] = list(reactions)
    try:
        yield
    finally:
        service.reactions[InterventionPlanned] = before


async def note(event: InterventionPlanned, tx: Tx) -> str:
    return "noted"


async def missed(system: System, service: str) -> int:
    healed = await heal.heal(system.settings, service, patience=10, on_its_way=0.2)
    assert healed.reactions
    return healed.reactions.sent


@pytest.mark.usefixtures("visit")
async def test_a_function_of_another_name_makes_nothing_wrong(system: System) -> None:
    [booking] = calendar.load().reactions[InterventionPlanned]
    assert booking.name == BOOKING
    with released(calendar, booking._replace(function=note)):
        assert await verify(system.settings, 0) == []
        assert await missed(system, "calendar") == 0


@pytest.mark.usefixtures("visit")
async def test_a_reaction_without_its_name_is_found(system: System) -> None:
    """What the name is for: this is how the history would look without it."""
    [booking] = calendar.load().reactions[InterventionPlanned]
    with released(calendar, booking._replace(name="make_an_appointment")):
        found = await verify(system.settings, 0)
    assert any(line.startswith("calendar: make_an_appointment has not done event") for line in found)
    assert any(line.startswith(f"calendar: {BOOKING} has done") for line in found)


@pytest.mark.usefixtures("visit")
async def test_a_new_reaction_counts_from_when_it_says_and_may_end(system: System) -> None:
    was = notifier.load().reactions[InterventionPlanned]
    with released(notifier, *was, Reaction("note", datetime.now(UTC), note)):
        assert await verify(system.settings, 0) == []
        assert await missed(system, "notifier") == 0
        await stories.assigned(await system.client(), await system.manager(), await system.technician())
        assert len(await eventually(lambda: system.sql("notifier", NOTED))) == 1
        assert await verify(system.settings, 10) == []
    assert [line for line in await verify(system.settings, 0) if "notifier: note has done" in line]
    notifier.retire("note", InterventionPlanned)
    try:
        assert await verify(system.settings, 0) == []
        assert await missed(system, "notifier") == 0
    finally:
        notifier.retired.clear()
        await system.sql("notifier", "DELETE FROM handled WHERE handler = 'note' RETURNING 1")


@pytest.mark.usefixtures("visit")
async def test_a_new_reaction_that_does_not_say_so_counts_for_all(system: System) -> None:
    was = notifier.load().reactions[InterventionPlanned]
    with released(notifier, *was, Reaction("note", None, note)):
        assert [line for line in await verify(system.settings, 0) if "note has not done" in line]
        assert await missed(system, "notifier") >= 1
        assert await verify(system.settings, 10) == []
    await system.sql("notifier", "DELETE FROM handled WHERE handler = 'note' RETURNING 1")
