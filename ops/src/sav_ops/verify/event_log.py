"""Each event log: no gap in a record's events, no cause with the same event twice, an unbroken chain of hashes."""

from collections.abc import AsyncIterator

import asyncpg

from sav_contracts.messages import is_erased
from sav_ops.verify.moment import BATCH, Snapshot, decoded

# Each event must have the version after the one before, or be the first one above the floor of a restore.
GAPS = """
SELECT kind, subject, count(*) AS events, max(sequence) AS last FROM (
    SELECT position, kind, subject, sequence,
        lag(sequence, 1, 0::bigint) OVER (PARTITION BY kind, subject ORDER BY sequence) + 1 AS expected FROM event_log) event
GROUP BY kind, subject HAVING bool_or(sequence <> expected AND NOT EXISTS (
    SELECT FROM restored r WHERE event.sequence = r.floor + 1 AND event.position > r.position))"""
# Events of SYSTEM are left out: timers and effects may cause the same event repeatedly, and each names the same cause.
# One transaction may emit it repeatedly (stock that comes in for several who wait): `xmin` is what wrote the row last.
TWICE = """
SELECT causation_id, type, subject, count(*) FROM event_log l
WHERE causation_id IS NOT NULL AND actor_role <> 'system'
    AND NOT EXISTS (SELECT FROM erased e WHERE e.position = l.position)
GROUP BY causation_id, type, subject HAVING count(*) > 1 AND min(l.xmin::text) <> max(l.xmin::text)"""

BROKEN = """
SELECT l.id, c.position, c.link, c.link - c.previous - 1 AS lacking FROM (
    SELECT *, lag(hash, 1, '\\x'::bytea) OVER (ORDER BY link) AS before, lag(link, 1, 0::bigint) OVER (ORDER BY link) AS previous
    FROM event_chain) c
LEFT JOIN event_log l ON l.position = c.position
WHERE l.position IS NULL OR c.link <> c.previous + 1 OR c.hash <> event_hash(c.before, c.body_hash, l)
ORDER BY c.link"""
# The relay's leader removes an event from the outbox only after it has added the link.
LOOSE = """
SELECT id FROM event_log l WHERE NOT EXISTS (SELECT FROM event_chain c WHERE c.position = l.position)
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.position = l.position) ORDER BY position"""
# A body must have the hash in the chain, or the hash in the receipt of its erasure.
REWRITTEN = """
SELECT l.id FROM event_log l JOIN event_chain c ON c.position = l.position WHERE body_hash(l.body) <> c.body_hash
    AND NOT EXISTS (SELECT FROM erased e WHERE e.position = l.position AND e.body_hash = body_hash(l.body))
ORDER BY l.position"""
ERASED = """
SELECT l.*, l.position, b.position AS erased, body_hash(l.body) IN (SELECT e.body_hash FROM erased e WHERE e.position = b.position)
    AND body_hash(l.body) <> c.body_hash AS stands
FROM (SELECT DISTINCT position FROM erased) b LEFT JOIN event_log l USING (position) LEFT JOIN event_chain c USING (position)
ORDER BY b.position"""
# Without its triggers, a log could be altered, and changed back, unseen.
UNGUARDED = """
SELECT t FROM unnest(ARRAY['event_log', 'event_chain', 'erased']) t
WHERE (SELECT count(*) FROM pg_trigger WHERE tgrelid = t::regclass AND tgname IN ('kept', 'kept_whole')
    AND tgenabled IN ('O', 'A')) < 2"""


async def logs(moment: Snapshot) -> AsyncIterator[str]:
    """Check that sequences have no gap, that a cause has the same event once, and the chain."""
    for owner in moment.services:
        database = moment.databases[owner]
        moment.checked["logs"] += 1
        moment.checked["events"] += await database.fetchval("SELECT count(*) FROM event_log")
        async for row in database.cursor(GAPS, prefetch=BATCH):
            yield (
                f"{owner}: the log of {row['kind']} {row['subject']} has {row['events']} events, "
                f"its last is {row['last']}"
            )
        async for row in database.cursor(TWICE, prefetch=BATCH):
            yield f"{owner}: {row['causation_id']} caused {row['type']} of {row['subject']} {row['count']} times"
        async for line in chain(moment, owner):
            yield f"{owner}: {line}"


async def chain(moment: Snapshot, owner: str) -> AsyncIterator[str]:
    """Check that the chain has every event unchanged, and that every body is the original or was erased."""
    database = moment.databases[owner]
    moment.checked["links"] += await database.fetchval("SELECT count(*) FROM event_chain")
    for row in await database.fetch(UNGUARDED):
        yield f"the triggers that keep {row['t']} as it is are off"
    async for row in database.cursor(ERASED, prefetch=BATCH):
        moment.checked["erased"] += 1
        if line := not_erased(row):
            yield line
    async for row in database.cursor(BROKEN, prefetch=BATCH):
        if row["id"] is None:
            yield f"the event at position {row['position']} is gone from the log"
        elif row["lacking"]:
            yield f"the chain of the log lacks {row['lacking']} link(s) before {row['link']}"
        else:
            yield f"event {row['id']} is not what was chained, or the link before it is not"
    async for row in database.cursor(LOOSE, prefetch=BATCH):
        yield f"event {row['id']} is in no chain"
    async for row in database.cursor(REWRITTEN, prefetch=BATCH):
        yield f"the body of event {row['id']} is not what was said"


def not_erased(row: asyncpg.Record) -> str | None:
    """Return why the receipt of an erasure is wrong; None if it is right.

    The event may be missing, its body not the erased one or unreadable, or nothing in the body may be blanked.
    """
    if row["id"] is None:
        return f"a body was erased at position {row['erased']}, where the log has no event"
    if not row["stands"]:
        return f"the body of event {row['id']} has a receipt of another erasure, or of none"
    recorded = decoded(row)
    if recorded is None or not is_erased(recorded[1]):
        return f"the body of event {row['id']} was replaced, and nothing about a person is blanked in it"
    return None
