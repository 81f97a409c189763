"""Compares read sides (copies of records, timelines, facts) with the same tables rebuilt from the logs."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from sav_chassis.envelope import Envelope
from sav_chassis.views import RecordedEvent
from sav_edge import completeness
from sav_ops.replay import shadow_tables
from sav_ops.replay.rebuild import ReadSide, read_side, read_sides
from sav_ops.verify.moment import BATCH, Snapshot, decoded

# A projection names its tables without a schema: in this session that means the temporary one, which ends with the
# transaction.
MADE = """
CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING DEFAULTS) ON COMMIT DROP;
ALTER TABLE pg_temp.{table} ADD PRIMARY KEY ({key})"""
DIFFERENT = """
SELECT {key}, live.{first} IS NULL AS missing, made.{first} IS NULL AS invented, {version}, (
    SELECT string_agg(key, ', ' ORDER BY key) FROM jsonb_each(to_jsonb(live)) l FULL JOIN jsonb_each(to_jsonb(made)) m USING (key)
    WHERE l.value IS DISTINCT FROM m.value) AS columns
FROM public.{table} live FULL JOIN pg_temp.{table} made USING ({key})
WHERE (live.*)::text IS DISTINCT FROM (made.*)::text ORDER BY {key}"""
READ = """
SELECT *, NOT EXISTS (SELECT FROM event_log n WHERE n.subject = l.subject AND n.sequence > l.sequence) AS is_newest
FROM event_log l ORDER BY position"""
WHAT = {"view": "copies", "timeline": "lines of timelines"}


async def read_side_tables(moment: Snapshot) -> AsyncIterator[str]:
    """Compare every row of every read side, in every column."""
    sides = {room: read_side(room) for room in read_sides()}
    keys = {room: await made(moment.databases[room], side) for room, side in sides.items()}
    async for line in replay_into(moment, sides):
        yield line
    for room, tables in keys.items():
        for table, key in tables.items():
            count = await moment.databases[room].fetchval(f"SELECT count(*) FROM public.{table}")
            moment.checked[WHAT.get(table, "facts")] += count
            async for line in different(room, moment.databases[room], table, key):
                yield line


async def made(database: "asyncpg.Connection[Any]", side: ReadSide) -> dict[str, list[str]]:
    """Create empty temporary tables like the live ones; return the key columns of each."""
    keys: dict[str, list[str]] = {}
    for table in side.tables:
        keys[table] = [row[0] for row in await database.fetch(shadow_tables.KEY, table)]
        await database.execute(MADE.format(table=table, key=", ".join(keys[table])))
    if side.begun:
        await side.begun(database)
    return keys


async def replay_into(moment: Snapshot, sides: dict[str, ReadSide]) -> AsyncIterator[str]:
    """Apply every event of every log to every read side that uses it; name those that cannot be read."""
    uses = {room: Uses(moment, room, side) for room, side in sides.items()}
    with moment.show("read sides") as tell:
        done, total = 0, moment.checked["events"]
        for owner in moment.services:
            cursor = await moment.databases[owner].cursor(READ)
            while rows := await cursor.fetch(BATCH):
                newest = {row["id"] for row in rows if row["is_newest"]}
                events: list[RecordedEvent] = []
                for row in rows:
                    if one := decoded(row):
                        events.append(one)
                    else:
                        yield f"{owner}: event {row['id']} cannot be read ({row['type']})"
                for room, side in sides.items():
                    if heard := [one for one in events if uses[room].has(one[0], one[0].id in newest)]:
                        await side.apply(moment.databases[room], heard)
                done += len(rows)
                tell(done, total)


class Uses:
    """Which events a read side needs: copies only the newest of a record, timelines and facts all."""

    def __init__(self, moment: Snapshot, room: str, side: ReadSide) -> None:
        self._types = side.types and frozenset(side.types)
        service = moment.services.get(room)
        projections = service.projections if service else []
        self._each = {event.type_name() for projected in projections for event in projected.events}
        self._all = service is None

    def has(self, envelope: Envelope, is_newest: bool) -> bool:
        if self._types is not None and envelope.type not in self._types:
            return False
        return is_newest or self._all or envelope.type in self._each


async def different(
    room: str, database: "asyncpg.Connection[Any]", table: str, key: list[str]
) -> AsyncIterator[str]:
    versions = "live.version AS is, made.version AS should" if table == "view" else "NULL AS is"
    query = DIFFERENT.format(table=table, key=", ".join(key), first=key[0], version=versions)
    async for row in database.cursor(query, prefetch=BATCH):
        yield f"{room}: {named(table, row)}"


def named(table: str, row: asyncpg.Record) -> str:
    if table == "view":
        copy = f"its copy of {row['kind']} {row['id']}"
        if row["kind"] == completeness.KIND:
            return "what it reads from does not hold everything: ./sav replay rebuild edge"
        if row["missing"]:
            return f"{copy} is missing, the owner's log is at version {row['should']}"
        if row["invented"]:
            return f"{copy} is of no event"
        if row["is"] != row["should"]:
            return f"{copy} is at version {row['is']}, the owner's log at {row['should']}"
        return f"{copy} is not as the owner's log has it: {row['columns'] or 'doc'}"
    if table == "timeline":
        line = f"the timeline of {row['root']}"
        if row["missing"]:
            return f"{line} lacks event {row['event_id']}"
        if row["invented"]:
            return f"{line} has {row['event_id']}, which no log has"
        return f"{line} tells event {row['event_id']} otherwise than the log: {row['columns'] or 'doc'}"
    if row["missing"]:
        return f"{table} {row['id']} is missing"
    if row["invented"]:
        return f"{table} {row['id']} is of no event"
    return f"{table} {row['id']} is not what the events make of it: {row['columns'] or 'its form'}"
