"""Reactions: every event once, in each aggregate's order; what fails is parked and holds back what follows it."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid5

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis import metrics, tracing
from sav_chassis.database import Database, driver
from sav_chassis.envelope import Context, Envelope
from sav_chassis.errors import NotYet
from sav_chassis.service import Reaction, Service
from sav_chassis.settings import Settings
from sav_chassis.tasks import Taken, Use, Worker, cause, done, pause
from sav_chassis.topology import EVENTS
from sav_chassis.tx import Committed, Tx
from sav_contracts.actor import NOBODY
from sav_contracts.messages import Event, persons

log = structlog.get_logger()

QUICK_TRIES = 2
PARKED_AT_ONCE = 4

# Whoever works on an aggregate's events holds this, in whichever replica, consumer or parking worker.
LOCK_LANE = text("SELECT pg_advisory_xact_lock(hashtextextended(:lane, 0))")
# The same lock, a look for what is parked, and the inbox: every round trip costs as much as many a reaction's work.
TAKE = text("SELECT held_back, is_new FROM take_event(:handler, :event_id, :subject, :parked)")
RECORD_OUTCOME = "UPDATE handled SET outcome = $3 WHERE handler = $1 AND event_id = $2"
PARK = text(
    """INSERT INTO task (use, key, lane, due, attempts, error, message, persons)
    VALUES ('parked', :key, :lane, :due, :attempts, :error, :message, :persons) ON CONFLICT DO NOTHING"""
)


class Reactor:
    """Reacts to events for one service."""

    def __init__(
        self, service: Service, database: Database, settings: Settings, committed: Committed
    ) -> None:
        self._service = service
        self._database = database
        self._settings = settings
        self._committed = committed
        # Tries again what is parked, the first of each lane.
        self.parking = Worker(Use.PARKED, database, self._again, PARKED_AT_ONCE)

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
        return await self.parking.once()

    async def _again(self, taken: Taken) -> None:
        envelope = Envelope.model_validate_json(taken.message)
        structlog.contextvars.bind_contextvars(correlation_id=str(envelope.correlation_id))
        await self._react(envelope, envelope.event(), parked=True)
        await done(self._database, Use.PARKED, taken)

    async def _react(self, envelope: Envelope, event: Event, parked: bool) -> None:
        with structlog.contextvars.bound_contextvars(correlation_id=str(envelope.correlation_id)):
            for reaction in self._service.reactions.get(type(event), ()):
                if not await self._traced(reaction, envelope, event, parked):
                    return

    async def _traced(self, reaction: Reaction, envelope: Envelope, event: Event, parked: bool) -> bool:
        sent = envelope.type, EVENTS, envelope.id, envelope.correlation_id, envelope.traceparent
        with tracing.message("process", *sent) as span, metrics.failures("reaction", reaction.__name__):
            span.note("code.function.name", f"{reaction.__module__}.{reaction.__name__}")
            return await self._once(reaction, envelope, event, parked, span.traceparent)

    async def _once(
        self, reaction: Reaction, envelope: Envelope, event: Event, parked: bool, traceparent: str | None
    ) -> bool:
        """One reaction, one transaction; False where the event had to be parked behind an earlier one."""
        handler = reaction.__name__
        context = Context(
            actor_id=envelope.actor_id,
            actor_role=envelope.actor_role,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.id,
            traceparent=traceparent,
        )
        numbers = count()

        def new_id() -> UUID:
            return uuid5(envelope.id, f"{self._service.name}.{handler}.{next(numbers)}")

        async with AsyncSession(self._database.engine, expire_on_commit=False) as session, session.begin():
            event_id, subject = envelope.id, envelope.subject
            asked = {"handler": handler, "event_id": event_id, "subject": subject, "parked": parked}
            held_back, is_new = (await session.execute(TAKE, asked)).one()
            if held_back:
                await session.execute(PARK, _parked(envelope, event, 0, "waits behind an earlier event"))
                return False
            if not is_new:
                log.info("known already", reaction=handler, event_id=str(envelope.id))
                metrics.DUPLICATES.labels(handler).inc()
                return True
            tx = Tx(session, self._settings, context, new_id, self._database.clock)
            outcome = await reaction(event, tx)
            await tx.seal()
            if outcome:
                await driver(session).execute(RECORD_OUTCOME, handler, envelope.id, outcome)
        log.info(
            "reacted", reaction=handler, event_type=envelope.type, event_id=str(envelope.id), outcome=outcome
        )
        metrics.EFFECT_SECONDS.labels(handler).observe(metrics.since(envelope.at))
        self._committed(tx)
        return True

    async def _park(self, envelope: Envelope, event: Event, error: Exception) -> None:
        log.warning("event parked", event_type=envelope.type, event_id=str(envelope.id), error=repr(error))
        async with self._database.engine.begin() as connection:
            await connection.execute(LOCK_LANE, {"lane": str(envelope.subject)})
            await connection.execute(PARK, _parked(envelope, event, 1, cause(error)))


def _parked(envelope: Envelope, event: Event, attempts: int, error: str) -> dict[str, object]:
    return {
        "key": str(envelope.id),
        "lane": envelope.subject,
        "due": datetime.now(UTC) + (pause(attempts) if attempts else timedelta()),
        "attempts": attempts,
        "error": error,
        "message": envelope.model_dump_json(),
        "persons": list((persons(event) | {envelope.actor_id}) - {NOBODY}),
    }
