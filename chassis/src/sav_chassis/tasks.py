"""What is to be done later: parked events, timers and effects are three uses of one leased table.

A row waits until `due`; whoever takes it holds a lease. The lease names the taking: where the row was moved, removed,
released or taken by another since, nothing that follows from this taking touches it.
"""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis import metrics
from sav_chassis.database import Database, is_away
from sav_chassis.envelope import Context
from sav_chassis.errors import NotYet, TryLater
from sav_contracts.actor import SYSTEM

log = structlog.get_logger()

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 300.0
DEAD_AFTER = timedelta(hours=24)
DEAD_AFTER_NOT_YET = timedelta(days=3)
# How long a worker may hold a task before another one takes it.
LEASE = timedelta(seconds=60)
# The slow poll that is the net under every wake-up.
POLL = 1.0
# Seconds that what runs has to finish after a stop; what is given up is done again when its lease ends.
FINISH_WITHIN = 6.0


class Use(StrEnum):
    """What a row of the table is for."""

    PARKED = "parked"
    TIMER = "timer"
    EFFECT = "effect"


# Of parked events only the first of each lane is taken; a dead one holds its lane until a person releases it.
FIRST_OF_LANE = """
    AND NOT EXISTS (SELECT 1 FROM task b WHERE b.use = t.use AND b.lane = t.lane AND b.position < t.position)"""
# A try counts when it begins: whoever is killed in the middle has used it up.
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
# It was asked for again while it ran.
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
# Where it waits, that run will do; the row is locked all the same, so that it does not begin before this commit.
# Where it runs, the new message asks for another run; where it is dead, it lives again.
ASK_EFFECT = text(
    """INSERT INTO task AS t (use, key, lane, due, message, persons)
    VALUES ('effect', :key, :lane, now(), :message, :persons)
    ON CONFLICT (use, key) DO UPDATE SET message = excluded.message,
        state = 'waiting',
        due = CASE WHEN t.state = 'dead' THEN now() ELSE t.due END,
        attempts = CASE WHEN t.state = 'dead' THEN 0 ELSE t.attempts END,
        error = CASE WHEN t.state = 'dead' THEN NULL ELSE t.error END
    WHERE t.leased_until IS NOT NULL OR t.state = 'dead'"""
)
FIRED = text("DELETE FROM task WHERE use = 'timer' AND key = :key AND leased_until = :lease RETURNING true")


class Taken(NamedTuple):
    """A task in hand: `attempts` counts this try too."""

    key: str
    message: str
    attempts: int
    since: datetime
    lease: datetime


class Errand(BaseModel):
    """A timer or an effect as it waits: which function, about which record, in which conversation."""

    model_config = ConfigDict(frozen=True)

    # Tells one asking from the next.
    id: UUID
    function: str
    about: UUID
    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None

    @classmethod
    def asked(cls, function: str, about: UUID, context: Context) -> Self:
        """What a transaction with this context asks for."""
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
        """Whose doing it is: SAV's own, in the conversation that asked for it."""
        return Context(
            actor_id=SYSTEM.id,
            actor_role=SYSTEM.role,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            traceparent=self.traceparent,
        )


class Asking(NamedTuple):
    """What a transaction writes to the table when it is sealed; `due` is None where a timer is forgotten."""

    use: Use
    errand: Errand
    due: datetime | None = None

    async def write(self, session: AsyncSession) -> None:
        if self.use is Use.TIMER and self.due is None:
            await session.execute(FORGET_TIMER, {"key": self.errand.key})
            return
        row = {
            "key": self.errand.key,
            "lane": self.errand.about,
            "message": self.errand.model_dump_json(),
            # It holds ids only: nothing in it is to be blanked.
            "persons": [],
        }
        if self.use is Use.TIMER:
            await session.execute(SET_TIMER, row | {"due": self.due})
        else:
            await session.execute(ASK_EFFECT, row)


class Worker:
    """Does what is due of one use, next to the workers of other replicas; what fails is tried again ever later."""

    def __init__(
        self, use: Use, database: Database, do: Callable[[Taken], Awaitable[None]], at_once: int
    ) -> None:
        """`do` removes what it has done: by `done`, or in a transaction of its own. Each try is an asyncio task."""
        self.use = use
        self._database = database
        self._do = do
        self._at_once = at_once
        order = FIRST_OF_LANE if use is Use.PARKED else ""
        self._take_due, self._next_due = TAKE.format(order=order), NEXT_DUE.format(order=order)
        self._running: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self._halted_at: float | None = None

    def wake(self) -> None:
        """Something may be due: look now."""
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
                await self._database.back()
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), pause)

    def halt(self) -> None:
        """Begins nothing more."""
        self._halted_at = self._halted_at or asyncio.get_running_loop().time()
        self._wanted.set()

    async def finish(self) -> None:
        """Returns when what runs has ended, or was given up because it takes too long; `halt` first."""
        if not self._running:
            return
        assert self._halted_at is not None
        left = self._halted_at + FINISH_WITHIN - asyncio.get_running_loop().time()
        _, late = await asyncio.wait(self._running, timeout=max(left, 0))
        for task in late:
            log.warning("given up; it is done again when its lease ends", use=self.use, task=task.get_name())
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def once(self, at_most: int = 20) -> float:
        """Does what is due now, one after another; answers how many seconds to wait until the next."""
        for taken in await self._take(at_most):
            await asyncio.create_task(self._try(taken))
        return await self._until_next()

    async def _begin_due(self) -> float:
        room = self._at_once - len(self._running)
        if not room:
            return POLL
        for taken in await self._take(room):
            if self._halted_at is not None:
                await self._give_back(taken, taken.attempts - 1)
                continue
            running = asyncio.create_task(self._try(taken), name=taken.key)
            self._running.add(running)
            running.add_done_callback(self._ended)
        return await self._until_next()

    def _ended(self, running: "asyncio.Task[None]") -> None:
        self._running.discard(running)
        # There is room, and what stood behind it may go on.
        self._wanted.set()
        if not running.cancelled() and (error := running.exception()):
            log.error("a task is left to its lease", use=self.use, key=running.get_name(), exc_info=error)

    async def _take(self, at_most: int) -> list[Taken]:
        rows = await self._database.pool.fetch(self._take_due, self.use, LEASE, at_most)
        return [Taken(**row) for row in rows]

    async def _until_next(self) -> float:
        wait = await self._database.pool.fetchval(self._next_due, self.use)
        return POLL if wait is None else min(max(wait, 0.02), POLL)

    async def _try(self, taken: Taken) -> None:
        try:
            await self._do(taken)
        except Exception as error:
            if await self._database.is_the_cause_of(error):
                log.warning("database is away", use=self.use, key=taken.key, error=repr(error))
                await self._database.back()
                # What is undone was no try; but an effect may have done its work outside.
                tries = taken.attempts if self.use is Use.EFFECT else taken.attempts - 1
                await self._give_back(taken, tries)
            else:
                await self._put_back(taken, error)

    async def _put_back(self, taken: Taken, error: Exception) -> None:
        if self.use is not Use.PARKED:  # a reaction counts its own
            metrics.failed(self.use, taken.key.split()[0], error)
        limit = DEAD_AFTER_NOT_YET if isinstance(error, NotYet) else DEAD_AFTER
        # What only waited behind another has not been tried yet: its time begins with its first try.
        dead = taken.attempts > 1 and datetime.now(UTC) - taken.since > limit
        state = "dead" if dead else "waiting"
        mine = await self._database.pool.fetchval(
            PUT_BACK, self.use, taken.key, taken.lease, pause(taken.attempts), cause(error), state
        )
        log.warning(
            "not done yet" if mine else "failed, but is no longer ours to do",
            use=self.use,
            key=taken.key,
            attempts=taken.attempts,
            state=state,
            error=repr(error),
            exc_info=None if isinstance(error, (NotYet, TryLater)) else error,
        )

    async def _give_back(self, taken: Taken, attempts: int) -> None:
        """For whoever takes it next, at once."""
        await self._database.pool.execute(GIVE_BACK, self.use, taken.key, taken.lease, attempts)


async def done(database: Database, use: Use, taken: Taken) -> None:
    """Removes what was done, unless it was asked for again meanwhile: then it is due once more."""
    mine = use, taken.key, taken.lease
    if not await database.pool.fetchval(DONE, *mine, taken.message):
        await database.pool.execute(ONCE_MORE, *mine)


def pause(attempts: int) -> timedelta:
    """0.2 s, doubling to 5 min, give or take a fifth so that many do not come back at once."""
    seconds = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))


def cause(error: Exception) -> str:
    """The traceback as the table keeps it."""
    return "".join(traceback.format_exception(error))[-8000:].replace("\x00", "")


def in_order(asked: Iterable[Asking]) -> list[Asking]:
    """By key, so that two transactions do not deadlock; of one key in the order of the calls."""
    return sorted(asked, key=lambda asking: (asking.use, asking.errand.key))
