"""What is to be done later. Parked events, timers and effects are three uses of one table with leases.

A row waits until `due`; a worker takes it with a lease. All later statements name the lease. So they do not touch a row
that was meanwhile moved, removed, released or taken by another worker.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple, Self
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis import backoff
from sav_chassis.database import Database, is_away
from sav_chassis.envelope import Context
from sav_chassis.errors import NotYet, TryLater
from sav_chassis.telemetry import metrics
from sav_contracts.actor import SYSTEM

log = structlog.get_logger()

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 300.0
DEAD_AFTER = timedelta(hours=24)
DEAD_AFTER_NOT_YET = timedelta(days=3)
# How long a worker may hold a task before another one takes it.
LEASE = timedelta(seconds=60)
# Poll interval, in seconds, in case a wake-up was lost.
POLL = 1.0
# Seconds that running tasks have to finish after a stop. Those given up are repeated when their lease ends.
FINISH_WITHIN = 6.0


class TaskUse(StrEnum):
    """What a row of the table is for."""

    PARKED = "parked"
    TIMER = "timer"
    EFFECT = "effect"


# Only the oldest parked event of each aggregate is taken. A dead one blocks the later ones until it is released.
FIRST_OF_SUBJECT = """
    AND NOT EXISTS (SELECT 1 FROM task b WHERE b.use = t.use AND b.lane = t.lane AND b.position < t.position)"""
# An attempt is counted when it starts, so that it counts even where its worker is killed.
TAKE = """
WITH chosen AS MATERIALIZED (
    SELECT use, key FROM task t
    WHERE use = $1 AND state = 'waiting' {order} AND due <= now() AND coalesce(leased_until, now()) <= now()
    ORDER BY due LIMIT $3 FOR UPDATE SKIP LOCKED)
UPDATE task SET leased_until = now() + $2, attempts = attempts + 1,
    since = CASE WHEN attempts = 0 THEN now() ELSE since END
FROM chosen WHERE task.use = chosen.use AND task.key = chosen.key
RETURNING task.key, message, attempts, since, leased_until AS lease"""
NEXT_DUE = """
SELECT extract(epoch FROM due - now())::float FROM task t
WHERE use = $1 AND state = 'waiting' {order} AND coalesce(leased_until, now()) <= now()
ORDER BY due LIMIT 1"""
MINE = "WHERE use = $1 AND key = $2 AND leased_until = $3"
DONE = f"DELETE FROM task {MINE} AND message = $4 RETURNING true"
# For a task that was requested again while it ran.
ONCE_MORE = f"""
UPDATE task SET attempts = 0, due = now(), since = now(), error = NULL, leased_until = NULL {MINE}"""
PUT_BACK = (
    f"UPDATE task SET due = now() + $4, error = $5, state = $6, leased_until = NULL {MINE} RETURNING true"
)
GIVE_BACK = f"UPDATE task SET attempts = $4, leased_until = NULL {MINE}"

SET_TIMER = text(
    """INSERT INTO task (use, key, lane, due, message, persons)
    VALUES ('timer', :key, :lane, :due, :message, :persons)
    ON CONFLICT (use, key) DO UPDATE SET due = excluded.due, message = excluded.message, state = 'waiting',
        attempts = 0, since = now(), error = NULL, leased_until = NULL"""
)
FORGET_TIMER = text("DELETE FROM task WHERE use = 'timer' AND key = :key")
# A run that waits serves this request too. Its row is locked all the same, so that it cannot start before this commit.
# A new message on a running task requests another run. A dead task starts anew.
ASK_EFFECT = text(
    """INSERT INTO task AS t (use, key, lane, due, message, persons)
    VALUES ('effect', :key, :lane, coalesce(:due, now()), :message, :persons)
    ON CONFLICT (use, key) DO UPDATE SET message = excluded.message,
        state = 'waiting',
        due = CASE WHEN t.state = 'dead' THEN now() ELSE t.due END,
        attempts = CASE WHEN t.state = 'dead' THEN 0 ELSE t.attempts END,
        error = CASE WHEN t.state = 'dead' THEN NULL ELSE t.error END
    WHERE t.leased_until IS NOT NULL OR t.state = 'dead'"""
)
FIRED = text("DELETE FROM task WHERE use = 'timer' AND key = :key AND leased_until = :lease RETURNING true")


class LeasedTask(NamedTuple):
    """A task that this worker holds; `attempts` includes the current one."""

    key: str
    message: str
    attempts: int
    since: datetime
    lease: datetime


class Job(BaseModel):
    """A timer or an effect as it is stored: which function, about which record, in which conversation."""

    model_config = ConfigDict(frozen=True)

    # Distinguishes two requests for the same task.
    id: UUID
    function: str
    about: UUID
    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None

    @classmethod
    def asked(cls, function: str, about: UUID, context: Context) -> Self:
        """The job that a transaction with this context requests."""
        return cls(
            id=uuid7(),
            function=function,
            about=about,
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
            traceparent=context.traceparent,
        )

    @property
    def key(self) -> str:
        return f"{self.function} {self.about}"

    @property
    def context(self) -> Context:
        """The context of the run: SAV itself acts, in the conversation that requested it."""
        return Context(
            actor_id=SYSTEM.id,
            actor_role=SYSTEM.role,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            traceparent=self.traceparent,
        )


class TaskRequest(NamedTuple):
    """What `seal` writes to the table. `due` None: a timer is removed, an effect is due now."""

    use: TaskUse
    job: Job
    due: datetime | None = None

    @property
    def statement(self) -> TextClause:
        if self.use is TaskUse.EFFECT:
            return ASK_EFFECT
        return SET_TIMER if self.due else FORGET_TIMER

    def row(self) -> dict[str, Any]:
        """What the statement is executed with."""
        if self.statement is FORGET_TIMER:
            return {"key": self.job.key}
        return {
            "key": self.job.key,
            "lane": self.job.about,
            "message": self.job.model_dump_json(),
            # The message holds ids only, so erasure has nothing to blank.
            "persons": [],
            "due": self.due,
        }


async def write_tasks(session: AsyncSession, asked: Iterable[TaskRequest]) -> None:
    """Writes what was asked for, sorted by key, so that two transactions do not deadlock.

    What has one key stays in the order of the calls; neighbours with the same statement are written together.
    """
    in_order = sorted(asked, key=lambda asking: (asking.use, asking.job.key))
    for statement, together in groupby(in_order, key=lambda asking: asking.statement):
        await session.execute(statement, [asking.row() for asking in together])


class Worker:
    """Does the due tasks of one use, next to other replicas' workers. Failed ones are retried after growing pauses."""

    def __init__(
        self, use: TaskUse, database: Database, do: Callable[[LeasedTask], Awaitable[None]], at_once: int
    ) -> None:
        """`do` removes the task when done: with `done`, or in its own transaction. Each try is an asyncio task."""
        self.use = use
        self._database = database
        self._do = do
        self._at_once = at_once
        self._poll = POLL
        order = FIRST_OF_SUBJECT if use is TaskUse.PARKED else ""
        self._take_due, self._next_due = TAKE.format(order=order), NEXT_DUE.format(order=order)
        self._running: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self._halted_at: float | None = None

    def wake(self) -> None:
        """Tells the worker to look for due tasks now."""
        self._wanted.set()

    async def run(self) -> None:
        """Works until `halt`; survives restarts of the database."""
        while self._halted_at is None:
            self._wanted.clear()
            try:
                pause = await self._begin_due()
            except Exception as error:
                if not is_away(error):
                    log.exception("tasks could not be read", use=self.use)
                    await asyncio.sleep(1)
                await self._database.wait_until_available()
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), pause)

    def halt(self) -> None:
        """Starts nothing more."""
        self._halted_at = self._halted_at or asyncio.get_running_loop().time()
        self._wanted.set()

    async def finish(self) -> None:
        """Returns when the running tasks have ended or, after too long, were given up. Call `halt` first."""
        if not self._running:
            return
        assert self._halted_at is not None
        left = self._halted_at + FINISH_WITHIN - asyncio.get_running_loop().time()
        _, late = await asyncio.wait(self._running, timeout=max(left, 0))
        for task in late:
            log.warning(
                "task abandoned at shutdown; retried when its lease ends", use=self.use, task=task.get_name()
            )
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def once(self, at_most: int = 20) -> float:
        """Does what is due now, one task after another; answers how many seconds to wait until the next."""
        for leased in await self._take(at_most):
            await asyncio.create_task(self._try(leased))
        return await self._until_next()

    async def _begin_due(self) -> float:
        room = self._at_once - len(self._running)
        if not room:
            return self._poll
        for leased in await self._take(room):
            if self._halted_at is not None:
                await self._give_back(leased, leased.attempts - 1)
                continue
            running = asyncio.create_task(self._try(leased), name=leased.key)
            self._running.add(running)
            running.add_done_callback(self._ended)
        return await self._until_next()

    def _ended(self, running: "asyncio.Task[None]") -> None:
        self._running.discard(running)
        # There is a free place now, and the next task of its aggregate may start.
        self._wanted.set()
        if not running.cancelled() and (error := running.exception()):
            log.error(
                "task failed unexpectedly; retried when its lease ends",
                use=self.use,
                key=running.get_name(),
                exc_info=error,
            )

    async def _take(self, at_most: int) -> list[LeasedTask]:
        rows = await self._database.pool.fetch(self._take_due, self.use, LEASE, at_most)
        return [LeasedTask(**row) for row in rows]

    async def _until_next(self) -> float:
        wait = await self._database.pool.fetchval(self._next_due, self.use)
        return self._poll if wait is None else min(max(wait, 0.02), self._poll)

    async def _try(self, leased: LeasedTask) -> None:
        try:
            await self._do(leased)
        except Exception as error:
            if is_away(error):
                log.warning("database is away", use=self.use, key=leased.key, error=repr(error))
                await self._database.wait_until_available()
                # A try that the outage rolled back does not count. An effect's does: it may already have acted outside.
                tries = leased.attempts if self.use is TaskUse.EFFECT else leased.attempts - 1
                # Repeated through further outages: otherwise the task would wait until its lease ends.
                await self._database.until_available(lambda: self._give_back(leased, tries))
            else:
                await self._put_back(leased, error)

    async def _put_back(self, leased: LeasedTask, error: Exception) -> None:
        if self.use is not TaskUse.PARKED:  # a reaction counts its own failures
            metrics.failed(self.use, leased.key.split()[0], error)
        limit = DEAD_AFTER_NOT_YET if isinstance(error, NotYet) else DEAD_AFTER
        # Events that waited behind another one have not been tried yet: their time limit starts with the first attempt.
        dead = leased.attempts > 1 and datetime.now(UTC) - leased.since > limit
        state = "dead" if dead else "waiting"
        place = self.use, leased.key, leased.lease, pause_of_task(leased.attempts), cause(error), state
        # Where an earlier try of this statement arrived, the row is no longer ours, so nothing is written twice.
        mine = await self._database.until_available(lambda: self._database.pool.fetchval(PUT_BACK, *place))
        log.warning(
            "not done yet" if mine else "failed, but is no longer ours to do",
            use=self.use,
            key=leased.key,
            attempts=leased.attempts,
            state=state,
            error=repr(error),
            exc_info=None if isinstance(error, (NotYet, TryLater)) else error,
        )

    async def _give_back(self, leased: LeasedTask, attempts: int) -> None:
        """Ends the lease, so that any worker may take the task now."""
        await self._database.pool.execute(GIVE_BACK, self.use, leased.key, leased.lease, attempts)


async def done(database: Database, use: TaskUse, leased: LeasedTask) -> None:
    """Removes a finished task. Where it was requested again meanwhile, it is due once more instead."""
    mine = use, leased.key, leased.lease
    if not await database.pool.fetchval(DONE, *mine, leased.message):
        await database.pool.execute(ONCE_MORE, *mine)


def pause_of_task(attempts: int) -> timedelta:
    """0.2 s, doubling to 5 min."""
    return timedelta(seconds=backoff.pause(attempts, FIRST_PAUSE, LONGEST_PAUSE))


def cause(error: Exception) -> str:
    """The traceback as stored in the table: its last 8000 characters."""
    return "".join(traceback.format_exception(error))[-8000:].replace("\x00", "")
