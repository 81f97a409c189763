"""`sav parked skip`: gives up for good a task that can never succeed; what waited behind it goes on."""

import asyncio
import os
import pwd
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import asyncpg
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from sav_chassis.database import Database
from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.events.reactor import LOCK_SUBJECT, Reactor
from sav_chassis.migrate import engine_for
from sav_chassis.settings import Settings
from sav_chassis.tasks import cause
from sav_ops import rooms
from sav_ops.home import OPS_LOG, Home, OpsError
from sav_ops.parked import causes, task_list
from sav_ops.parked.task_list import Task, resolve, tasks
from sav_ops.rooms import chosen_services
from sav_ops.statements import BEHIND, END_TASK, GIVE_UP, GO_ON, LOCKED_TASK
from sav_ops.terminal.console import out
from sav_ops.terminal.text import printable

# The beginning of the outcome in the inbox; then follow who skipped it, and why.
SKIPPED = "skipped by "


def describe_skip(outcome: str, at: datetime) -> str:
    """Return when it was skipped, by whom and why."""
    return f"skipped on {at.astimezone():%F %H:%M} by {outcome.removeprefix(SKIPPED)}"


class Skip(NamedTuple):
    """The result for one task: `why_not` is None if it is (or could be) skipped; `later` says what follows."""

    why_not: str | None
    later: list[str]


def chosen(settings: Settings, keys: Sequence[str], cause: str | None, service: str | None) -> list[Task]:
    """Return the tasks of these keys, or of this cause; OpsError if one of them has not failed."""
    if bool(keys) == bool(cause):
        raise OpsError("Say what to skip: KEY… or --cause CAUSE.")
    known = asyncio.run(tasks(settings, chosen_services(service)))
    return causes.choose(known, cause) if cause else [can_be(resolve(known, key), known) for key in keys]


def can_be(task: Task, known: Sequence[Task]) -> Task:
    if task.standing == "scheduled":
        raise OpsError(f"It has not failed, it waits for its time: {task}")
    if task.is_behind:
        raise OpsError(
            f"It has not failed, it waits behind an earlier event: {task_list.parked_of_record(task, known)[0]}"
        )
    return task


def look(settings: Settings, found: Sequence[Task]) -> None:
    """Print these tasks and the consequences of skipping them, without a change."""
    for task in found:
        tell(
            task,
            asyncio.run(skip_one(settings, task, "", commit=False)),
            "May be skipped",
            "May not be skipped",
        )


def skip(home: Home, settings: Settings, found: Sequence[Task], reason: str, force: bool) -> bool:
    """Skip these tasks for good; False if one could not be skipped."""
    stayed = 0
    for task in found:
        result = asyncio.run(skip_one(settings, task, f"{SKIPPED}{who()}: {reason}", force))
        tell(task, result, "Skipped", "Not skipped")
        if result.why_not:
            stayed += 1
        else:
            log(home, task, reason)
    out.print(f"{len(found) - stayed} skipped" + (f", {stayed} stayed." if stayed else "."))
    return not stayed


def worded(reason: str) -> str:
    """Return a reason as it is stored: on one line; OpsError if it is empty."""
    reason = printable(" ".join(reason.split()))
    if not reason:
        raise OpsError("Say why, for whoever reads it later: --reason '…'")
    return reason


def tell(task: Task, result: Skip, yes: str, no: str) -> None:
    lines = [f"{no if result.why_not else yes}: {task}", *(f"  {line}" for line in result.later)]
    if result.why_not:
        lines.append(f"  {result.why_not}")
    for line in lines:
        out.print(printable(line), markup=False, soft_wrap=True)


def who() -> str:
    """Return the operating system's user who runs this, and the machine: `user@host`."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user id without a name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


def log(home: Home, task: Task, reason: str) -> None:
    """Write the skip into the log of the command line, which `./sav logs` shows with those of the rooms."""
    line = {
        "event": "skipped",
        "service": task.id.service,
        "handler": task.handler,
        "key": task.key,
        "record": task.record,
        "cause": task.cause,
        "reason": reason,
        "by": who(),
        "correlation_id": task.conversation,
        "level": "warning",
        "timestamp": datetime.now(UTC),
    }
    with (home.logs / f"{OPS_LOG}.log").open("ab") as file:
        file.write(to_json(line) + b"\n")


async def skip_one(
    settings: Settings, task: Task, outcome: str, force: bool = False, commit: bool = True
) -> Skip:
    """Skip one task in one transaction, under the lock that the service takes for the record."""
    engine = engine_for(settings.database(task.id.service))
    try:
        async with engine.connect() as connection, connection.begin() as transaction:
            result = await attempt(connection, settings, task, outcome, force)
            if result.why_not or not commit:
                await transaction.rollback()
            return result
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        said = str(error).splitlines()[0]
        return Skip(f"Nothing was changed; the database says: {said}. Try again: ./sav status", [])
    finally:
        await engine.dispose()


async def attempt(
    connection: AsyncConnection, settings: Settings, task: Task, outcome: str, force: bool
) -> Skip:
    await connection.execute(LOCK_SUBJECT, {"lane": str(task.lane)})
    own, id = await plain(connection), (task.id.use, task.id.key)
    row = await own.fetchrow(LOCKED_TASK, *id)
    if row is None:
        return Skip("It was done or skipped just now.", [])
    if row["in_hand"]:
        return Skip("It is being tried at this moment: look again when it has failed.", [])
    if task.id.use != "parked":
        await own.execute(GIVE_UP, f"{task.id.use} {task.what}", task.lane, outcome)
        await own.execute(END_TASK, *id)
        return Skip(None, ["It is done only if it is asked for anew."])
    envelope = Envelope.model_validate_json(row["message"])
    left = await not_done(connection, task.id.service, envelope)
    now = task._replace(error=row["error"], reaction=left[0] if left else None)
    if causes.name(now) != causes.name(task):
        return Skip(f"It was done, or fails for another reason by now ({causes.name(now)}): look again.", [])
    given_up = left[:1] if readable(envelope) else left
    for handler in given_up or [f"event {task.what}"]:  # none: no reaction here has this event any more
        await own.execute(GIVE_UP, handler, envelope.id, outcome)
    others = left[len(given_up) :]
    await own.execute(GO_ON if others else END_TASK, *id)
    behind = await own.fetch(BEHIND, task.lane, row["position"])
    later = [Envelope.model_validate_json(each["message"]) for each in behind]
    return await rehearsed(connection, settings, task, [envelope, *later] if others else later, force)


async def plain(connection: AsyncConnection) -> "asyncpg.Connection[Any]":
    """Return the asyncpg connection beneath, inside the transaction that SQLAlchemy began."""
    return cast("asyncpg.Connection[Any]", (await connection.get_raw_connection()).driver_connection)


async def not_done(connection: AsyncConnection, service: str, envelope: Envelope) -> list[str]:
    """Return the reactions that have not done this event, in their order."""
    event = {envelope.id: (envelope.type, envelope.at)}
    return (await task_list.undone(await plain(connection), service, event))[envelope.id]


def readable(envelope: Envelope) -> bool:
    """Tell whether the current code can read the event, so that its reactions can run."""
    try:
        envelope.event()
    except Undecodable:
        return False
    return True


async def rehearsed(
    connection: AsyncConnection, settings: Settings, task: Task, later: Sequence[Envelope], force: bool
) -> Skip:
    """Try the service's later events of the record as if the skip were done, and undo that; a failure refuses the skip.

    A failure for the same cause does not refuse it: that event is no worse off than before.
    """
    if not later:
        return Skip(None, ["Nothing waits behind it."])
    rehearsal = await connection.begin_nested()
    notes = ["What comes next was tried without it, and undone:"]
    why_not = None
    for place, envelope in enumerate(later):
        failure = await tried(connection, settings, task, envelope)
        what = f"{envelope.type.removesuffix('.v1')} {envelope.id}"
        notes.append(f"  {what}: {failure.cause if failure else 'can be done'}")
        if failure:
            if rest := len(later) - place - 1:
                notes.append(f"  {rest} more would wait behind that")
            if causes.name(failure) != causes.name(task) and not force:
                why_not = (
                    "The later event needs what this one would have done; it would be parked in its place.\n"
                    "  --force skips all the same."
                )
            break
    await rehearsal.rollback()
    return Skip(why_not, notes)


async def tried(
    connection: AsyncConnection, settings: Settings, task: Task, envelope: Envelope
) -> Task | None:
    """Run the reactions to an event; return the task that would be parked, or None if all succeed."""
    service = rooms.load(task.id.service).load()
    database = Database(settings, task.id.service)
    # A session on a connection that is in a transaction uses a savepoint: it commits or undoes only its own part.
    database.engine = cast("Any", connection)
    try:
        await Reactor(service, database, settings, lambda _: None).react(
            envelope, envelope.event(), parked=True
        )
    except Exception as error:
        left = await not_done(connection, task.id.service, envelope)
        return task._replace(error=cause(error), reaction=left[0] if left else None)
    return None
