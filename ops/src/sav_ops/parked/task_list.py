"""`sav parked`: lists and shows failed tasks of the services, and what waits behind them."""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from rich.text import Text

from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.settings import Settings
from sav_ops import record_names, rooms
from sav_ops.databases import database
from sav_ops.home import OpsError
from sav_ops.rooms import chosen_services
from sav_ops.statements import DONE, TASK, TASKS
from sav_ops.terminal.console import out
from sav_ops.terminal.tables import listing
from sav_ops.terminal.text import beginnings, pretty, printable, span

COLOURS = {"dead": "red", "failed": "yellow", "held back": "dim", "scheduled": "dim"}


class Id(NamedTuple):
    """The identity of a task: its service, use and key."""

    service: str
    use: str
    key: str


class Task(NamedTuple):
    """A row of a service's tasks: a parked event, a timer or an effect."""

    id: Id
    lane: UUID
    attempts: int
    state: str
    error: str | None
    due: timedelta
    waited: timedelta
    in_hand: bool
    # The type of a parked event, and when it happened.
    type: str | None
    at: datetime | None
    kind: str | None
    is_behind: bool
    # The correlation id.
    conversation: str | None
    # Of the first parked event of a record: the reaction that failed.
    reaction: str | None = None
    # The record's name for people, if it has one: REC-2026-000123.
    reference: str | None = None

    @property
    def key(self) -> str:
        """The key as one word: of an event its id, of a timer or effect `function:record id`."""
        return self.id.key.replace(" ", ":")

    @property
    def name(self) -> str:
        """The key without the function."""
        return self.key.partition(":")[2] or self.key

    @property
    def what(self) -> str:
        """The event's type, or the function of a timer or an effect."""
        return re.sub(r"\.v1$", "", self.type or self.key.partition(":")[0])

    @property
    def failures(self) -> int:
        """The number of failed attempts, without one that is running now."""
        return max(self.attempts - self.in_hand, 0)

    @property
    def standing(self) -> str:
        if self.state == "dead":
            return "dead"
        if self.is_behind:
            return "held back"
        return "failed" if self.failures or self.id.use == "parked" else "scheduled"

    @property
    def handler(self) -> str:
        """What failed: the reaction, or the function of a timer or an effect."""
        return self.reaction or self.what

    @property
    def record(self) -> str:
        return f"{self.kind or 'record'} {self.reference or self.lane}"

    @property
    def cause(self) -> str:
        """The error's class and message, without its traceback."""
        lines = (self.error or "").strip().splitlines()
        frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
        after = lines[frames[-1] + 1 :] if frames else []
        return printable(next((line for line in after if line[:1].strip()), lines[-1] if lines else ""))

    def __str__(self) -> str:
        return printable(f"{self.id.service}: {self.what} {self.name} of {self.record}")


async def tasks(settings: Settings, services: Sequence[str]) -> list[Task]:
    """Return every task of these services, the oldest of each service first."""
    found: list[Task] = []
    for service in services:
        try:
            async with database(settings, service) as connection:
                rows = [dict(row) for row in await connection.fetch(TASKS)]
                known = [Task(Id(service, row.pop("use"), row.pop("key")), **row) for row in rows]
                found += await with_reactions(connection, service, known)
        except (asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError):
            continue  # the service was not migrated yet: it has no tasks
    called = await record_names.names(settings, {task.lane for task in found})
    return [task._replace(reference=called.get(task.lane)) for task in found]


async def with_reactions(
    connection: "asyncpg.Connection[Any]", service: str, known: Sequence[Task]
) -> list[Task]:
    """Return these tasks; the first parked event of each record names the reaction that failed."""
    first = {
        UUID(task.id.key): (task.type, task.at)
        for task in known
        if task.type and task.at and not task.is_behind  # a timer or an effect has no type
    }
    left = {str(id): names for id, names in (await undone(connection, service, first)).items()}
    return [task._replace(reaction=next(iter(left.get(task.id.key, ())), None)) for task in known]


async def undone(
    own: "asyncpg.Connection[Any]", service: str, events: Mapping[UUID, tuple[str, datetime]]
) -> dict[UUID, list[str]]:
    """Return for each event (id: type and time) the reactions that have not done it, in their order."""
    done = {(row["handler"], row["event_id"]) for row in await own.fetch(DONE, list(events))}
    return {
        id: [name for name in rooms.reactions(service, *event) if (name, id) not in done]
        for id, event in events.items()
    }


def list_them(settings: Settings, service: str | None, dead: bool, everything: bool) -> None:
    """Print what failed and what waits behind it; `dead`: only dead tasks; `everything`: scheduled ones too."""
    known = asyncio.run(tasks(settings, chosen_services(service)))
    listed = [
        task
        for task in known
        if (task.state == "dead" or not dead) and (task.standing != "scheduled" or everything)
    ]
    if not listed:
        out.print("Nothing is dead." if dead else "Nothing waits." if everything else "Nothing is parked.")
        return
    out.print(table(listed, short_keys(known)), soft_wrap=True)
    if any(task.standing != "scheduled" for task in listed):
        out.print(
            "\n[dim]More about one: ./sav parked show KEY. Try again: ./sav parked release KEY.\n"
            "Give up for good: ./sav parked skip KEY --reason …\n"
            "All that failed for one cause: ./sav parked causes[/]",
            soft_wrap=True,
        )


def table(listed: Sequence[Task], keys: dict[Id, str]) -> Text:
    """Return rows for 80 columns; below each row stand what it is, its record and its error."""
    rows = [
        (
            Text(task.standing, COLOURS[task.standing]),
            printable(keys[task.id]),
            str(task.failures),
            span(task.waited),
            next_try(task),
        )
        for task in listed
    ]
    header = ("state", "key", "failed", "since", "next try")
    return listing(header, rows, [note(task) for task in listed])


def note(task: Task) -> str:
    does = f" ({task.reaction})" if task.reaction else ""
    lines = [f"{task.id.service}: {task.what}{does}", task.record]
    if task.cause and task.standing != "held back":
        lines.append(task.cause)
    return printable("\n    ".join(lines))


def next_try(task: Task) -> str:
    if task.state == "dead" or task.is_behind:
        return "–"
    if task.in_hand:
        return "running"
    return f"in {span(task.due)}" if task.due > timedelta() else "now"


def short_keys(known: Iterable[Task]) -> dict[Id, str]:
    """Return the shortest unique beginning of each key; with the function's name only where it is needed."""
    of_name: dict[str, list[Task]] = {}
    for task in known:
        of_name.setdefault(task.name, []).append(task)
    shortest = beginnings(of_name)
    return {
        task.id: (task.key.removesuffix(name) if len({t.key for t in tasks}) > 1 else "") + shortest[name]
        for name, tasks in of_name.items()
        for task in tasks
    }


def resolve(known: Iterable[Task], key: str) -> Task:
    """Return the one task whose key (with or without its function) begins like this, or whose record has this name.

    OpsError if there is none, or several.
    """
    known, key = list(known), key.replace(" ", ":")
    found = (
        [task for task in known if task.key == key]
        or [task for task in known if task.key.startswith(key)]
        or [task for task in known if task.name.startswith(key)]
        or [task for task in known if (task.reference or "").upper() == key.upper()]
    )
    if not found:
        raise OpsError(f"Nothing that waits has a key like {key}: ./sav parked list --all")
    if len(found) > 1:
        cure = (
            "Add --service"
            if len({task.id.service for task in found}) == len(found)
            else "Write more of the key"
        )
        raise OpsError("\n".join([f"{key} is ambiguous. {cure}:", *(f"  {task}" for task in found)]))
    return found[0]


def show(settings: Settings, key: str, service: str | None) -> None:
    """Print everything about one task."""
    asyncio.run(_show(settings, key, chosen_services(service)))


async def _show(settings: Settings, key: str, services: Sequence[str]) -> None:
    known = await tasks(settings, services)
    task = resolve(known, key)
    async with database(settings, task.id.service) as connection:
        row = await connection.fetchrow(TASK, task.id.use, task.id.key)
    if row is None:
        raise OpsError(f"{task} was done just now.")
    message = row["message"]
    lines = [*about(task), *(of_event(message) if task.id.use == "parked" else of_work(message))]
    if task.error:
        lines += ["", "Cause:", *(f"  {line}" for line in task.error.strip().splitlines())]
    lines += [*beside(task, known), *logged(message)]
    for line in lines:
        out.print(printable(line), markup=False, soft_wrap=True)


def about(task: Task) -> Iterator[str]:
    uses = {"parked": "event", "timer": "timer", "effect": "effect"}
    yield f"{task.what} ({uses.get(task.id.use, task.id.use)}), {task.standing}"
    yield f"  service   {task.id.service}"
    yield f"  key       {task.key}"
    yield f"  record    {task.kind or '–'} {task.lane}{f' ({task.reference})' if task.reference else ''}"
    if task.reaction:
        yield f"  reaction  {task.reaction}"
    yield f"  tries     {task.failures} failed"
    yield f"  since     {span(task.waited)}"
    yield f"  next try  {next_try(task)}"


def of_event(message: str) -> Iterator[str]:
    envelope = Envelope.model_validate_json(message)
    yield from ("", "Envelope:")
    for name, value in envelope.model_dump(mode="json", exclude={"body"}).items():
        if value is not None:
            yield f"  {name:<15} {value}"
    try:
        body = envelope.event().model_dump_json()
        yield from ("", "Event:")
    except Undecodable as error:
        body = envelope.body
        yield from ("", f"Event, which today's code cannot read ({error}):")
    yield from pretty(body)


def of_work(message: str) -> Iterator[str]:
    yield from ("", "Message:")
    yield from pretty(message)


def logged(message: str) -> Iterator[str]:
    if request := json.loads(message).get("correlation_id"):
        yield from ("", f"What was logged on the way: ./sav logs --request {request}")


def beside(task: Task, known: Iterable[Task]) -> Iterator[str]:
    """Yield what this event waits behind, and what waits behind it."""
    if task.id.use != "parked":
        return
    lane = parked_of_record(task, known)
    place = lane.index(task)
    if place:
        yield from ("", f"It waits behind {place}, the first of which is:", f"  {lane[0]}")
    if behind := lane[place + 1 :]:
        yield from (
            "",
            f"Behind it wait {len(behind)}:",
            *(f"  {each.what} {each.key}" for each in behind),
        )


def parked_of_record(task: Task, known: Iterable[Task]) -> list[Task]:
    """Return the parked events of the same record in the same service, in their order."""
    return [
        other
        for other in known
        if (other.lane, other.id.service, other.id.use) == (task.lane, task.id.service, "parked")
    ]
