"""`sav parked`: what the services could not do and what waits behind it; look at it, and let it be tried again."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from rich.text import Text

from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.settings import Settings
from sav_ops import rooms
from sav_ops.home import Problem
from sav_ops.status import listing, printable
from sav_ops.steps import out

# An event waits behind every earlier one of its record; timers and effects wait for nobody.
TASKS = """
SELECT use, key, lane, attempts, state, error, due - now() AS due, now() - since AS waited,
    coalesce(leased_until > now(), false) AS in_hand,
    CASE use WHEN 'parked' THEN message::json ->> 'type' END AS type,
    CASE use WHEN 'parked' THEN message::json ->> 'kind'
        ELSE (SELECT kind FROM event_log e WHERE e.subject = t.lane LIMIT 1) END AS kind,
    use = 'parked' AND EXISTS (
        SELECT 1 FROM task b WHERE b.use = t.use AND b.lane = t.lane AND b.position < t.position) AS is_behind
FROM task t ORDER BY position"""
MESSAGE = "SELECT message FROM task WHERE use = $1 AND key = $2"
SHORTEST = 8
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
COLOURS = {"dead": "red", "failed": "yellow", "held back": "dim", "scheduled": "dim"}


class Id(NamedTuple):
    """Which task of which service."""

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
    type: str | None
    kind: str | None
    is_behind: bool

    @property
    def key(self) -> str:
        """The key as one word: a timer's and an effect's is its function, a colon, and the id of its record."""
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
        """How many tries failed: one that is under way may yet succeed."""
        return max(self.attempts - self.in_hand, 0)

    @property
    def standing(self) -> str:
        if self.state == "dead":
            return "dead"
        if self.is_behind:
            return "held back"
        return "failed" if self.failures or self.id.use == "parked" else "scheduled"

    @property
    def record(self) -> str:
        return f"{self.kind or 'record'} {str(self.lane)[:SHORTEST]}"

    @property
    def cause(self) -> str:
        """What the error says of itself, without where it came from."""
        lines = (self.error or "").strip().splitlines()
        frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
        after = lines[frames[-1] + 1 :] if frames else []
        return printable(next((line for line in after if line[:1].strip()), lines[-1] if lines else ""))

    def __str__(self) -> str:
        return printable(f"{self.id.service}: {self.what} {self.name} of {self.record}")


async def tasks(settings: Settings, services: Sequence[str]) -> list[Task]:
    """Every task of these services, the oldest first."""
    found: list[Task] = []
    for service in services:
        try:
            async with database(settings, service) as connection:
                rows = [dict(row) for row in await connection.fetch(TASKS)]
        except (asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError):
            continue  # a service before its first migration has nothing
        found += [Task(Id(service, row.pop("use"), row.pop("key")), **row) for row in rows]
    return found


@asynccontextmanager
async def database(settings: Settings, service: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    try:
        connection = await asyncpg.connect(settings.database(service), timeout=5)
    except OSError:
        raise Problem("PostgreSQL does not answer: ./sav up") from None
    try:
        yield connection
    finally:
        await connection.close()


def those(service: str | None) -> tuple[str, ...]:
    """Return the service that was asked for, or all."""
    if service and service not in rooms.SERVICES:
        raise Problem(f"There is no service {service}; there are: {', '.join(rooms.SERVICES)}.")
    return (service,) if service else rooms.SERVICES


def list_them(settings: Settings, service: str | None, dead: bool, everything: bool) -> None:
    """Print what failed and what waits behind it; only the dead, or the scheduled too."""
    known = asyncio.run(tasks(settings, those(service)))
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
        out.print("\n[dim]More about one: ./sav parked show KEY. Try again: ./sav parked release KEY[/]")


def table(listed: Sequence[Task], keys: dict[Id, str]) -> Text:
    rows = [
        (
            Text(task.standing, COLOURS[task.standing]),
            task.id.service,
            printable(task.what),
            printable(keys[task.id]),
            task.record,
            str(task.failures),
            span(task.waited),
            next_try(task),
        )
        for task in listed
    ]
    header = ("state", "service", "what", "key", "record", "failed", "since", "next try")
    return listing(header, rows, ["" if task.standing == "held back" else task.cause for task in listed])


def next_try(task: Task) -> str:
    if task.state == "dead" or task.is_behind:
        return "–"
    if task.in_hand:
        return "running"
    return f"in {span(task.due)}" if task.due > timedelta() else "now"


def span(time: timedelta) -> str:
    """Return a duration in its largest unit: 3 min."""
    seconds = max(time.total_seconds(), 0)
    return next(
        (f"{int(seconds // size)} {unit}" for size, unit in UNITS if seconds >= size), f"{seconds:.0f} s"
    )


def short_keys(known: Iterable[Task]) -> dict[Id, str]:
    """Return the beginning of each key that no other one has; a function's name before it only where it must be."""
    of_name: dict[str, list[Task]] = {}
    for task in known:
        of_name.setdefault(task.name, []).append(task)
    names = sorted(of_name)
    keys: dict[Id, str] = {}
    for before, name, after in zip(["", *names], names, [*names[1:], ""], strict=False):
        length = max(SHORTEST, common(before, name) + 1, common(name, after) + 1)
        for task in of_name[name]:
            function = task.key.removesuffix(name) if len({t.key for t in of_name[name]}) > 1 else ""
            keys[task.id] = function + name[:length]
    return keys


def common(one: str, other: str) -> int:
    """Return how many first characters are the same."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def resolve(known: Iterable[Task], key: str) -> Task:
    """Return the one task whose key, with or without its function, begins so."""
    known, key = list(known), key.replace(" ", ":")
    found = (
        [task for task in known if task.key == key]
        or [task for task in known if task.key.startswith(key)]
        or [task for task in known if task.name.startswith(key)]
    )
    if not found:
        raise Problem(f"Nothing that waits has a key like {key}: ./sav parked list --all")
    if len(found) > 1:
        cure = (
            "Add --service"
            if len({task.id.service for task in found}) == len(found)
            else "Write more of the key"
        )
        raise Problem("\n".join([f"{key} is ambiguous. {cure}:", *(f"  {task}" for task in found)]))
    return found[0]


def show(settings: Settings, key: str, service: str | None) -> None:
    """Print everything about one task."""
    asyncio.run(_show(settings, key, those(service)))


async def _show(settings: Settings, key: str, services: Sequence[str]) -> None:
    known = await tasks(settings, services)
    task = resolve(known, key)
    async with database(settings, task.id.service) as connection:
        message = await connection.fetchval(MESSAGE, task.id.use, task.id.key)
    if message is None:
        raise Problem(f"{task} was done just now.")
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
    yield f"  record    {task.kind or '–'} {task.lane}"
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


def pretty(text: str) -> Iterator[str]:
    """Yield JSON with its fields on lines of their own, anything else as it is."""
    with suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    yield from (f"  {line}" for line in text.splitlines())


def beside(task: Task, known: Iterable[Task]) -> Iterator[str]:
    """Yield what this one waits for, and what waits for it."""
    if task.id.use != "parked":
        return
    lane = lane_of(task, known)
    place = lane.index(task)
    if place:
        yield from ("", f"It waits behind {place}, the first of which is:", f"  {lane[0]}")
    if behind := lane[place + 1 :]:
        yield from (
            "",
            f"Behind it wait {len(behind)}:",
            *(f"  {each.what} {each.key}" for each in behind),
        )


def lane_of(task: Task, known: Iterable[Task]) -> list[Task]:
    """Return the parked events of the same record in the same service, the first one first."""
    return [
        other
        for other in known
        if (other.lane, other.id.service, other.id.use) == (task.lane, task.id.service, "parked")
    ]
