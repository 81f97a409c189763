"""What a service missed comes to it again, once; what it has done does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aio_pika
import pytest
import stories
from eventually import eventually
from system import System

from sav_chassis.identity import OUTLIVED
from sav_chassis.testing import enveloped
from sav_contracts.auth.session import SessionEnded
from sav_ops.documents.event_samples import sample
from sav_ops.home import OpsError
from sav_ops.replay import heal, missed_revocations
from sav_ops.replay.heal import FeedResult
from sav_ops.replay.rebuild import Rebuilt, rebuild
from sav_ops.verify.verification import verify

RESOLVED = "SELECT FROM reclamation WHERE id = $1 AND status = 'resolved'"
ASKED = "SELECT id, version FROM feedback ORDER BY id"
PARK = """
INSERT INTO task (use, key, lane, due, state, message, persons)
SELECT 'parked', event_id::text, event_id, now() + interval '1 day', 'dead', '{}', '{}' FROM handled LIMIT 1
RETURNING key::uuid"""


@pytest.fixture(scope="module")
async def missed(system: System) -> dict[str, Any]:
    """A visit that was closed while reporting was away, and everything that came to its queues is lost."""
    people = await system.client(), await system.manager(), await system.technician()
    async with deaf(system):
        visit = await stories.closed(*people)
        await eventually(lambda: system.sql("claims", RESOLVED, visit["reclamation_id"]))
    return visit


@asynccontextmanager
async def deaf(system: System) -> AsyncIterator[None]:
    """Reporting never hears of what happens meanwhile."""
    await system.stop("reporting")
    try:
        yield
        for owner in ("auth", "claims", "interventions"):
            await eventually(partial(nothing_to_publish, system, owner), 20)
        async with await aio_pika.connect(system.settings.broker_url) as connection:
            channel = await connection.channel()
            for queue in ("reporting.events", "reporting.views"):
                await (await channel.get_queue(queue)).purge()
    finally:
        await system.start("reporting")


async def nothing_to_publish(system: System, owner: str) -> bool:
    return not await system.sql(owner, "SELECT FROM outbox LIMIT 1")


async def healed(system: System, service: str, batch: int = 7) -> tuple[Rebuilt, FeedResult]:
    """What became of what the service keeps, and of its reactions."""
    kept, reactions = await heal.heal(system.settings, service, batch=batch, patience=10, on_its_way=0.2)
    assert reactions
    return kept, reactions


async def test_what_was_missed_is_reacted_to_once_and_then_nothing_is_sent(
    system: System, missed: dict[str, Any]
) -> None:
    feedback = f"SELECT * FROM feedback WHERE intervention_id = '{missed['id']}'"
    assert await system.sql("reporting", feedback) == []
    kept, events = await healed(system, "reporting")
    assert {(one.table, one.what) for one in kept.differences} >= {
        ("reclamation_fact", "missing"),
        ("visit_fact", "missing"),
    }
    assert events.sent == 1
    assert str(events).endswith("1 done.")
    assert len(await system.sql("reporting", feedback)) == 1
    assert await verify(system.settings, 10) == []
    kept, events = await healed(system, "reporting")
    assert (kept.differences, kept.readers_waited) == ([], None)
    assert (events.queue, events.sent) == ("reporting.events", 0)
    assert "nothing was missed" in str(events)


async def test_a_fact_that_was_missed_is_there_although_later_news_of_its_record_came(system: System) -> None:
    client, manager, technician = await system.client(), await system.manager(), await system.technician()
    async with deaf(system):
        claim = await stories.qualified(client, manager)
    stories.done(await stories.assign(manager, claim, technician))
    fact = f"SELECT qualified_at FROM reclamation_fact WHERE id = '{claim['id']}' AND status = 'assigned'"
    [before] = await eventually(lambda: system.sql("reporting", fact))
    assert before["qualified_at"] is None
    await healed(system, "reporting")
    qualified = f"SELECT at FROM event_log WHERE subject = '{claim['id']}' AND type = 'claims.ReclamationQualified.v1'"
    [event] = await system.sql("claims", qualified)
    [after] = await system.sql("reporting", fact)
    assert after["qualified_at"] == event["at"]
    assert (await rebuild(system.settings, "reporting", swap=False, patience=1)).differences == []


async def test_reactions_whose_inbox_was_wiped_are_asked_again_and_do_nothing_twice(
    system: System, missed: dict[str, Any]
) -> None:
    await healed(system, "reporting")
    before = await system.sql("reporting", ASKED)
    await system.sql("reporting", "DELETE FROM handled")
    _, events = await healed(system, "reporting")
    assert events.sent > 0
    assert await system.sql("reporting", ASKED) == before
    assert await verify(system.settings, 10) == []


async def test_copies_that_are_gone_come_again(system: System, missed: dict[str, Any]) -> None:
    await system.sql("calendar", "DELETE FROM view WHERE kind = 'technician'")
    kept, events = await healed(system, "calendar")
    assert [(one.table, one.what) for one in kept.differences] == [("view", "missing")]
    assert events.sent == 0
    assert await verify(system.settings, 10) == []


async def test_what_was_missed_is_named_and_then_nothing_is(
    system: System, missed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    await healed(system, "reporting")
    forget = "UPDATE reclamation_fact SET resolved_at = NULL WHERE id = $1"
    await system.sql("reporting", forget, missed["reclamation_id"])
    assert await asyncio.to_thread(heal.show, system.settings, "reporting")
    said = capsys.readouterr().out
    assert f"reclamation_fact: 1 different: {missed['reclamation_id']}\nreporting: what it keeps of " in said
    assert " is right again.\nreporting.events: nothing was missed of " in said
    assert await asyncio.to_thread(heal.show, system.settings, "reporting")
    said = capsys.readouterr().out
    assert " lacks nothing.\nreporting.events: nothing was missed of " in said
    assert "different" not in said


async def test_access_that_ended_unheard_ends_too(system: System) -> None:
    client = await system.client()
    async with deaf(system):
        stories.done(await client.post("/auth/logout"))
    [revoked] = await system.sql("auth", "SELECT * FROM revoked ORDER BY not_before DESC LIMIT 1")
    known = f"SELECT * FROM revoked WHERE subject = '{revoked['subject']}'"
    assert await system.sql("reporting", known) == []
    kept, _ = await healed(system, "reporting")
    assert kept.revocations == 1
    assert await system.sql("reporting", known) == [revoked]
    assert (await healed(system, "reporting"))[0].revocations == 0


def test_access_that_ended_so_long_ago_that_no_token_is_left_is_no_concern() -> None:
    for ago, matters in ((timedelta(), True), (timedelta(seconds=OUTLIVED), False)):
        event = SessionEnded.model_validate(sample(SessionEnded))
        told = enveloped(event).model_copy(update={"at": datetime.now(UTC) - ago}), event
        assert missed_revocations.that_matter([told]) == ([told] if matters else [])


async def test_what_is_parked_is_left_to_who_releases_it(system: System, missed: dict[str, Any]) -> None:
    await healed(system, "reporting")
    [[id]] = await system.sql("reporting", PARK)
    [gone] = await system.sql("reporting", "DELETE FROM handled WHERE event_id = $1 RETURNING *", id)
    try:
        assert (await healed(system, "reporting"))[1].sent == 0
    finally:
        await system.sql("reporting", "DELETE FROM task WHERE key = $1", str(id))
    assert (await healed(system, "reporting"))[1].sent == 1
    assert gone["event_id"] == id


async def test_a_queue_that_nobody_listens_to_is_sent_nothing(system: System) -> None:
    await system.stop("reporting")
    try:
        with pytest.raises(OpsError, match=r"Nobody listens to reporting\.events"):
            await healed(system, "reporting")
    finally:
        await system.start("reporting")
    with pytest.raises(OpsError, match="no service edge"):
        await healed(system, "edge")
