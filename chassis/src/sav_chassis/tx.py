"""The transaction a handler works in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Select, event, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from sav_chassis.envelope import Context, Envelope
from sav_chassis.errors import NotFound, NotYet
from sav_chassis.model import Aggregate, Base
from sav_chassis.settings import Settings
from sav_contracts.actor import MANAGERS, NOBODY, Actor, Role
from sav_contracts.messages import Event, View, persons

A = TypeVar("A", bound=Aggregate)
B = TypeVar("B", bound=Base)
V = TypeVar("V", bound=View)

MAX_EVENT_BYTES = 32_000

APPEND = text(
    """WITH logged AS (
        INSERT INTO event_log (id, type, at, kind, subject, sequence, correlation_id, causation_id, actor_id,
                               actor_role, traceparent, body, persons)
        VALUES (:id, :type, :at, :kind, :subject, :sequence, :correlation_id, :causation_id, :actor_id,
                :actor_role, :traceparent, :body, :persons)
        RETURNING position)
    INSERT INTO outbox (position) SELECT position FROM logged"""
)


def sees(actor: Actor, record: Base) -> bool:
    """Whether a record is within the actor's scope: their own as client or person, theirs as technician, or all."""
    if actor.role in MANAGERS or actor.role is Role.SYSTEM:
        return True
    column = {Role.CLIENT: "client_id", Role.TECHNICIAN: "technician_id"}.get(actor.role)
    return actor.id in {getattr(record, "user_id", None), getattr(record, column, None) if column else None}


class Emitted(NamedTuple):
    """An event before its state is known."""

    type: type[Event]
    aggregate: Aggregate
    sequence: int
    at: datetime
    facts: dict[str, Any]


class Tx:
    """Loads, adds and announces. The chassis opens it, commits once or rolls all back; a handler never does."""

    def __init__(
        self, session: AsyncSession, settings: Settings, context: Context, new_id: Callable[[], UUID] = uuid7
    ) -> None:
        self.session = session
        self.settings = settings
        self.context = context
        # In a reaction ids derive from the event, so that doing it again makes the same ones.
        self.new_id = new_id
        self.now = datetime.now(UTC)
        self._emitted: list[Emitted] = []
        self._changed: set[Aggregate] = set()
        event.listen(session.sync_session, "before_flush", self._note_changes)

    async def load(self, model: type[A], id: UUID, by: Actor) -> A:
        """The record, locked until the end. `NotFound` where it is absent or outside the actor's scope.

        `NotYet` where its absence may be a matter of time: for SAV itself, which only follows ids from events,
        and for records that follow another service's event.
        """
        record = await self.session.get(model, id, with_for_update=True, populate_existing=True)
        if record is not None and sees(by, record):
            return record
        may_come = model.follows_event and (by.role in MANAGERS or by.id == id)
        if record is None and (by.role is Role.SYSTEM or may_come):
            raise NotYet(model.kind(), id)
        raise NotFound(f"there is no {model.kind()} {id}")

    async def first(self, query: Select[B]) -> B | None:
        """The first row of a query, locked until the end, or None."""
        return (await self.session.execute(query.limit(1).with_for_update())).scalars().first()

    async def exists(self, model: type[Base], id: UUID) -> bool:
        """Whether there is such a row already."""
        return await self.session.get(model, id) is not None

    async def view(self, view: type[V], id: UUID) -> V:
        """This service's copy of another service's record, as of its newest event here; `NotYet` before the first."""
        found = await self.session.execute(
            text("SELECT doc::text FROM view WHERE kind = :kind AND id = :id"),
            {"kind": view.kind(), "id": id},
        )
        doc = found.scalar_one_or_none()
        if doc is None:
            raise NotYet(view.kind(), id)
        return view.model_validate_json(doc)

    async def flush(self) -> None:
        """Writes what changed so far, where a constraint minds the order."""
        await self.session.flush()

    def add(self, record: B) -> B:
        """Makes a new row."""
        if isinstance(record, Aggregate):
            record.version = 0
            record.created_at = record.updated_at = self.now
        self.session.add(record)
        return record

    def emit(self, event_type: type[Event], aggregate: Aggregate, **facts: Any) -> None:
        """Announces a change of the aggregate; the event carries the facts and the view after the transaction."""
        # The clock is read under the lock, and never goes back within an aggregate.
        if aggregate.version:
            aggregate.updated_at = max(datetime.now(UTC), aggregate.updated_at + timedelta(microseconds=1))
        else:
            aggregate.created_at = aggregate.updated_at = datetime.now(UTC)
        aggregate.version += 1
        told = Emitted(event_type, aggregate, aggregate.version, aggregate.updated_at, facts)
        self._emitted.append(told)

    async def seal(self) -> list[Envelope]:
        """Writes rows, log and outbox; the last thing before the commit."""
        await self.session.flush()
        silent = self._changed - {emitted.aggregate for emitted in self._emitted}
        if silent:
            raise RuntimeError(
                f"changed without an event: {', '.join(sorted(aggregate.kind() for aggregate in silent))}"
            )
        views = {id(emitted.aggregate): emitted.aggregate.view() for emitted in self._emitted}
        envelopes = []
        for emitted in self._emitted:
            told = emitted.type(state=views[id(emitted.aggregate)], **emitted.facts)
            envelope = Envelope(
                **self.context.model_dump(),
                id=uuid7(),
                type=emitted.type.type_name(),
                at=emitted.at,
                kind=told.state.kind(),
                subject=emitted.aggregate.id,
                sequence=emitted.sequence,
                body=told.model_dump_json(),
            )
            if len(envelope.body.encode()) > MAX_EVENT_BYTES:
                raise RuntimeError(
                    f"{envelope.type} is over {MAX_EVENT_BYTES} bytes; what grows is its own kind"
                )
            named = (persons(told) | {self.context.actor_id}) - {NOBODY}
            await self.session.execute(APPEND, envelope.model_dump() | {"persons": list(named)})
            envelopes.append(envelope)
        return envelopes

    def _note_changes(self, session: Session, *_: Any) -> None:
        self._changed |= {
            record
            for record in (*session.new, *session.dirty, *session.deleted)
            if isinstance(record, Aggregate) and (record not in session.dirty or session.is_modified(record))
        }
