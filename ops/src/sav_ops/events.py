"""`sav events`: what the owners' logs tell, and what each event led to."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from rich.text import Text

from sav_chassis.envelope import Envelope
from sav_chassis.settings import Settings
from sav_ops import rooms
from sav_ops.home import Problem
from sav_ops.parked import SHORTEST, database, of_event, span, those
from sav_ops.status import listing, printable
from sav_ops.steps import out

FOUND = """
SELECT * FROM event_log
WHERE ($1::text IS NULL OR lower(type) LIKE $1 || '%' OR lower(split_part(type, '.', 2)) LIKE $1 || '%')
    AND ($2::uuid IS NULL OR subject BETWEEN $2 AND $3)
    AND ($4::uuid IS NULL OR correlation_id BETWEEN $4 AND $5)
    AND ($6::timestamptz IS NULL OR at >= $6)
ORDER BY position DESC LIMIT $7"""
BY_ID = "SELECT * FROM event_log WHERE id BETWEEN $1 AND $2 LIMIT 2"
CAUSED = "SELECT * FROM event_log WHERE causation_id = $1 ORDER BY position"
DONE = "SELECT handler, outcome, at FROM handled WHERE event_id = $1"
WAITING = "SELECT state, attempts FROM task WHERE use = 'parked' AND key = $1::uuid::text"
AGO = re.compile(r"(\d+)\s*(s|min|h|d)")
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


class Wanted(NamedTuple):
    """Which events: the beginning of a type's name, of a record's or conversation's id; not before a time."""

    service: str | None = None
    type: str | None = None
    record: str | None = None
    conversation: str | None = None
    since: str | None = None
    limit: int = 50


def list_them(settings: Settings, wanted: Wanted) -> None:
    """Print the last events that are wanted, newest last."""
    found = asyncio.run(find(settings, wanted))
    if not found:
        out.print("No event matches.")
        return
    out.print(table(found), soft_wrap=True)
    out.print("\n[dim]More about one: ./sav events show ID[/]")


async def find(settings: Settings, wanted: Wanted) -> list[Envelope]:
    """The last so many of all logs together, newest last."""
    type_name = wanted.type.lower().replace("_", r"\_") if wanted.type else None
    record, conversation = between(wanted.record), between(wanted.conversation)
    since = when(wanted.since) if wanted.since else None
    found: list[Envelope] = []
    for owner in those(wanted.service):
        async for log in logs(settings, [owner]):
            rows = await log.fetch(FOUND, type_name, *record, *conversation, since, wanted.limit)
            found += [Envelope.model_validate(dict(row)) for row in rows]
    return sorted(found, key=lambda event: (event.at, event.id))[-wanted.limit :]


async def logs(settings: Settings, owners: Sequence[str]) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """One after the other, but for services before their first migration."""
    for owner in owners:
        try:
            async with database(settings, owner) as log:
                if await log.fetchval("SELECT to_regclass('event_log') IS NOT NULL"):
                    yield log
        except asyncpg.InvalidCatalogNameError:
            continue


def between(beginning: str | None) -> tuple[UUID | None, UUID | None]:
    """The first and the last id that begin so."""
    if beginning is None:
        return None, None
    digits = beginning.lower().replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        raise Problem(f"{beginning} is not the beginning of an id.")
    return UUID(f"{digits:0<32}"), UUID(f"{digits:f<32}")


def when(since: str) -> datetime:
    """A time (here, where it names no zone), or one so long ago: 90s, 10min, 2h, 3d."""
    if ago := AGO.fullmatch(since.strip()):
        return datetime.now(UTC) - timedelta(seconds=int(ago[1]) * SECONDS[ago[2]])
    try:
        return datetime.fromisoformat(since).astimezone()
    except ValueError:
        raise Problem(f"{since} is no time: write 10min, 2h, 3d, or 2026-03-02T09:00.") from None


def table(found: Sequence[Envelope]) -> Text:
    rows = [
        (
            f"{event.at.astimezone():%m-%d %H:%M:%S.%f}"[:-3],
            printable(event.type.removesuffix(".v1")),
            f"{event.kind} {str(event.subject)[:SHORTEST]}",
            str(event.sequence),
            event.actor_role.value,
            str(event.correlation_id),
            str(event.id),
        )
        for event in found
    ]
    header = ("at", "type", "record", "version", "by", "conversation", "id")
    return listing(header, rows, [""] * len(rows))


def show(settings: Settings, id: str) -> None:
    """Print everything about one event: what it says, what caused it, who reacted how, what that led to."""
    for line in asyncio.run(_show(settings, id)):
        out.print(printable(line), markup=False, soft_wrap=True)


async def _show(settings: Settings, id: str) -> list[str]:
    event = await one(settings, id)
    return [
        *about(event),
        *of_event(event.model_dump_json()),
        *("", "Cause:", *[line async for line in cause(settings, event)]),
        *("", "Reactions:", *([line async for line in reactions(settings, event)] or ["  nobody reacts"])),
        *("", "Caused:", *([line async for line in caused(settings, event)] or ["  no event"])),
        *("", f"The whole conversation: ./sav events list --conversation {event.correlation_id}"),
        f"What was logged on the way: ./sav logs --request {event.correlation_id}",
    ]


async def one(settings: Settings, id: str) -> Envelope:
    """The event whose id begins so."""
    first, last = between(id)
    found = [
        Envelope.model_validate(dict(row))
        async for log in logs(settings, rooms.SERVICES)
        for row in await log.fetch(BY_ID, first, last)
    ]
    if not found:
        raise Problem(f"No event has an id like {id}: ./sav events")
    if len(found) > 1:
        raise Problem(
            "\n".join([f"{id} is ambiguous; write more of it:", *(f"  {line(each)}" for each in found)])
        )
    return found[0]


def line(event: Envelope) -> str:
    return f"{event.type.removesuffix('.v1')} {event.id} of {event.kind} {event.subject}"


def about(event: Envelope) -> Iterator[str]:
    yield f"{event.type.removesuffix('.v1')}, {span(datetime.now(UTC) - event.at)} ago"
    yield f"  record  {event.kind} {event.subject}, version {event.sequence}"


async def cause(settings: Settings, event: Envelope) -> AsyncIterator[str]:
    if event.causation_id is None:
        yield "  SAV itself"
        return
    async for log in logs(settings, rooms.SERVICES):
        for row in await log.fetch(BY_ID, event.causation_id, event.causation_id):
            yield f"  {line(Envelope.model_validate(dict(row)))}"
            return
    yield f"  a command, {event.causation_id}"


async def reactions(settings: Settings, event: Envelope) -> AsyncIterator[str]:
    """Every reaction that there is, with what it made of the event, or why it has not done it yet."""
    for service in (rooms.load(name).load() for name in rooms.SERVICES):
        names = [
            reaction.__name__
            for heard, chosen in service.reactions.items()
            if heard.type_name() == event.type
            for reaction in chosen
        ]
        if not names:
            continue
        async for own in logs(settings, [service.name]):
            done = {row["handler"]: row for row in await own.fetch(DONE, event.id)}
            waits = await own.fetchrow(WAITING, event.id)
        for name in names:
            yield f"  {service.name} {name}: {outcome(event, done.get(name), waits)}"


def outcome(event: Envelope, done: asyncpg.Record | None, waits: asyncpg.Record | None) -> str:
    if done:
        after = (done["at"] - event.at).total_seconds() * 1000
        return f"{done['outcome'] or 'done'}, after {after:,.0f} ms"
    if waits:
        return f"parked, {waits['state']}, {waits['attempts']} tries: ./sav parked show {event.id}"
    return "not yet: in the outbox, in the queue, or missed (./sav replay heal)"


async def caused(settings: Settings, event: Envelope) -> AsyncIterator[str]:
    async for log in logs(settings, rooms.SERVICES):
        for row in await log.fetch(CAUSED, event.id):
            yield f"  {line(Envelope.model_validate(dict(row)))}"
