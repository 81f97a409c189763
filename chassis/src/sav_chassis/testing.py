"""The test kit: a service on a real database. Given rows, when a command or an event, then the reply and the events.

await stage.given(Reclamation(...))
outcome = await stage.when(AssignTechnician(...), by=marie)
assert outcome.events == [...]
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis.commands.client import CommandEnvelope
from sav_chassis.commands.server import CommandServer
from sav_chassis.database import Database
from sav_chassis.envelope import INSIDE, Caller, Envelope
from sav_chassis.errors import Problem
from sav_chassis.events.projections import project_batch
from sav_chassis.events.reactor import Reactor
from sav_chassis.identity import Signer
from sav_chassis.migrate import migrate
from sav_chassis.model import Aggregate, Base
from sav_chassis.scheduled.effects import Effects
from sav_chassis.scheduled.timers import Timers
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.views import show
from sav_contracts.actor import ANYONE, SYSTEM, Actor
from sav_contracts.messages import Event, RequestMessage, View

E = TypeVar("E", bound=Event)

MOST_TIMERS = 1000
FIRST_TIMER = """
SELECT key, due FROM task
WHERE use = 'timer' AND state = 'waiting' AND due <= $1 AND key <> ALL($2) AND coalesce(leased_until, now()) <= now()
ORDER BY due, position LIMIT 1"""
TO_THE_FRONT = "UPDATE task SET due = 'epoch' WHERE use = 'timer' AND key = $1"
FAILED = "SELECT attempts > 0 FROM task WHERE use = 'timer' AND key = $1"


@dataclass
class Outcome:
    """The result: the reply in the caller's form, or the problem; and the events, in the log's order."""

    reply: dict[str, Any] = field(default_factory=dict)
    problem: Problem | None = None
    events: list[Event] = field(default_factory=list)

    def only(self, event_type: type[E]) -> E:
        """The only event, which must be of this type."""
        assert self.events, f"no event; the problem: {self.problem}"
        [event] = self.events
        assert isinstance(event, event_type), f"{event!r} is no {event_type.__name__}"
        return event


class Waiting(NamedTuple):
    """A stored timer or effect: its function and id, when it is due, the number of tries, and the last error."""

    function: str
    id: UUID
    due: datetime
    attempts: int
    state: str
    why: str | None


def enveloped(event: Event, by: Actor = SYSTEM, id: UUID | None = None) -> Envelope:
    """An event in the envelope that its owner would send."""
    state = event.state
    return Envelope(
        id=id or uuid7(),
        type=event.type_name(),
        at=datetime.now(UTC),
        kind=state.kind(),
        subject=state.id,
        sequence=state.version,
        body=event.model_dump_json(),
        actor_id=by.id,
        actor_role=by.role,
        correlation_id=uuid7(),
    )


class Stage:
    """One service without a broker: commands and events are passed to it directly, and events are read from its log."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service = service.load()
        self.settings = settings
        self.database = Database(settings, service.name)
        # How far `passes` has moved the handlers' clock ahead.
        self.ahead = timedelta()
        self.database.clock = self.now
        parts = service, self.database, settings, lambda _: None
        self.command_server = CommandServer(*parts)
        self.reactor = Reactor(*parts)
        self.timers = Timers(*parts)
        self.effects = Effects(*parts)

    def now(self) -> datetime:
        """The time on the stage: handlers see it as `tx.now`."""
        return datetime.now(UTC) + self.ahead

    async def open(self) -> None:
        await migrate(self.settings, self.service.name)
        await self.database.open()

    async def close(self) -> None:
        await self.database.close()

    async def clear(self) -> None:
        """Empties every table, and sets the clock back to today."""
        self.ahead = timedelta()
        tables = await self.database.pool.fetch(
            """SELECT quote_ident(tablename) AS name FROM pg_tables
            WHERE schemaname = 'public' AND tablename NOT LIKE '%\\_version'"""
        )
        # Deleting few rows is ten times as fast as truncating. The role `replica` skips foreign keys and triggers.
        emptied = "; ".join(f"DELETE FROM {table['name']}" for table in tables)
        await self.database.pool.execute(f"SET LOCAL session_replication_role = replica; {emptied}")

    async def given(self, *records: Base) -> None:
        """Inserts existing rows, without their events."""
        async with AsyncSession(self.database.engine) as session, session.begin():
            for record in records:
                if isinstance(record, Aggregate):
                    record.version = record.version or 1
                    record.created_at = record.updated_at = datetime.now(UTC)
                session.add(record)
                await session.flush()

    async def knows(self, *views: View) -> None:
        """Inserts copies of other services' records."""
        await show(self.database.pool, views)

    async def when(
        self,
        message: RequestMessage[Any],
        by: Actor = ANYONE,
        key: str | None = None,
        seconds: float = 20.0,
        caller: Caller = INSIDE,
    ) -> Outcome:
        """Sends a request with a token of `by`, as the edge would."""
        token = None if by == ANYONE else Signer(self.settings.signing_key).token(by)
        before = await self._position()
        id = uuid7()
        answer = await self.command_server.answer(
            CommandEnvelope(
                id=id,
                type=message.type_name(),
                body=message.wire(),
                deadline=time.time() + seconds,
                token=token,
                key=key,
                caller=caller,
                correlation_id=id,
            )
        )
        reply = from_json(answer.body) if answer.body else {}
        return Outcome(reply, answer.problem, await self._since(before))

    async def hears(self, event: Event | Envelope) -> Outcome:
        """Delivers an event to the reactions, as the queue would. `parked` shows it where it was parked instead."""
        envelope = event if isinstance(event, Envelope) else enveloped(event)
        before = await self._position()
        await self.reactor.take(envelope, envelope.event())
        return Outcome(events=await self._since(before))

    async def passes(self, until: datetime | timedelta) -> Outcome:
        """Moves the clock: each timer due by then runs at its time, also those set meanwhile.

        A failed timer shows in `waiting`. It is not tried again before the next call.
        """
        until = until if isinstance(until, datetime) else self.now() + until
        before, failed = await self._position(), list[str]()
        for _ in range(MOST_TIMERS):
            first = await self.database.pool.fetchrow(FIRST_TIMER, until, failed)
            if first is None:
                self.ahead = max(self.ahead, until - datetime.now(UTC))
                return Outcome(events=await self._since(before))
            self.ahead = max(self.ahead, first["due"] - datetime.now(UTC))
            await self.database.pool.execute(TO_THE_FRONT, first["key"])
            await self.timers.worker.once(at_most=1)
            if await self.database.pool.fetchval(FAILED, first["key"]):
                failed.append(first["key"])
        raise AssertionError(f"timers set themselves again and again: {await self.waiting()}")

    async def runs_effects(self) -> Outcome:
        """Runs every effect that waits, after `tx.later` or a failure, once. Failed ones show in `waiting`."""
        before = await self._position()
        await self.database.pool.execute(
            "UPDATE task SET due = now() WHERE use = 'effect' AND state = 'waiting'"
        )
        await self.effects.worker.once(at_most=1000)
        return Outcome(events=await self._since(before))

    async def waiting(self) -> list[Waiting]:
        """The stored timers and effects, in the order in which they are due."""
        rows = await self.database.pool.fetch(
            "SELECT * FROM task WHERE use IN ('timer', 'effect') ORDER BY due, position"
        )
        return [
            Waiting(
                function=row["key"].split()[0],
                id=row["lane"],
                due=row["due"],
                attempts=row["attempts"],
                state=row["state"],
                why=row["error"].strip().splitlines()[-1] if row["error"] else None,
            )
            for row in rows
        ]

    async def projects(self, *events: Event) -> None:
        """Delivers events to the copies and projections in one batch, as the view queue would."""
        await project_batch(self.service, self.database, [(enveloped(event), event) for event in events])

    async def parked(self) -> list[tuple[UUID, str]]:
        """The parked events, in order, each with the last line of its error."""
        rows = await self.database.pool.fetch(
            "SELECT key, error FROM task WHERE use = 'parked' ORDER BY position"
        )
        return [(UUID(row["key"]), row["error"].strip().splitlines()[-1]) for row in rows]

    async def outcome_of(self, envelope: Envelope, reaction: str = "") -> str | None:
        """Why the reaction to an event did nothing; None where it did its work. Of several, the one of this name."""
        row = await self.database.pool.fetchrow(
            "SELECT outcome FROM handled WHERE event_id = $1 AND handler LIKE '%' || $2",
            envelope.id,
            reaction,
        )
        assert row is not None, "it was not handled"
        return row["outcome"]  # type: ignore[no-any-return]

    async def _position(self) -> int:
        return await self.database.pool.fetchval("SELECT coalesce(max(position), 0) FROM event_log")  # type: ignore[no-any-return]

    async def _since(self, position: int) -> list[Event]:
        rows = await self.database.pool.fetch(
            "SELECT * FROM event_log WHERE position > $1 ORDER BY position", position
        )
        return [Envelope.model_validate(dict(row)).event() for row in rows]
