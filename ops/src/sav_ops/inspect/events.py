"""`sav events`: the events in the services' logs, and what each one caused."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from rich.text import Text

from sav_chassis.envelope import Envelope
from sav_chassis.settings import Settings
from sav_ops import record_names, rooms
from sav_ops.databases import database
from sav_ops.home import OpsError
from sav_ops.parked.skip import SKIPPED, describe_skip
from sav_ops.parked.task_list import of_event
from sav_ops.rooms import chosen_services
from sav_ops.statements import CAUSED, DONE, EVENT, EVENTS_LIKE, PARKED
from sav_ops.terminal.console import out
from sav_ops.terminal.tables import listing
from sav_ops.terminal.text import printable, span

AGO = re.compile(r"(\d+)\s*(s|min|h|d)")
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


class EventFilter(NamedTuple):
    """Which events to list.

    `type` and `conversation` are the beginnings of a type's name and of a correlation id; `record` is the beginning of
    a record's id, or its reference; `since` is the earliest time, `limit` the number of events.
    """

    service: str | None = None
    type: str | None = None
    record: str | None = None
    conversation: str | None = None
    since: str | None = None
    limit: int = 50


def list_them(settings: Settings, wanted: EventFilter) -> None:
    """Print the last events that match, newest last."""
    found = asyncio.run(find(settings, wanted))
    if not found:
        out.print("No event matches.")
        return
    called = asyncio.run(record_names.names(settings, {event.subject for event in found}))
    out.print(table(found, called), soft_wrap=True)
    out.print("\n[dim]More about one: ./sav events show ID[/]")


async def find(settings: Settings, wanted: EventFilter) -> list[Envelope]:
    """Return the last events that match, of all logs together, newest last."""
    type_name = wanted.type.lower().replace("_", r"\_") if wanted.type else None
    called = await record_names.called(settings, wanted.record) if wanted.record else None
    record, conversation = between(None if called else wanted.record), between(wanted.conversation)
    since = when(wanted.since) if wanted.since else None
    found: list[Envelope] = []
    for owner in chosen_services(wanted.service):
        async for log in logs(settings, [owner]):
            rows = await log.fetch(
                EVENTS_LIKE, type_name, *record, called or None, *conversation, since, wanted.limit
            )
            found += [Envelope.model_validate(dict(row)) for row in rows]
    return sorted(found, key=lambda event: (event.at, event.id))[-wanted.limit :]


async def logs(settings: Settings, owners: Sequence[str]) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Yield a connection to each service's database, without those that were not migrated yet."""
    for owner in owners:
        try:
            async with database(settings, owner) as log:
                if await log.fetchval("SELECT to_regclass('event_log') IS NOT NULL"):
                    yield log
        except asyncpg.InvalidCatalogNameError:
            continue


def between(beginning: str | None) -> tuple[UUID | None, UUID | None]:
    """Return the lowest and the highest id with this beginning."""
    if beginning is None:
        return None, None
    digits = beginning.lower().replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        raise OpsError(f"{beginning} is not the beginning of an id, nor the reference of a record.")
    return UUID(f"{digits:0<32}"), UUID(f"{digits:f<32}")


def when(since: str) -> datetime:
    """Read a time (local if it has no zone), or how long ago: 90s, 10min, 2h, 3d."""
    if ago := AGO.fullmatch(since.strip()):
        return datetime.now(UTC) - timedelta(seconds=int(ago[1]) * SECONDS[ago[2]])
    try:
        return datetime.fromisoformat(since).astimezone()
    except ValueError:
        raise OpsError(f"{since} is no time: write 10min, 2h, 3d, or 2026-03-02T09:00.") from None


def table(found: Sequence[Envelope], called: Mapping[UUID, str]) -> Text:
    """Return rows of events; a record is shown by its reference or its whole id: ids of one second begin alike."""
    rows = [
        (
            f"{event.at.astimezone():%m-%d %H:%M:%S.%f}"[:-3],
            printable(event.type.removesuffix(".v1")),
            printable(f"{event.kind} {called.get(event.subject, event.subject)}"),
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
    """Print everything about one event: its content, its cause, the reactions to it, the events it caused."""
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
    """Return the event whose id has this beginning; OpsError if there is none, or several."""
    first, last = between(id)
    found = [
        Envelope.model_validate(dict(row))
        async for log in logs(settings, rooms.SERVICES)
        for row in await log.fetch(EVENT, first, last)
    ]
    if not found:
        raise OpsError(f"No event has an id like {id}: ./sav events")
    if len(found) > 1:
        raise OpsError(
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
        for row in await log.fetch(EVENT, event.causation_id, event.causation_id):
            yield f"  {line(Envelope.model_validate(dict(row)))}"
            return
    yield f"  a command, {event.causation_id}"


async def reactions(settings: Settings, event: Envelope) -> AsyncIterator[str]:
    """Yield every reaction to the event, with its outcome, or why it has not done the event yet."""
    for service in rooms.SERVICES:
        names = rooms.reactions(service, event.type, event.at)
        if not names:
            continue
        async for own in logs(settings, [service]):
            done = {row["handler"]: row for row in await own.fetch(DONE, [event.id])}
            waits = await own.fetchrow(PARKED, [event.id])
        for name in names:
            yield f"  {service} {name}: {outcome(event, done.get(name), waits)}"


def outcome(event: Envelope, done: asyncpg.Record | None, waits: asyncpg.Record | None) -> str:
    if done and (done["outcome"] or "").startswith(SKIPPED):
        return describe_skip(done["outcome"], done["at"])
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
