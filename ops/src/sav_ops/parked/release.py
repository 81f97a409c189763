"""`sav parked release`: tries failed tasks again now, and reports the outcome."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from rich.text import Text

from sav_chassis.settings import Settings
from sav_ops.databases import database
from sav_ops.home import OpsError
from sav_ops.parked import causes
from sav_ops.parked.task_list import Id, Task, parked_of_record, resolve, tasks
from sav_ops.rooms import chosen_services
from sav_ops.statements import RELEASE
from sav_ops.terminal.console import out
from sav_ops.terminal.steps import step


class Retry(NamedTuple):
    """What became of released tasks: done (`through`), failed again, held behind those, or not tried yet."""

    through: list[Task]
    failed: list[Task]
    held: list[Task]
    pending: list[Task]


def release(
    settings: Settings,
    keys: list[str],
    lane: str | None,
    everything: bool,
    service: str | None,
    wait: float,
    cause: str | None = None,
) -> bool:
    """Release tasks, and wait up to `wait` seconds for the outcome; False if one failed again."""
    if sum(map(bool, (keys, lane, everything, cause))) != 1:
        raise OpsError("Say what to release: KEY…, --lane ID, --cause CAUSE or --all.")
    services = chosen_services(service)
    known = asyncio.run(tasks(settings, services))
    chosen = causes.choose(known, cause) if cause else choose(known, keys, lane)
    if not chosen:
        out.print("Nothing is parked.")
        return True
    released = asyncio.run(let_go(settings, chosen))
    out.print(f"{len(released)} released.")
    for task in chosen:
        if task.id not in released:
            out.print(f"Being tried at this moment, or done: {task}", markup=False, soft_wrap=True)
    if not wait:
        return True
    with step("Trying again") as now:
        retry = asyncio.run(outcome(settings, known, chosen, released, wait))
        now.note = ", ".join(
            f"{len(part)} {words}"
            for part, words in zip(
                retry, ("done", "failed again", "behind those", "not tried yet"), strict=True
            )
            if part
        )
    tell(retry)
    return not retry.failed


def choose(known: Sequence[Task], keys: Sequence[str], lane: str | None) -> list[Task]:
    """Return the tasks that failed or wait behind failed ones: of these keys, of this lane, or all."""
    parked = [task for task in known if task.standing != "scheduled"]
    if lane:
        found = {
            task.lane
            for task in parked
            if str(task.lane).startswith(lane.lower()) or (task.reference or "").upper() == lane.upper()
        }
        if len(found) != 1:
            raise OpsError(
                "\n".join([f"{lane} is ambiguous; write more of it:", *(f"  {id}" for id in sorted(found))])
                if found
                else f"Nothing is parked in a lane {lane}: ./sav parked"
            )
        return [task for task in parked if task.lane in found]
    if not keys:
        return parked
    return list(dict.fromkeys(first(resolve(known, key), known) for key in keys))


def first(task: Task, known: Iterable[Task]) -> Task:
    """Return the task, or the first event that it waits behind, and print that; OpsError if it has not failed."""
    if task.standing == "scheduled":
        raise OpsError(f"It has not failed, it waits for its time: {task}")
    if not task.is_behind:
        return task
    leader = parked_of_record(task, known)[0]
    out.print(
        f"{task.key} waits behind an earlier event, which is released: {leader}",
        markup=False,
        soft_wrap=True,
    )
    return leader


async def let_go(settings: Settings, chosen: Iterable[Task]) -> set[Id]:
    """Release these tasks, except those that a worker is trying now; return the released ones."""
    released: set[Id] = set()
    of_service: dict[str, list[Id]] = {}
    for task in chosen:
        of_service.setdefault(task.id.service, []).append(task.id)
    for service, ids in of_service.items():
        async with database(settings, service) as connection:
            rows = await connection.fetch(RELEASE, [id.use for id in ids], [id.key for id in ids])
        released |= {Id(service, row["use"], row["key"]) for row in rows}
    return released


async def outcome(
    settings: Settings, known: Iterable[Task], chosen: Iterable[Task], released: set[Id], seconds: float
) -> Retry:
    """Wait up to `seconds` until all released tasks, and those behind them, are done or have failed again."""
    own = {task.id for task in chosen}
    lanes = {(task.id.service, task.lane) for task in chosen if task.id.use == "parked"}
    watched = [
        task
        for task in known
        if task.id in own or (task.id.use == "parked" and (task.id.service, task.lane) in lanes)
    ]
    services = sorted({id.service for id in own})
    until = time.monotonic() + seconds
    while True:
        retry = judge(watched, released, await tasks(settings, services))
        if not retry.pending or time.monotonic() > until:
            return retry
        await asyncio.sleep(0.1)


def judge(watched: Iterable[Task], released: set[Id], now: Iterable[Task]) -> Retry:
    there = {task.id: task for task in now}
    retry = Retry([], [], [], [])
    lanes_failed: set[tuple[str, UUID]] = set()
    for before in watched:
        task = there.get(before.id)
        if task is None:
            retry.through.append(before)
        elif not task.in_hand and task.attempts > (0 if task.id in released else before.failures):
            retry.failed.append(task)
            lanes_failed.add((task.id.service, task.lane))
        elif task.is_behind and (task.id.service, task.lane) in lanes_failed:
            retry.held.append(task)
        else:
            retry.pending.append(task)
    return retry


def tell(retry: Retry) -> None:
    for task in retry.failed:
        out.print(Text.assemble(("failed again  ", "red"), str(task)), soft_wrap=True)
        out.print(f"              {task.cause}", markup=False, soft_wrap=True)
    if retry.pending:
        out.print("What has not been tried yet is tried as soon as its service works: ./sav status")
