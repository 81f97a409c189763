"""The test kit: a service on a real database. Given rows, when a command or an event, then the reply and the events.

stage.given(Reclamation(...))
outcome = await stage.when(AssignTechnician(...), by=marie)
assert outcome.events == [...]
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis.answering import Answerer
from sav_chassis.asking import Ask
from sav_chassis.database import Database
from sav_chassis.envelope import Envelope
from sav_chassis.errors import Problem
from sav_chassis.identity import Signer
from sav_chassis.migrate import migrate
from sav_chassis.model import Aggregate, Base
from sav_chassis.projector import show
from sav_chassis.reacting import Reactor
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_contracts.actor import ANYONE, SYSTEM, Actor
from sav_contracts.messages import Asked, Event, View

E = TypeVar("E", bound=Event)


@dataclass
class Outcome:
    """What came of it: the reply as the caller reads it, or the problem; the events, in the log's order."""

    reply: dict[str, Any] = field(default_factory=dict)
    problem: Problem | None = None
    events: list[Event] = field(default_factory=list)

    def only(self, event_type: type[E]) -> E:
        """The one event there is, which must be of this type."""
        assert self.events, f"no event; the problem: {self.problem}"
        [event] = self.events
        assert isinstance(event, event_type), f"{event!r} is no {event_type.__name__}"
        return event


def enveloped(event: Event, by: Actor = SYSTEM, id: UUID | None = None) -> Envelope:
    """An event as its owner would have sent it."""
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
    """One service without a broker: commands and events are handed to it, its log is read back."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service = service.load()
        self.settings = settings
        self.database = Database(settings, service.name)
        self.answerer = Answerer(service, self.database, settings, lambda: None)
        self.reactor = Reactor(service, self.database, settings, lambda: None)

    async def open(self) -> None:
        await migrate(self.settings, self.service.name)
        await self.database.open()

    async def close(self) -> None:
        await self.database.close()

    async def clear(self) -> None:
        """Empties every table."""
        tables = await self.database.pool.fetch(
            """SELECT quote_ident(tablename) AS name FROM pg_tables
            WHERE schemaname = 'public' AND tablename NOT LIKE '%\\_version'"""
        )
        await self.database.pool.execute(f"TRUNCATE {', '.join(table['name'] for table in tables)}")

    async def given(self, *records: Base) -> None:
        """Rows that are there already, without their events."""
        async with AsyncSession(self.database.engine) as session, session.begin():
            for record in records:
                if isinstance(record, Aggregate):
                    record.version = record.version or 1
                    record.created_at = record.updated_at = datetime.now(UTC)
                session.add(record)
                await session.flush()

    async def knows(self, *views: View) -> None:
        """Copies of other services' records that have arrived."""
        await show(self.database.pool, views)

    async def when(
        self, message: Asked[Any], by: Actor = ANYONE, key: str | None = None, seconds: float = 2.0
    ) -> Outcome:
        """Asks with a token of `by`, as the edge would."""
        token = None if by == ANYONE else Signer(self.settings.signing_key).token(by)
        before = await self._position()
        id = uuid7()
        answer = await self.answerer.answer(
            Ask(
                id=id,
                type=message.type_name(),
                body=message.wire(),
                deadline=time.time() + seconds,
                token=token,
                key=key,
                correlation_id=id,
            )
        )
        reply = from_json(answer.body) if answer.body else {}
        return Outcome(reply, answer.problem, await self._since(before))

    async def hears(self, event: Event | Envelope) -> Outcome:
        """Tells it an event, as its queue would; what is parked instead of done shows in `parked`."""
        envelope = event if isinstance(event, Envelope) else enveloped(event)
        before = await self._position()
        await self.reactor.take(envelope, envelope.event())
        return Outcome(events=await self._since(before))

    async def parked(self) -> list[tuple[UUID, str]]:
        """The parked events and the last line of why, in order."""
        rows = await self.database.pool.fetch(
            "SELECT key, error FROM task WHERE use = 'parked' ORDER BY position"
        )
        return [(UUID(row["key"]), row["error"].strip().splitlines()[-1]) for row in rows]

    async def outcome_of(self, envelope: Envelope) -> str | None:
        """Why the reactions to an event did nothing; None where they did their work."""
        row = await self.database.pool.fetchrow(
            "SELECT outcome FROM handled WHERE event_id = $1", envelope.id
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
