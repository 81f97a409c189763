"""The transaction a handler works in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Select, event, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from sav_chassis.asking import INSIDE, Caller
from sav_chassis.database import Database, driver, utc_now
from sav_chassis.envelope import MAX_BODY, Context, Envelope
from sav_chassis.errors import ChangedSince, NotFound, NotYet, TooLarge
from sav_chassis.model import Aggregate, Base
from sav_chassis.projector import Told
from sav_chassis.revoking import revoke
from sav_chassis.settings import Settings
from sav_chassis.tasks import Asking, Errand, Use, in_order
from sav_contracts.actor import MANAGERS, NOBODY, Actor, Role
from sav_contracts.auth.policy import Policy, PolicyView
from sav_contracts.messages import Event, View, persons

A = TypeVar("A", bound=Aggregate)
B = TypeVar("B", bound=Base)
P = TypeVar("P", bound=Policy)
R = TypeVar("R")
V = TypeVar("V", bound=View)

# A timer due sooner than this wakes its worker; the worker's own poll sees the others in time.
SOON = timedelta(seconds=1)

APPENDED = (
    "id", "type", "at", "kind", "subject", "sequence", "correlation_id", "causation_id", "actor_id", "actor_role",
    "traceparent", "body",
)  # fmt: skip
APPEND = f"""
WITH logged AS (
    INSERT INTO event_log ({", ".join(APPENDED)}, persons)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    RETURNING position)
INSERT INTO outbox (position) SELECT position FROM logged"""

# Where a session finds the set of the aggregates that its transaction has changed.
CHANGED = "changed"

# Another seed than the lanes of reactions: the same word never means both.
ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 1))")


def sees(actor: Actor, record: Base | View) -> bool:
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
        self,
        session: AsyncSession,
        settings: Settings,
        context: Context,
        new_id: Callable[[], UUID] = uuid7,
        clock: Callable[[], datetime] = utc_now,
        caller: Caller = INSIDE,
        expected: frozenset[str] = frozenset(),
        between: Callable[[Awaitable[Any]], Awaitable[Any]] | None = None,
    ) -> None:
        self.session = session
        self.settings = settings
        self.context = context
        # From where a command was asked.
        self.caller = caller
        # The versions of a record that its caller knows, until it has been found in one of them.
        self._expected = expected
        # Awaits something in between two transactions; where only one is possible, None.
        self._between = between
        # In a reaction ids derive from the event, so that doing it again makes the same ones.
        self.new_id = new_id
        self._clock = clock
        self.now = clock()
        self._asked: list[Asking] = []
        self._emitted: list[Emitted] = []
        self._changed: set[Aggregate] = set()
        # Every person whom its events name; known when it is sealed.
        self.named: set[UUID] = set()
        session.info[CHANGED] = self._changed

    async def load(self, model: type[A], id: UUID, by: Actor) -> A:
        """The record, locked until the end. `NotFound` where it is absent or outside the actor's scope.

        `NotYet` where its absence may be a matter of time: for SAV itself, which only follows ids from events,
        and for records that follow another service's event.
        """
        record = await self.session.get(model, id, with_for_update=True, populate_existing=True)
        if record is not None and sees(by, record):
            self._compare(record)
            return record
        may_come = model.follows_event and (by.role in MANAGERS or by.id == id)
        if record is None and (by.role is Role.SYSTEM or may_come):
            raise NotYet(model.kind(), id)
        raise NotFound(f"there is no {model.kind()} {id}")

    async def first(self, query: Select[B]) -> B | None:
        """The first row of a query, locked until the end, or None."""
        record = (await self.session.execute(query.limit(1).with_for_update())).scalars().first()
        if isinstance(record, Aggregate):
            self._compare(record)
        return record

    def _compare(self, record: Aggregate) -> None:
        """Whether a locked record that the caller named is in a version that they know."""
        if any(version.startswith(f"{record.id}.") for version in self._expected):
            if f"{record.id}.{record.version}" not in self._expected:
                raise ChangedSince(f"the {record.kind()} has changed: it is in version {record.version}")
            self._expected = frozenset()

    def check_expected(self) -> None:
        """Raises `ChangedSince` where a version was asked for, of no record that was looked at."""
        if self._expected:
            raise ChangedSince("If-Match names another record than this changes")

    async def outside(self, work: Awaitable[R]) -> R:
        """Awaits what takes long, with no transaction open: what was read before may be another when it is done.

        Before the first change, in commands that are not answered by key (`secret` ones): they are written to be
        repeatable. `DeadlinePassed` where it is not done in time; what has not begun by then never is.
        """
        session = self.session
        if (
            self._between is None
            or session.new
            or session.dirty
            or session.deleted
            or self._emitted
            or self._asked
        ):
            raise RuntimeError("what was done so far would be lost")
        await session.rollback()
        result: R = await self._between(work)
        self.now = self._clock()
        return result

    async def alone(self, what: str) -> None:
        """Waits for whoever works on the same thing, then keeps others off it until the end; for what has no row."""
        await self.session.execute(ALONE, {"what": what})

    async def exists(self, model: type[Base], id: UUID) -> bool:
        """Whether there is such a row already."""
        return await self.session.get(model, id) is not None

    async def view(self, view: type[V], id: UUID) -> V:
        """This service's copy of another service's record, as of its newest event here; `NotYet` before the first."""
        found = await self._copy(view, id)
        if found is None:
            raise NotYet(view.kind(), id)
        return found

    async def policy(self, policy: type[P]) -> P:
        """The policy that is in force; as it comes, before any news of it."""
        found = await self._copy(PolicyView, policy.id())
        return found.in_force(policy) if found else policy()

    async def _copy(self, view: type[V], id: UUID) -> V | None:
        found = await self.session.execute(
            text("SELECT doc::text FROM view WHERE kind = :kind AND id = :id"),
            {"kind": view.kind(), "id": id},
        )
        doc = found.scalar_one_or_none()
        return view.model_validate_json(doc) if doc else None

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
            aggregate.updated_at = max(self._clock(), aggregate.updated_at + timedelta(microseconds=1))
        else:
            aggregate.created_at = aggregate.updated_at = self._clock()
        aggregate.version += 1
        told = Emitted(event_type, aggregate, aggregate.version, aggregate.updated_at, facts)
        self._emitted.append(told)

    def remind(self, timer: "Timer", id: UUID, at: datetime) -> None:
        """Calls `timer` with this id at that time, once; moves the reminder that was set for the same before."""
        self._asked.append(Asking(Use.TIMER, Errand.asked(timer.__name__, id, self.context), at))

    def forget(self, timer: "Timer", id: UUID) -> None:
        """Takes back the reminder, if there is one."""
        self._asked.append(Asking(Use.TIMER, Errand.asked(timer.__name__, id, self.context)))

    def later(self, effect: "Effect", id: UUID) -> None:
        """Runs `effect` with this id after the commit, outside any transaction, at least once.

        Where one waits already, that one will do; where one is running, another run follows it.
        """
        self._asked.append(Asking(Use.EFFECT, Errand.asked(effect.__name__, id, self.context)))

    @property
    def announced(self) -> bool:
        """Whether it has told an event."""
        return bool(self._emitted)

    @property
    def due_soon(self) -> set[Use]:
        """Whose workers have something to do as soon as it is committed."""
        soon = self._clock() + SOON
        return {
            asked.use
            for asked in self._asked
            if asked.use is Use.EFFECT or (asked.due is not None and asked.due <= soon)
        }

    async def seal(self) -> list[Envelope]:
        """Writes rows, log, outbox, timers and effects; the last thing before the commit."""
        await self.session.flush()
        silent = self._changed - {emitted.aggregate for emitted in self._emitted}
        if silent:
            raise RuntimeError(
                f"changed without an event: {', '.join(sorted(aggregate.kind() for aggregate in silent))}"
            )
        views = {id(emitted.aggregate): emitted.aggregate.view() for emitted in self._emitted}
        sealed: list[Told] = []
        rows: list[list[Any]] = []
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
            if len(envelope.body.encode()) > MAX_BODY:
                # Fields within their bounds may still be too much together; what grows is its own kind.
                raise TooLarge(f"the {envelope.kind} would be larger than {MAX_BODY} bytes: say it shorter")
            named = (persons(told) | {self.context.actor_id}) - {NOBODY}
            self.named |= named
            rows.append([*(getattr(envelope, name) for name in APPENDED), list(named)])
            sealed.append((envelope, told))
        if rows:
            await driver(self.session).executemany(APPEND, rows)
            await revoke(driver(self.session), sealed)
        for asking in in_order(self._asked):
            await asking.write(self.session)
        return [envelope for envelope, _ in sealed]


@event.listens_for(Session, "before_flush")
def _note_changes(session: Session, *_: Any) -> None:
    """For every session there is, which costs less than for each of them anew."""
    if (changed := session.info.get(CHANGED)) is not None:
        changed |= {
            record
            for record in (*session.new, *session.dirty, *session.deleted)
            if isinstance(record, Aggregate) and (record not in session.dirty or session.is_modified(record))
        }


# What is told of a transaction when it is committed.
Committed = Callable[[Tx], None]


@asynccontextmanager
async def transaction(
    database: Database, settings: Settings, context: Context, committed: Committed
) -> AsyncIterator[Tx]:
    """A transaction of SAV's own: sealed and committed at the end of the block, rolled back on an error."""
    async with AsyncSession(database.engine, expire_on_commit=False) as session, session.begin():
        tx = Tx(session, settings, context, clock=database.clock)
        yield tx
        await tx.seal()
    committed(tx)


class Begin:
    """Opens the transactions of one run of an effect: `async with begin() as tx: …` commits at the end of the block.

    `attempt` is 1 in the first run; more say that an earlier one has failed or was cut off, perhaps after its work.
    """

    def __init__(
        self, database: Database, settings: Settings, context: Context, committed: Committed, attempt: int
    ) -> None:
        self.attempt = attempt
        self._parts = database, settings, context, committed
        self._outside = asyncio.Event()
        self._outside.set()
        self._over = False

    def __call__(self) -> AbstractAsyncContextManager[Tx]:
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Tx]:
        if self._over:
            raise TimeoutError("this run has taken too long")
        self._outside.clear()
        try:
            async with transaction(*self._parts) as tx:
                yield tx
        finally:
            self._outside.set()

    async def end(self) -> None:
        """Opens no transaction any more, and returns when none is open."""
        self._over = True
        await self._outside.wait()


# What a timer returns is why it did nothing, for the log; None where it did its work.
Timer = Callable[[UUID, Tx], Awaitable[str | None]]
Effect = Callable[[UUID, Begin], Awaitable[None]]
