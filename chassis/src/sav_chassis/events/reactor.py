"""Reactions: each handles every event once, in each aggregate's order. A failed event is parked; later ones wait."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid5

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.database import Database, driver, is_away
from sav_chassis.envelope import Context, Envelope
from sav_chassis.errors import NotYet
from sav_chassis.service import Reaction, Service
from sav_chassis.settings import Settings
from sav_chassis.tasks import LeasedTask, TaskUse, Worker, cause, done, pause_of_task
from sav_chassis.telemetry import metrics, tracing
from sav_chassis.topology import EVENTS
from sav_chassis.tx import OnCommit, Tx
from sav_contracts.actor import NOBODY
from sav_contracts.messages import Event, persons

log = structlog.get_logger()

QUICK_TRIES = 2
# Seconds between two tries while the database is away.
PAUSE = 0.5
PARKED_AT_ONCE = 4

# Held while an event of the aggregate is handled, across replicas, consumers and retry workers.
LOCK_SUBJECT = text("SELECT pg_advisory_xact_lock(hashtextextended(:lane, 0))")
# Takes that lock, looks for parked events and writes the inbox in one round trip: each costs as much as a reaction.
TAKE = text("SELECT held_back, is_new FROM take_event(:handler, :event_id, :subject, :parked)")
RECORD_OUTCOME = "UPDATE handled SET outcome = $3 WHERE handler = $1 AND event_id = $2"
PARK = text(
    """INSERT INTO task (use, key, lane, due, attempts, error, message, persons)
    VALUES ('parked', :key, :lane, :due, :attempts, :error, :message, :persons) ON CONFLICT DO NOTHING"""
)


class Reactor:
    """Runs a service's reactions."""

    def __init__(self, service: Service, database: Database, settings: Settings, committed: OnCommit) -> None:
        self._service = service
        self._database = database
        self._settings = settings
        self._on_commit = committed
        # Retries parked events, the oldest of each aggregate first.
        self.parking = Worker(TaskUse.PARKED, database, self._again, PARKED_AT_ONCE)

    async def take(self, envelope: Envelope, event: Event) -> None:
        """Returns when every reaction has handled the event or it is parked, however long the database is away."""
        tries, failure = 0, None
        while True:
            try:
                if failure:
                    await self._park(envelope, event, failure)
                else:
                    await self.react(envelope, event, parked=False)
                return
            except Exception as error:
                if failure or is_away(error):
                    if not is_away(error):
                        log.exception("event could not even be parked", event_id=str(envelope.id))
                    failure = None
                    await self._database.wait_until_available()
                    await asyncio.sleep(PAUSE)
                    continue
                tries += 1
                if isinstance(error, NotYet) or tries >= QUICK_TRIES:
                    failure = error

    async def release_due(self) -> float:
        """Retries the parked events that are due; answers how many seconds to wait until the next ones."""
        return await self.parking.once()

    async def _again(self, leased: LeasedTask) -> None:
        envelope = Envelope.model_validate_json(leased.message)
        structlog.contextvars.bind_contextvars(correlation_id=str(envelope.correlation_id))
        await self.react(envelope, envelope.event(), parked=True)
        await done(self._database, TaskUse.PARKED, leased)

    async def react(self, envelope: Envelope, event: Event, parked: bool) -> None:
        """Runs each reaction in its own transaction, and raises its error.

        `parked`: this is the oldest parked event of its aggregate.
        """
        sent = envelope.type, EVENTS, envelope.id, envelope.correlation_id, envelope.traceparent
        with structlog.contextvars.bound_contextvars(correlation_id=str(envelope.correlation_id)):
            for reaction in self._service.reactions.get(type(event), ()):
                if not reaction.counts(envelope.at):
                    continue
                with tracing.message("process", *sent) as span, metrics.failures("reaction", reaction.name):
                    name = f"{reaction.function.__module__}.{reaction.function.__name__}"
                    span.note("code.function.name", name)
                    if not await self._attempt(reaction, envelope, event, parked, span.traceparent):
                        return

    async def _attempt(
        self, reaction: Reaction, envelope: Envelope, event: Event, parked: bool, traceparent: str | None
    ) -> bool:
        """Runs one reaction in one transaction. False where the event had to be parked behind an earlier one."""
        handler = reaction.name
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
                # A parked event is tried again with all its reactions, of which some are done: that is no duplicate.
                if not parked:
                    log.info("duplicate event ignored", reaction=handler, event_id=str(envelope.id))
                    metrics.DUPLICATES.labels(handler).inc()
                return True
            clock, floor = self._database.clock, self._database.floor
            tx = Tx(session, self._settings, context, new_id, clock, floor=floor, happened_at=envelope.at)
            outcome = await reaction.function(event, tx)
            await tx.seal()
            if outcome:
                await driver(session).execute(RECORD_OUTCOME, handler, envelope.id, outcome)
        log.info(
            "reacted", reaction=handler, event_type=envelope.type, event_id=str(envelope.id), outcome=outcome
        )
        metrics.EFFECT_SECONDS.labels(handler).observe(metrics.since(envelope.at))
        self._on_commit(tx)
        return True

    async def _park(self, envelope: Envelope, event: Event, error: Exception) -> None:
        log.warning("event parked", event_type=envelope.type, event_id=str(envelope.id), error=repr(error))
        async with self._database.engine.begin() as connection:
            await connection.execute(LOCK_SUBJECT, {"lane": str(envelope.subject)})
            await connection.execute(PARK, _parked(envelope, event, 1, cause(error)))


def _parked(envelope: Envelope, event: Event, attempts: int, error: str) -> dict[str, object]:
    return {
        "key": str(envelope.id),
        "lane": envelope.subject,
        "due": datetime.now(UTC) + (pause_of_task(attempts) if attempts else timedelta()),
        "attempts": attempts,
        "error": error,
        "message": envelope.model_dump_json(),
        "persons": list((persons(event) | {envelope.actor_id}) - {NOBODY}),
    }
