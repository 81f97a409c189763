"""What `./sav verify` takes of memory and time with a log of 1,000,000 events; no measure of `./sav bench`: it takes long.

SAV_DATABASE_URL=postgresql://… python benchmarks/verify_million.py [EVENTS]

Some thousand réclamations are written by the code, the others are copies of them under other names, made by the server;
their rows are there, and every link of the chain. Read sides and inboxes are empty, so that each event is missing in them,
which is the most that there can be to find.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from news import database, logged, prepared, stories

from sav_chassis.settings import Settings
from sav_ops.rooms import ROOMS
from sav_ops.terminal.progress_bar import Tell
from sav_ops.verify.verification import contradictions, summary

ORIGINALS = 6_000
COPY = """
INSERT INTO event_log (id, type, at, kind, subject, sequence, correlation_id, causation_id, actor_id, actor_role,
    traceparent, body, persons)
SELECT gen_random_uuid(), type, at, kind, other, sequence, correlation_id, causation_id, actor_id, actor_role,
    traceparent, replace(replace(body, subject::text, other::text), 'REC-2026-', 'REC-' || $1 || '-'), persons
FROM (SELECT *, md5(subject::text || $1::text)::uuid AS other FROM event_log WHERE position <= $2 ORDER BY position) o"""
ROWS = """
INSERT INTO reclamation SELECT r.* FROM event_log l, json_populate_record(NULL::reclamation,
    (l.body::jsonb -> 'state' || jsonb_build_object('safety_answers', l.body::jsonb #> '{state,safety}'))::json) r
WHERE l.sequence = 6"""
CHAIN = "SELECT chain_events(array_agg(position)) FROM event_log WHERE position BETWEEN $1 AND $1 + 9999"


async def make(settings: Settings, events: int) -> Settings:
    settings = await prepared(settings, *ROOMS)
    await logged(settings, "claims", stories(ORIGINALS), unpublished=False)
    async with database(settings, "claims") as connection:
        await connection.execute("SET session_replication_role = replica; TRUNCATE reclamation CASCADE")
        for number in range(1, events // ORIGINALS):
            await connection.execute(COPY, str(number), ORIGINALS)
        await connection.execute(ROWS)
        for first in range(1, events + 1, 10_000):
            await connection.execute(CHAIN, first)
        await connection.execute("ANALYZE")
    return settings


@contextmanager
def said(name: str) -> Iterator[Tell]:
    began = time.monotonic()
    yield lambda done, total: None
    took, memory = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<16} {took:6.1f} s, {memory:.0f} MB so far", flush=True)


async def main(events: int) -> None:
    settings = await make(Settings(database_prefix="bench_news"), events)
    print(f"before: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", flush=True)
    began = time.monotonic()
    found = await contradictions(settings, said)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{summary(found.checked)}: {len(found.contradictions)} lines, {time.monotonic() - began:.0f} s, {memory:.0f} MB"
    )
    print(
        *found.contradictions[:3],
        *(line for line in found.contradictions if line.endswith(" more")),
        sep="\n",
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
