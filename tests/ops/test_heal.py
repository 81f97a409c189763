"""What a service missed comes to it again, once; what it has done does not."""

from typing import Any

import aio_pika
import pytest
import stories
from system import System

from sav_ops import heal
from sav_ops.heal import Healed
from sav_ops.home import Problem
from sav_ops.verify import verify

ASKED = "SELECT id, version FROM feedback ORDER BY id"
PARK = """
INSERT INTO task (use, key, lane, due, state, message, persons)
SELECT 'parked', event_id::text, event_id, now() + interval '1 day', 'dead', '{}', '{}' FROM handled LIMIT 1
RETURNING key::uuid"""


@pytest.fixture(scope="module")
async def missed(system: System) -> dict[str, Any]:
    """A visit that was closed while reporting was away, and everything that came to its queues is lost."""
    people = await system.client(), await system.manager(), await system.technician()
    await system.stop("reporting")
    visit = await stories.closed(*people)
    async with await aio_pika.connect(system.settings.broker_url) as connection:
        channel = await connection.channel()
        for queue in ("reporting.events", "reporting.views"):
            await (await channel.get_queue(queue)).purge()
    await system.start("reporting")
    return visit


async def healed(system: System, service: str, batch: int = 7) -> list[Healed]:
    return await heal.heal(system.settings, service, batch=batch, patience=10)


def sent(found: list[Healed]) -> list[int]:
    return [each.sent for each in found]


async def test_what_was_missed_is_reacted_to_once_and_then_nothing_is_sent(
    system: System, missed: dict[str, Any]
) -> None:
    feedback = f"SELECT * FROM feedback WHERE intervention_id = '{missed['id']}'"
    assert await system.sql("reporting", feedback) == []
    views, events = await healed(system, "reporting")
    assert (views.queue, events.queue) == ("reporting.views", "reporting.events")
    assert views.sent > 5
    assert events.sent == 1
    assert str(events).endswith("1 done.")
    assert len(await system.sql("reporting", feedback)) == 1
    assert await verify(system.settings, 10) == []
    again = await healed(system, "reporting")
    assert sent(again) == [0, 0]
    assert "nothing was missed" in str(again[0])


async def test_reactions_whose_inbox_was_wiped_are_asked_again_and_do_nothing_twice(
    system: System, missed: dict[str, Any]
) -> None:
    await healed(system, "reporting")
    before = await system.sql("reporting", ASKED)
    await system.sql("reporting", "DELETE FROM handled")
    assert sent(await healed(system, "reporting")) > [0, 0]
    assert await system.sql("reporting", ASKED) == before
    assert await verify(system.settings, 10) == []


async def test_copies_that_are_gone_come_again(system: System, missed: dict[str, Any]) -> None:
    await system.sql("calendar", "DELETE FROM view WHERE kind = 'technician'")
    views, events = await healed(system, "calendar")
    assert views.sent > 0
    assert events.sent == 0
    assert await verify(system.settings, 10) == []


async def test_what_is_parked_is_left_to_who_releases_it(system: System, missed: dict[str, Any]) -> None:
    await healed(system, "reporting")
    [[id]] = await system.sql("reporting", PARK)
    [gone] = await system.sql("reporting", "DELETE FROM handled WHERE event_id = $1 RETURNING *", id)
    try:
        assert sent(await healed(system, "reporting")) == [0, 0]
    finally:
        await system.sql("reporting", "DELETE FROM task WHERE key = $1", str(id))
    assert sent(await healed(system, "reporting")) == [0, 1]
    assert gone["event_id"] == id


async def test_a_queue_that_nobody_listens_to_is_sent_nothing(system: System) -> None:
    await system.stop("reporting")
    try:
        with pytest.raises(Problem, match=r"Nobody listens to reporting\.(events|views)"):
            await healed(system, "reporting")
    finally:
        await system.start("reporting")
    with pytest.raises(Problem, match="no service edge"):
        await healed(system, "edge")
