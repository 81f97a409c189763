"""Compares what reactions have done with the events in the logs."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

from sav_chassis.service import Service
from sav_contracts.messages import Event
from sav_ops.parked.skip import SKIPPED
from sav_ops.verify.moment import BATCH, Snapshot

EVER = datetime.min.replace(tzinfo=UTC)
# A name with a space is that of a skipped timer or effect, which has no event.
OF_EVENTS = "handler NOT LIKE '% %'"
HEARD = """
CREATE TEMP TABLE heard (id uuid PRIMARY KEY, type text, kind text, subject uuid, sequence bigint, at timestamptz)
ON COMMIT DROP"""
COLUMNS = ("id", "type", "kind", "subject", "sequence", "at")
EVENTS = f"SELECT {', '.join(COLUMNS)} FROM event_log WHERE type = ANY($1)"
DUE = """(SELECT * FROM heard
    JOIN unnest($1::text[], $2::text[], $3::timestamptz[]) AS listens (handler, type, since) USING (type)) due"""
UNDONE = f"""
SELECT due.handler, due.id FROM {DUE}
WHERE due.since IS NOT NULL AND due.at >= due.since
    AND NOT EXISTS (SELECT FROM handled h WHERE h.handler = due.handler AND h.event_id = due.id) ORDER BY 1, 2"""
INVENTED = f"""
SELECT h.handler, h.event_id AS id FROM handled h
WHERE {OF_EVENTS} AND NOT EXISTS (SELECT FROM {DUE} WHERE due.handler = h.handler AND due.id = h.event_id) ORDER BY 1, 2"""
# Not counted: skips, whose time says nothing about the order, and events of before a restore that were done after it.
DISORDER = f"""
SELECT handler, kind, subject, sequence, at, later FROM (
    SELECT h.handler, due.kind, due.subject, due.sequence, h.at,
        lag(due.sequence) OVER (PARTITION BY h.handler, due.subject ORDER BY h.position) AS later
    FROM handled h JOIN {DUE} ON due.handler = h.handler AND due.id = h.event_id
    WHERE h.outcome IS NULL OR h.outcome NOT LIKE '{SKIPPED}%') done
WHERE sequence < later AND NOT EXISTS (
    SELECT FROM restored r WHERE done.sequence <= r.floor AND done.at > r.at)"""


async def inboxes(moment: Snapshot) -> AsyncIterator[str]:
    """Check that every reaction has done every event it is bound to, in order, and nothing else."""
    with moment.show("reactions") as tell:
        for number, service in enumerate(moment.services.values()):
            async for line in inbox(moment, service):
                yield line
            tell(number + 1, len(moment.services))


async def inbox(moment: Snapshot, service: Service) -> AsyncIterator[str]:
    own = moment.databases[service.name]
    await own.execute(HEARD)
    listens = list(listening(service))
    types = {event.type_name(): event.owner for _, event, _ in listens}
    for owner in sorted(set(types.values())):
        cursor = await moment.databases[owner].cursor(
            EVENTS, [type for type in types if types[type] == owner]
        )
        while rows := await cursor.fetch(BATCH * 10):
            await own.copy_records_to_table("heard", records=[tuple(row) for row in rows], columns=COLUMNS)
    await own.execute("ANALYZE heard")
    names, since = [name for name, _, _ in listens], [since for _, _, since in listens]
    due = names, [event.type_name() for _, event, _ in listens], since
    moment.checked["reactions"] += await own.fetchval(f"SELECT count(*) FROM handled WHERE {OF_EVENTS}")
    async for row in own.cursor(UNDONE, *due, prefetch=BATCH):
        yield f"{service.name}: {row['handler']} has not done event {row['id']}"
    async for row in own.cursor(INVENTED, *due, prefetch=BATCH):
        yield f"{service.name}: {row['handler']} has done {row['id']}, which no log has"
    async for row in own.cursor(DISORDER, *due, prefetch=BATCH):
        done = f"{row['kind']} {row['subject']} out of order: {row['sequence']} after {row['later']}"
        yield f"{service.name}: {row['handler']} has done {done}, at {row['at'].isoformat()}"


def listening(service: Service) -> Iterator[tuple[str, type[Event], datetime | None]]:
    """Yield each reaction's name and event, and since when it must have done them: None for a retired one."""
    for event, chosen in service.reactions.items():
        yield from ((one.name, event, one.since or EVER) for one in chosen)
    for name, events in service.retired.items():
        yield from ((name, event, None) for event in events)
