"""Reactions: every event once, in each aggregate's order; what fails is parked and holds back what follows it."""

import random
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid5

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.database import Database
from sav_chassis.envelope import Context, Envelope
from sav_chassis.errors import NotYet
from sav_chassis.service import Reaction, Service
from sav_chassis.settings import Settings
from sav_chassis.tx import Tx
from sav_contracts.actor import NOBODY
from sav_contracts.messages import Event, persons

log = structlog.get_logger()

QUICK_TRIES = 2
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 300.0
DEAD_AFTER = timedelta(hours=24)
DEAD_AFTER_NOT_YET = timedelta(days=3)
# How long a worker may hold a parked event before another one takes it.
LEASE = timedelta(seconds=60)

# Whoever works on an aggregate's events holds this, in whichever replica, consumer or parking worker.
LOCK_LANE = text("SELECT pg_advisory_xact_lock(hashtextextended(:lane, 0))")
HELD_BACK = text("SELECT true FROM task WHERE use = 'parked' AND lane = :lane LIMIT 1")
RECORD = text(
    "INSERT INTO handled (handler, event_id) VALUES (:handler, :event_id) ON CONFLICT DO NOTHING RETURNING true"
)
RECORD_OUTCOME = text(
    "UPDATE handled SET outcome = :outcome WHERE handler = :handler AND event_id = :event_id"
)
PARK = text(
    """INSERT INTO task (use, key, lane, due, attempts, error, message, persons)
    VALUES ('parked', :key, :lane, :due, :attempts, :error, :message, :persons) ON CONFLICT DO NOTHING"""
)
# Only the first of each lane is taken; a dead one holds its lane until a person releases it.
FIRST_OF_LANE = """
    t.use = 'parked' AND t.state = 'waiting'
    AND NOT EXISTS (SELECT 1 FROM task b WHERE b.use = t.use AND b.lane = t.lane AND b.position < t.position)"""
TAKE = f"""
UPDATE task SET leased_until = now() + $1 WHERE (use, key) IN (
    SELECT use, key FROM task t
    WHERE {FIRST_OF_LANE} AND due <= now() AND coalesce(leased_until, now()) <= now()
    ORDER BY due LIMIT 20 FOR UPDATE SKIP LOCKED)
RETURNING key, message, attempts, since"""
NEXT_DUE = f"""
SELECT extract(epoch FROM min(greatest(due, coalesce(leased_until, due))) - now())::float
FROM task t WHERE {FIRST_OF_LANE}"""
PUT_BACK = """
UPDATE task SET attempts = $2, due = now() + $3, error = $4, state = $5, leased_until = NULL,
    since = CASE WHEN attempts = 0 THEN now() ELSE since END
WHERE use = 'parked' AND key = $1"""
GIVE_BACK = "UPDATE task SET leased_until = NULL WHERE use = 'parked' AND key = ANY($1)"
DONE = "DELETE FROM task WHERE use = 'parked' AND key = $1"


class Reactor:
    """Reacts to events for one service."""

    def __init__(
        self, service: Service, database: Database, settings: Settings, committed: Callable[[], None]
    ) -> None:
        self._service = service
        self._database = database
        self._settings = settings
        self._committed = committed
        # Set by a stop: no further parked event is begun.
        self.stopping = False

    async def take(self, envelope: Envelope, event: Event) -> None:
        """Returns when every reaction has done the event or it is parked; raises only where the database is away."""
        for attempt in range(1, QUICK_TRIES + 1):
            try:
                await self._react(envelope, event, parked=False)
                return
            except Exception as error:
                if await self._database.is_the_cause_of(error):
                    raise
                if isinstance(error, NotYet) or attempt == QUICK_TRIES:
                    await self._park(envelope, event, error)
                    return

    async def release_due(self) -> float:
        """Tries again the parked events that are due; answers how many seconds to wait until the next ones."""
        taken = await self._database.pool.fetch(TAKE, LEASE)
        for number, row in enumerate(taken):
            if self.stopping:
                await self._database.pool.execute(GIVE_BACK, [later["key"] for later in taken[number:]])
                break
            await self._again(
                row["key"], Envelope.model_validate_json(row["message"]), row["attempts"], row["since"]
            )
        wait = await self._database.pool.fetchval(NEXT_DUE)
        return 1.0 if wait is None else min(max(wait, 0.02), 1.0)

    async def _again(self, key: str, envelope: Envelope, attempts: int, since: datetime) -> None:
        pool = self._database.pool
        try:
            await self._react(envelope, envelope.event(), parked=True)
        except Exception as error:
            if await self._database.is_the_cause_of(error):
                raise
            limit = DEAD_AFTER_NOT_YET if isinstance(error, NotYet) else DEAD_AFTER
            # What only waited behind another has not been tried yet: its time begins now.
            state = "dead" if attempts and datetime.now(UTC) - since > limit else "waiting"
            log.warning(
                "event parked",
                event_type=envelope.type,
                event_id=str(envelope.id),
                state=state,
                error=repr(error),
            )
            await pool.execute(PUT_BACK, key, attempts + 1, _pause(attempts + 1), _cause(error), state)
        else:
            await pool.execute(DONE, key)

    async def _react(self, envelope: Envelope, event: Event, parked: bool) -> None:
        with structlog.contextvars.bound_contextvars(correlation_id=str(envelope.correlation_id)):
            for reaction in self._service.reactions.get(type(event), ()):
                if not await self._once(reaction, envelope, event, parked):
                    return

    async def _once(self, reaction: Reaction, envelope: Envelope, event: Event, parked: bool) -> bool:
        """One reaction, one transaction; False where the event had to be parked behind an earlier one."""
        handler = reaction.__name__
        context = Context(
            actor_id=envelope.actor_id,
            actor_role=envelope.actor_role,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.id,
            traceparent=envelope.traceparent,
        )
        numbers = count()

        def new_id() -> UUID:
            return uuid5(envelope.id, f"{self._service.name}.{handler}.{next(numbers)}")

        async with AsyncSession(self._database.engine, expire_on_commit=False) as session, session.begin():
            await session.execute(LOCK_LANE, {"lane": str(envelope.subject)})
            if not parked and (await session.execute(HELD_BACK, {"lane": envelope.subject})).first():
                await session.execute(PARK, _parked(envelope, event, 0, "waits behind an earlier event"))
                return False
            record = {"handler": handler, "event_id": envelope.id}
            if (await session.execute(RECORD, record)).first() is None:
                log.info("known already", reaction=handler, event_id=str(envelope.id))
                return True
            tx = Tx(session, self._settings, context, new_id)
            outcome = await reaction(event, tx)
            announced = await tx.seal()
            if outcome:
                await session.execute(RECORD_OUTCOME, record | {"outcome": outcome})
        log.info(
            "reacted", reaction=handler, event_type=envelope.type, event_id=str(envelope.id), outcome=outcome
        )
        if announced:
            self._committed()
        return True

    async def _park(self, envelope: Envelope, event: Event, error: Exception) -> None:
        log.warning("event parked", event_type=envelope.type, event_id=str(envelope.id), error=repr(error))
        async with self._database.engine.begin() as connection:
            await connection.execute(LOCK_LANE, {"lane": str(envelope.subject)})
            await connection.execute(PARK, _parked(envelope, event, 1, _cause(error)))


def _parked(envelope: Envelope, event: Event, attempts: int, error: str) -> dict[str, object]:
    return {
        "key": str(envelope.id),
        "lane": envelope.subject,
        "due": datetime.now(UTC) + (_pause(attempts) if attempts else timedelta()),
        "attempts": attempts,
        "error": error,
        "message": envelope.model_dump_json(),
        "persons": list((persons(event) | {envelope.actor_id}) - {NOBODY}),
    }


def _pause(attempts: int) -> timedelta:
    """0.2 s, doubling to 5 min, give or take a fifth so that many do not come back at once."""
    seconds = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))


def _cause(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-8000:].replace("\x00", "")
