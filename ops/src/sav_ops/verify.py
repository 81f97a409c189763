"""`sav verify`: whether logs, inboxes, rows and read models of the whole system tell the same story."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from sav_chassis import projector, topology
from sav_chassis.envelope import Envelope
from sav_chassis.model import Aggregate
from sav_chassis.projector import Told
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_ops import queues, rooms

Pools = dict[str, "asyncpg.Connection[Any]"]
Logs = dict[str, list[Told]]
# A record's row in a read side, by kind and id.
Rows = dict[tuple[str, UUID], tuple[Any, ...]]

LOG = "SELECT * FROM event_log ORDER BY position"
DONE = "SELECT handler, event_id FROM handled ORDER BY at"
# What SAV does by itself, by timers and effects, names what led there as its cause, and may happen again and again.
TWICE = """
SELECT causation_id, type, subject, count(*) FROM event_log
WHERE causation_id IS NOT NULL AND actor_role <> 'system'
GROUP BY causation_id, type, subject HAVING count(*) > 1"""
# Records that an effect has still to do something about.
OWED = {
    "deliver": ("notifier", "SELECT id FROM notification WHERE status IN ('queued', 'failed')"),
    "print_invoice": (
        "interventions",
        "SELECT id FROM invoice WHERE number IS NOT NULL AND document IS NULL",
    ),
}


async def verify(settings: Settings, patience: float) -> list[str]:
    """Every contradiction in words; waits up to `patience` seconds for what is under way to settle."""
    async with opened(settings) as databases:
        unsettled = await settled(settings, databases, patience)
        if found := await contradictions(databases):
            # Databases are read one after another: what changed in between does not contradict itself for long.
            await asyncio.sleep(0.2)
            still = set(await contradictions(databases))
            found = [line for line in found if line in still]
    return unsettled + found


async def contradictions(databases: Pools) -> list[str]:
    """What does not fit together as it is read now."""
    services = {name: rooms.load(name).load() for name in rooms.SERVICES}
    logs = {name: await log(databases[name]) for name in services}
    found: list[str] = []
    for name, service in services.items():
        found += await versions(service, databases[name])
        found += await inbox(service, databases[name], logs)
    wanted = newest(logs)
    found += await views("edge", databases["edge"], wanted)
    for name, service in services.items():
        kinds = {view.kind() for view in service.mirrored}
        copied = {key: row for key, row in wanted.items() if key[0] in kinds}
        found += await views(name, databases[name], copied)
    found += [line async for line in forgotten(databases)]
    return found + await timeline(databases["edge"], [one for log in logs.values() for one in log])


async def log(database: "asyncpg.Connection[Any]") -> list[Told]:
    """Every event that this service ever told, in the order of its log."""
    envelopes = [envelope(row) for row in await database.fetch(LOG)]
    return [(one, one.event()) for one in envelopes]


def newest(logs: Logs) -> Rows:
    """Each record as a read side should hold it: as its owner's log ends with."""
    last: dict[tuple[str, UUID], Told] = {}  # a person's account, profile and card have one id
    for envelope, event in (one for log in logs.values() for one in log):
        key = envelope.kind, envelope.subject
        if key not in last or last[key][0].sequence < envelope.sequence:
            last[key] = envelope, event
    return {key: projector.row(event.state) for key, (_, event) in last.items()}


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Pools]:
    """A connection to the database of every room."""
    async with AsyncExitStack() as stack:
        databases: Pools = {}
        for room in rooms.ROOMS:
            databases[room] = await asyncpg.connect(settings.database(room), timeout=5)
            stack.push_async_callback(databases[room].close)
        yield databases


def envelope(row: asyncpg.Record) -> Envelope:
    return Envelope.model_validate(dict(row))


async def settled(settings: Settings, databases: Pools, patience: float) -> list[str]:
    """What is still to be published, delivered or released when patience ends."""
    until = time.monotonic() + patience
    while True:
        waiting = [reason async for reason in under_way(settings, databases)]
        if not waiting or time.monotonic() > until:
            return waiting
        await asyncio.sleep(0.2)


async def under_way(settings: Settings, databases: Pools) -> AsyncIterator[str]:
    for room in rooms.SERVICES:
        unpublished = await databases[room].fetchval("SELECT count(*) FROM outbox")
        if unpublished:
            yield f"{room}: {unpublished} event(s) to publish"
        for row in await databases[room].fetch(
            "SELECT state, count(*) FROM task WHERE use = 'parked' GROUP BY state ORDER BY state"
        ):
            yield f"{room}: {row['count']} event(s) parked, {row['state']}"
        for row in await databases[room].fetch(
            "SELECT use, count(*) FROM task WHERE use <> 'parked' AND state = 'dead' GROUP BY use ORDER BY use"
        ):
            yield f"{room}: {row['count']} {row['use']}(s) dead"
        # What was tried in vain, such as a mail while its server is away, may take any time: between its tries it is
        # not waited for. A run that was cut off is due as it was, until its lease ends and another one takes it up.
        running = await databases[room].fetchval(
            "SELECT count(*) FROM task WHERE use <> 'parked' AND state = 'waiting' AND due <= now()"
        )
        if running:
            yield f"{room}: {running} timer(s) or effect(s) to do now"
    depths = await queues.depths(settings.broker_url, [*topology.wanted(), topology.DEAD])
    for name, depth in depths.items():
        if depth.messages:
            yield f"queue {name}: {depth.messages} message(s)"


async def versions(service: Service, database: "asyncpg.Connection[Any]") -> list[str]:
    """Sequences without a gap, and rows at the version their log ends with."""
    found = [
        f"{service.name}: the log of {row['kind']} {row['subject']} has {row['events']} events, its last is {row['last']}"
        for row in await database.fetch(
            """SELECT kind, subject, count(*) AS events, max(sequence) AS last FROM event_log
            GROUP BY kind, subject HAVING count(*) <> max(sequence)"""
        )
    ]
    last = {
        row["subject"]: row["last"]
        for row in await database.fetch(
            "SELECT subject, max(sequence) AS last FROM event_log GROUP BY subject"
        )
    }
    rows: dict[Any, int] = {}
    for table in tables(service):
        rows |= {
            row["id"]: row["version"] for row in await database.fetch(f'SELECT id, version FROM "{table}"')
        }
    differing = {id for id in rows.keys() | last.keys() if rows.get(id) != last.get(id)}
    return found + [
        f"{service.name}: {id} is at version {rows.get(id)}, its log at {last.get(id)}"
        for id in sorted(differing)
    ]


def tables(service: Service) -> Iterator[str]:
    """The aggregates' tables of a service."""
    for model in Aggregate.__subclasses__():
        if model.__module__.startswith(f"sav_{service.name}."):
            yield model.__tablename__


async def inbox(service: Service, database: "asyncpg.Connection[Any]", logs: Logs) -> list[str]:
    """Every reaction has done every event it listens to, in order, and nothing else; what it caused happened once."""
    done = [(row["handler"], row["event_id"]) for row in await database.fetch(DONE)]
    due = {
        (reaction.__name__, event.id): event
        for event_type, reactions in service.reactions.items()
        for event, _ in logs[event_type.owner]
        if event.type == event_type.type_name()
        for reaction in reactions
    }
    found = [
        f"{service.name}: {handler} has not done event {id}" for handler, id in sorted(due.keys() - set(done))
    ]
    last: dict[tuple[str, Any], int] = {}
    for handler, id in done:
        event = due.get((handler, id))
        if event is None:
            found.append(f"{service.name}: {handler} has done {id}, which no log has")
            continue
        if last.get((handler, event.subject), 0) > event.sequence:
            found.append(f"{service.name}: {handler} has done {event.kind} {event.subject} out of order")
        last[handler, event.subject] = event.sequence
    return found + [
        f"{service.name}: {row['causation_id']} caused {row['type']} of {row['subject']} {row['count']} times"
        for row in await database.fetch(TWICE)
    ]


async def forgotten(databases: Pools) -> AsyncIterator[str]:
    """What was promised for after a commit, a message or a document, and nobody is about to do."""
    for effect, (room, records) in OWED.items():
        for row in await databases[room].fetch(
            f"""SELECT id FROM ({records}) AS owed
            WHERE NOT EXISTS (SELECT FROM task WHERE use = 'effect' AND key = '{effect} ' || owed.id)"""
        ):
            yield f"{room}: no {effect} waits for {row['id']}"


async def views(room: str, database: "asyncpg.Connection[Any]", wanted: Rows) -> list[str]:
    """A room's copies of records are these, in every column."""
    columns = ", ".join(name for name, _ in projector.COLUMNS)
    held = {
        (line["kind"], line["id"]): tuple(line)
        for line in await database.fetch(f"SELECT {columns} FROM view")
    }
    differing = [key for key in wanted.keys() | held.keys() if wanted.get(key) != held.get(key)]
    return [
        f"{room}: its copy of {kind} {id} is at version {version(held.get((kind, id)))} and not "
        f"as the owner's log has it, at {version(wanted.get((kind, id)))}"
        for kind, id in sorted(differing, key=str)
    ]


def version(line: tuple[Any, ...] | None) -> Any:
    return line[2] if line else None


async def timeline(edge: "asyncpg.Connection[Any]", told: list[Told]) -> list[str]:
    """One row for each event that tells and related root, no more."""
    due = {(root, envelope.id) for envelope, event in told if event.tells for root in event.state.roots()}
    rows = await edge.fetch("SELECT root, event_id FROM timeline")
    held = {(row["root"], row["event_id"]) for row in rows}
    return [f"edge: the timeline of {root} lacks event {id}" for root, id in sorted(due - held)] + [
        f"edge: the timeline of {root} has {id}, which no log has" for root, id in sorted(held - due)
    ]
