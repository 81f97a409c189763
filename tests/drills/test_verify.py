"""The checker that the drills rely on sees what is wrong. Runs late, or alone: it leaves the drills' platform in ruins."""

import asyncpg
import pytest
from drills.fire import Fire

from sav_ops.databases import opened
from sav_ops.verify.moment import in_silence
from sav_ops.verify.verification import contradictions, under_way

pytestmark = pytest.mark.usefixtures("past")

ANY_HANDLED = "ctid = (SELECT ctid FROM handled ORDER BY at DESC LIMIT 1)"
SABOTAGE = {
    "an inbox row is missing": (
        "interventions",
        f"DELETE FROM handled WHERE {ANY_HANDLED}",
        "has not done event",
    ),
    "an inbox row too many": (
        "interventions",
        "INSERT INTO handled (handler, event_id) VALUES ('plan_intervention', gen_random_uuid())",
        "which no log has",
    ),
    "done in the wrong order": (
        "interventions",
        """UPDATE handled SET position = 0 WHERE event_id = (
            SELECT causation_id FROM event_log WHERE type = 'interventions.InterventionMoved.v1'
            AND actor_role = 'manager' LIMIT 1)""",
        "out of order",
    ),
    "a row ahead of its log": (
        "claims",
        "UPDATE reclamation SET version = version + 1 WHERE ctid = (SELECT ctid FROM reclamation LIMIT 1)",
        "is at version",
    ),
    "a gap in a log": (
        "claims",
        "UPDATE event_log SET sequence = 9 WHERE position = (SELECT max(position) FROM event_log)",
        "its last is 9",
    ),
    "one cause, the same event twice": (
        "claims",
        """INSERT INTO event_log (id, type, at, kind, subject, sequence, correlation_id, causation_id, actor_id,
            actor_role, body, persons)
        SELECT gen_random_uuid(), type, at, kind, subject, 99, correlation_id, causation_id, actor_id, actor_role,
            body, persons FROM event_log WHERE causation_id IS NOT NULL LIMIT 1""",
        "2 times",
    ),
    "a stale page": (
        "edge",
        "UPDATE view SET doc = '{}' WHERE ctid = (SELECT ctid FROM view WHERE kind = 'intervention' LIMIT 1)",
        "edge: its copy of intervention",
    ),
    "a stale copy": ("claims", "DELETE FROM view", "claims: its copy of technician"),
    "a missing line of history": (
        "edge",
        "DELETE FROM timeline WHERE ctid = (SELECT ctid FROM timeline LIMIT 1)",
        "lacks event",
    ),
    "a message that nobody sends": (
        "notifier",
        "UPDATE notification SET status = 'queued' WHERE ctid = (SELECT ctid FROM notification LIMIT 1)",
        "no deliver waits for",
    ),
    "an invoice that nobody prints": (
        "interventions",
        "UPDATE invoice SET document = NULL WHERE ctid = (SELECT ctid FROM invoice WHERE number IS NOT NULL LIMIT 1)",
        "no print_invoice waits for",
    ),
    "an import that nobody goes on with": (
        "catalog",
        """INSERT INTO article_import (id, version, created_at, updated_at, status, dry_run, file, by_id, checked, imported,
            added, updated, unchanged, wrong)
        VALUES (gen_random_uuid(), 1, now(), now(), 'running', false, '{}', gen_random_uuid(), 0, 0, 0, 0, 0, 0)""",
        "no run_article_import waits for",
    ),
    "a dead effect": (
        "notifier",
        """INSERT INTO task (use, key, lane, due, state, message, persons)
        VALUES ('effect', 'x', gen_random_uuid(), now(), 'dead', '{}', '{}')""",
        "1 effect(s) dead",
    ),
    "a dead event": (
        "claims",
        """INSERT INTO task (use, key, lane, due, state, message, persons)
        VALUES ('parked', 'x', gen_random_uuid(), now(), 'dead', '{}', '{}')""",
        "1 event(s) parked, dead",
    ),
}


TRIED = """INSERT INTO task (use, key, lane, due, attempts, leased_until, message, persons)
    VALUES ('effect', 'tried', gen_random_uuid(), {due}, 2, {leased_until}, '{{}}', '{{}}')"""


@pytest.mark.parametrize(
    ("due", "leased_until", "waited_for"),
    [("now()", "now() + interval '1 hour'", True), ("now() + interval '1 hour'", "NULL", False)],
    ids=["cut off", "to be tried again later"],
)
async def test_a_run_that_was_cut_off_is_waited_for(
    fire: Fire, due: str, leased_until: str, waited_for: bool
) -> None:
    async with opened(fire.settings) as databases:
        await databases["catalog"].execute(TRIED.format(due=due, leased_until=leased_until))
        waiting = [reason async for reason in under_way(fire.settings, databases)]
        await databases["catalog"].execute("DELETE FROM task WHERE key = 'tried'")
    assert ("catalog: 1 timer(s) or effect(s) to do now" in waiting) == waited_for


async def found(fire: Fire) -> list[str]:
    """What `verify` finds. It looks again at what it has found, as people may be at work meanwhile; here nobody is."""
    async with opened(fire.settings) as databases:
        waiting = [reason async for reason in under_way(fire.settings, databases)]
    return waiting + (await contradictions(fire.settings, in_silence)).contradictions


@pytest.fixture(scope="module")
async def looks(fire: Fire) -> list[list[str]]:
    """What was found by each look at the ruins so far: one test ends with what the next one begins with."""
    return [await found(fire)]


@pytest.mark.parametrize(("room", "statement", "finding"), SABOTAGE.values(), ids=SABOTAGE.keys())
async def test_a_contradiction_is_named(
    fire: Fire, looks: list[list[str]], room: str, statement: str, finding: str
) -> None:
    connection = await asyncpg.connect(fire.settings.database(room))
    try:
        await connection.execute("SET session_replication_role = replica")  # past the triggers
        assert not (await connection.execute(statement)).endswith(" 0"), "nothing was sabotaged"
    finally:
        await connection.close()
    looks.append(await found(fire))
    before, after = (sum(finding in line for line in look) for look in looks[-2:])
    assert after > before


@pytest.mark.parametrize(("restored_at", "named"), [("-infinity", False), ("infinity", True)])
async def test_what_a_restore_made_anew_may_be_done_in_any_order(
    fire: Fire, restored_at: str, named: bool
) -> None:
    """What was still to be published at the backup comes by the relay, what was lost in a queue by `heal`."""
    room, statement, finding = SABOTAGE["done in the wrong order"]
    async with opened(fire.settings) as databases:
        await databases[room].execute(statement)
        await databases[room].execute(
            "INSERT INTO restored (floor, at, position) VALUES (9, $1::text::timestamptz, 0)", restored_at
        )
        try:
            lines = await found(fire)
        finally:
            await databases[room].execute("DELETE FROM restored")
    assert any(finding in line for line in lines if line.startswith(room)) == named
