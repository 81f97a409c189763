"""An event of an earlier release that a service can never take: the way out, on the whole system."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import stories
from eventually import eventually
from system import System

from sav_calendar.app import calendar
from sav_chassis.service import Reaction
from sav_chassis.tx import Tx
from sav_contracts.interventions.visit import InterventionPlanned
from sav_ops.home import Home
from sav_ops.inspect import events
from sav_ops.parked import skip
from sav_ops.parked.task_list import Task, tasks
from sav_ops.replay import heal
from sav_ops.replay.rebuild import rebuild
from sav_ops.verify.verification import given_up, verify

FAR = '{"start": "9999-12-31T08:00:00Z", "end": "9999-12-31T10:00:00Z"}'
# What the owner told once, told again by its next version, with this slot.
TELL = """
WITH last AS (SELECT * FROM event_log WHERE subject = $1 ORDER BY sequence DESC LIMIT 1),
planned AS (SELECT * FROM event_log WHERE subject = $1 AND type = 'interventions.InterventionPlanned.v1' LIMIT 1),
told AS (
    INSERT INTO event_log (id, type, at, kind, subject, sequence, correlation_id, causation_id, actor_id, actor_role,
        traceparent, body, persons)
    SELECT gen_random_uuid(), planned.type, now(), planned.kind, $1, last.sequence + 1, gen_random_uuid(), NULL,
        planned.actor_id, planned.actor_role, NULL,
        (planned.body::jsonb || jsonb_build_object('slot', $2::jsonb, 'state',
            last.body::jsonb -> 'state' || jsonb_build_object('version', last.sequence + 1)))::text, planned.persons
    FROM last, planned RETURNING id, position, sequence),
row AS (UPDATE intervention SET version = told.sequence FROM told WHERE intervention.id = $1),
sent AS (INSERT INTO outbox SELECT position FROM told)
SELECT id FROM told"""
SKIPPED_NOW = """
UPDATE handled SET at = clock_timestamp() WHERE event_id = $1 AND handler = 'note_the_day_after'"""
QUEUED = "UPDATE notification SET status = $2 WHERE id = $1"
DEAD_MAIL = """
INSERT INTO task (use, key, lane, due, attempts, state, error, message, persons)
VALUES ('effect', 'deliver ' || $1::uuid, $1, now(), 9, 'dead', 'KeyError: 1', '{}', '{}')"""
KNOWN = "INSERT INTO handled (handler, event_id, at) VALUES ('note_the_day_after', $1, $2)"
FORGET = "DELETE FROM handled WHERE handler = 'note_the_day_after'"


async def note_the_day_after(event: InterventionPlanned, tx: Tx) -> str | None:
    """Cannot be done at the end of time."""
    return f"{event.slot.end + timedelta(days=1):%F}" if event.slot else None


NOTING = Reaction(note_the_day_after.__name__, None, note_the_day_after)


@pytest.fixture
async def noting(system: System) -> AsyncIterator[None]:
    """The calendar has had this reaction ever since."""
    planned = await system.sql(
        "interventions",
        "SELECT id, at FROM event_log WHERE type = 'interventions.InterventionPlanned.v1' ORDER BY position",
    )
    connection = await asyncpg.connect(system.settings.database("calendar"))
    await connection.executemany(KNOWN, [tuple(row) for row in planned])
    calendar.reactions[InterventionPlanned].insert(0, NOTING)
    try:
        yield
    finally:
        calendar.reactions[InterventionPlanned].remove(NOTING)
        await connection.execute(FORGET)
        await connection.close()


async def told(system: System, visit: dict[str, Any], slot: str) -> Any:
    [event] = await system.sql("interventions", TELL, visit["id"], slot)
    return event["id"]


async def parked(system: System) -> list[Task]:
    return await tasks(system.settings, ["calendar"])


async def of_visit(system: System, visit: dict[str, Any]) -> list[Task]:
    return [task for task in await parked(system) if str(task.lane) == visit["id"]]


async def skipped(system: System, home: Path, key: Any) -> bool:
    task = await asyncio.to_thread(skip.chosen, system.settings, [str(key)], None, None)
    return await asyncio.to_thread(
        skip.skip, Home(home), system.settings, task, "a slot of the year 9999", False
    )


@pytest.mark.usefixtures("noting")
async def test_a_slot_of_the_year_9999_is_skipped_and_what_follows_it_is_done(
    system: System, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client, manager, technician = await system.client(), await system.manager(), await system.technician()
    _, visit = await stories.assigned(client, manager, technician)
    await stories.move(manager, visit, "cancelled", reason="nobody is at home")
    assert await verify(system.settings, 10) == []

    key = await told(system, visit, FAR)
    later = await told(system, visit, "null")
    await eventually(lambda: two_wait(system, visit))
    said = await verify(system.settings, 0)
    assert f"calendar: note_the_day_after has not done event {key}" in said
    assert f"calendar: note_the_day_after has not done event {later}" in said

    assert await skipped(system, tmp_path, key)
    assert await verify(system.settings, 10) == []
    assert await of_visit(system, visit) == []
    [line] = [line for line in await given_up(system.settings) if str(key) in line]
    assert line.startswith(f"note_the_day_after of {key} in calendar was skipped on ")
    assert line.endswith(f"by {skip.who()}: a slot of the year 9999")
    # Whatever time it is skipped: that is not when it was its turn.
    await system.sql("calendar", SKIPPED_NOW, key)
    assert await verify(system.settings, 10) == []
    [line] = [line for line in await given_up(system.settings) if str(key) in line]
    capsys.readouterr()
    await asyncio.to_thread(events.show, system.settings, str(key))
    assert f"calendar note_the_day_after: {line[line.index('skipped') :]}" in capsys.readouterr().out

    kept, reactions = await heal.heal(system.settings, "calendar", on_its_way=0.2)
    assert reactions
    assert (kept.differences, reactions.sent) == ([], 0)
    assert (await rebuild(system.settings, "edge", swap=False, patience=1)).differences == []
    # Healing what was skipped would do it after the later one.
    stays = await heal.ask_again(system.settings, "calendar")
    assert stays == [f"note_the_day_after of {key} stays skipped: it has done a later event of the record."]


@pytest.mark.usefixtures("noting")
async def test_what_was_skipped_is_done_when_it_is_asked_for(system: System, tmp_path: Path) -> None:
    client, manager, technician = await system.client(), await system.manager(), await system.technician()
    _, visit = await stories.assigned(client, manager, technician)
    await stories.move(manager, visit, "cancelled", reason="nobody is at home")
    key = await told(system, visit, FAR)
    await eventually(lambda: of_visit(system, visit))
    assert await skipped(system, tmp_path, key)
    assert await verify(system.settings, 10) == []

    assert await heal.ask_again(system.settings, "calendar") == [
        f"note_the_day_after of {key} is no longer skipped."
    ]
    _, reactions = await heal.heal(system.settings, "calendar", patience=10, on_its_way=0.2)
    assert reactions
    assert (reactions.sent, reactions.parked) == (1, 1)  # it is as impossible as before
    assert await skipped(system, tmp_path, key)
    assert await verify(system.settings, 10) == []


async def test_a_mail_that_can_never_be_written_is_no_contradiction_once_it_is_skipped(
    system: System, visit: dict[str, Any], tmp_path: Path
) -> None:
    [mail] = await system.sql("notifier", "SELECT id, status FROM notification ORDER BY id DESC LIMIT 1")
    await system.sql("notifier", QUEUED, mail["id"], "queued")
    finding = f"notifier: no deliver waits for {mail['id']}"
    altered = f"notifier: notification {mail['id']} is not what its last event says: status"
    try:
        assert finding in await verify(system.settings, 0)
        await system.sql("notifier", DEAD_MAIL, mail["id"])
        assert "notifier: 1 effect(s) dead" in await verify(system.settings, 0)
        assert await skipped(system, tmp_path, f"deliver:{mail['id']}")
        assert await verify(system.settings, 0) == [altered]  # by this test
        [line] = await given_up(system.settings)
        assert line.startswith(f"effect deliver of {mail['id']} in notifier was skipped on ")
    finally:
        await system.sql("notifier", QUEUED, mail["id"], mail["status"])
        await system.sql("notifier", "DELETE FROM handled WHERE event_id = $1", mail["id"])


async def two_wait(system: System, visit: dict[str, Any]) -> bool:
    return [task.standing for task in await of_visit(system, visit)] == ["failed", "held back"]
