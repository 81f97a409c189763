"""The transaction a handler works in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeGuard, TypeVar
from uuid import UUID

from sqlalchemy import Select, event, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from sav_chassis.copies import Copies
from sav_chassis.database import Database, driver, utc_now
from sav_chassis.envelope import INSIDE, MAX_DELIVERED, Caller, Context, Envelope
from sav_chassis.errors import AnotherRecord, AnotherVersion, NoSuch, NotYet, RecordTooLarge, SavError
from sav_chassis.model import Aggregate, Base, settle, write
from sav_chassis.revocations import revoke
from sav_chassis.savepoints import Savepoints
from sav_chassis.settings import Settings
from sav_chassis.stored_names import stored_name
from sav_chassis.tasks import Job, TaskRequest, TaskUse, write_tasks
from sav_chassis.views import RecordedEvent
from sav_chassis.visibility import sees
from sav_contracts.actor import NOBODY, Actor, Role
from sav_contracts.auth.policy import Policy, PolicyView
from sav_contracts.labels import label
from sav_contracts.messages import Event, View, persons
from sav_contracts.surface import Row
from sav_contracts.visibility import ALL, Own, Rule

A = TypeVar("A", bound=Aggregate)
B = TypeVar("B", bound=Base)
P = TypeVar("P", bound=Policy)
R = TypeVar("R")
V = TypeVar("V", bound=View)

# A timer due sooner than this wakes its worker. The worker's poll finds later timers in time.
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
UNPUBLISHED = text("SELECT true FROM outbox JOIN event_log USING (position) WHERE subject = :subject LIMIT 1")

# The key in `session.info` of the set of aggregates that the transaction has changed.
CHANGED = "changed"

# The seed differs from the one of the reactions' locks, so the same key gives another lock.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(one, 1)) FROM unnest(CAST(:what AS text[])) one")


class PendingEvent(NamedTuple):
    """An emitted event before its state, the view after the transaction, is known."""

    event: Event
    aggregate: Aggregate
    sequence: int
    at: datetime


class Tx(Savepoints):
    """The unit of work of a handler: loads, adds and emits. The chassis opens it, then commits it or rolls it back."""

    def __init__(
        self,
        session: AsyncSession,
        settings: Settings,
        context: Context,
        new_id: Callable[[], UUID] = uuid7,
        clock: Callable[[], datetime] = utc_now,
        caller: Caller = INSIDE,
        expected: frozenset[str] = frozenset(),
        suspended: Callable[[Awaitable[Any]], Awaitable[Any]] | None = None,
        largest: int = MAX_DELIVERED,
        floor: int = 0,
        happened_at: datetime | None = None,
        row: Row | None = None,
    ) -> None:
        self.session = session
        self.settings = settings
        self.context = context
        # Client address and user agent of the command.
        self.caller = caller
        # The route's row, which may narrow what the caller sees.
        self._row = row
        # The versions that the caller expects of a record (`If-Match`). Emptied once the record matched one of them.
        self._expected = expected
        # Runs work between two transactions. None where the command may have only one.
        self._suspended = suspended
        # The largest body of an event, in bytes.
        self._largest = largest
        # Versions up to this one may have been published before a restore, so they are not used again.
        self._floor = floor
        # In a reaction, ids derive from the event, so that a repeated run makes the same ids.
        self.new_id = new_id
        self._clock = clock
        self.now = clock()
        # When the event of a reaction happened. That may be long ago where it was lost or parked.
        self.happened_at = happened_at or self.now
        self._asked: list[TaskRequest] = []
        self._inserted: dict[type[Base], list[Base]] = {}
        self._emitted: list[PendingEvent] = []
        self._changed: set[Aggregate] = set()
        # Every person whom its events name; known once it is sealed.
        self.named: set[UUID] = set()
        session.info[CHANGED] = self._changed

    async def load(self, model: type[A], id: UUID, by: Actor) -> A:
        """The record, locked until the transaction ends. `NotFound` where it is absent or outside the actor's scope.

        `NotYet` where an absent record may still arrive: for SAV itself, which gets ids from events only, and for
        records that another service's event creates and that the actor would see.
        """
        record: A | None = await self.session.scalar(select(model).where(model.id == id).with_for_update())
        rule = self._rule(model.shown_as(), by)
        if record is not None and await sees(self.session, rule, by, record):
            self._compare(record)
            return record
        may_come = model.follows_event and (rule == ALL or (rule == Own("id") and id == by.id))
        if record is None and (by.role is Role.SYSTEM or may_come):
            raise NotYet(model.kind(), id)
        raise NoSuch(kind=label(model.kind()), id=id)

    async def read(self, model: type[A], id: UUID, by: Actor) -> A:
        """The record, not locked: for queries. `NotFound` where it is absent or outside the actor's scope."""
        record = await self.session.get(model, id)
        if record is None or not await sees(self.session, self._rule(model.shown_as(), by), by, record):
            raise NoSuch(kind=label(model.kind()), id=id)
        return record

    def _rule(self, view: type[View], by: Actor) -> Rule:
        narrowed = self._row is not None and self._row.view is view and by.role in self._row.only
        return self._row.only[by.role] if self._row and narrowed else view.visible.to(by.role)

    async def first(self, query: Select[B]) -> B | None:
        """The first row of a query, locked until the end of the transaction, or None."""
        record = (await self.session.execute(query.limit(1).with_for_update())).scalars().first()
        if isinstance(record, Aggregate):
            self._compare(record)
        return record

    def _compare(self, record: Aggregate) -> None:
        """Checks the caller's If-Match against a locked record."""
        if any(version.startswith(f"{record.id}.") for version in self._expected):
            if f"{record.id}.{record.version}" not in self._expected:
                raise AnotherVersion(kind=label(record.kind()), version=record.version)
            self._expected = frozenset()

    def check_expected(self) -> None:
        """Raises `ChangedSince` where the caller sent `If-Match` for a record that the handler did not load."""
        if self._expected:
            raise AnotherRecord

    async def without_transaction(self, work: Awaitable[R]) -> R:
        """Awaits slow work with no transaction open. What was read before may have changed when the work is done.

        Allowed before the first change only, in commands whose answers are not stored by key (`secret` ones): they are
        written to be repeatable. `DeadlinePassed` where the work takes too long; work not started by then never starts.
        """
        session = self.session
        if (
            self._suspended is None
            or session.new
            or session.dirty
            or session.deleted
            or self._inserted
            or self._emitted
            or self._asked
        ):
            raise RuntimeError("what was done so far would be lost")
        try:
            await session.rollback()
            result: R = await self._suspended(work)
        finally:
            if isinstance(work, Coroutine):
                work.close()  # it has not started where the database was away; otherwise this does nothing
        self.now = self._clock()
        return result

    async def lock(self, *what: str) -> None:
        """Takes advisory locks in this order, until the end of the transaction, for what has no row to lock."""
        await self.session.execute(LOCK, {"what": [*what]})

    async def exists(self, model: type[Base], id: UUID) -> bool:
        """Whether a row with this id exists."""
        return await self.session.get(model, id) is not None

    async def published(self, record: Aggregate) -> bool:
        """Whether the broker has confirmed all events of this record."""
        return await self.session.scalar(UNPUBLISHED, {"subject": record.id}) is None

    async def view(
        self, view: type[V], id: UUID, by: Actor | None = None, otherwise: SavError | None = None
    ) -> V:
        """This service's copy of another service's record, as of the newest event that arrived here.

        `NotYet` before the first event. A record that `by` does not see is `NotYet` too, after the same wait and in the
        same words, so that nobody learns which ids exist. `NotFound` immediately where the id alone shows that the
        record is another person's.
        """
        copies = self.copies(view)
        if by is not None:
            rule = self._rule(view, by)
            if rule == Own("id") and id != by.id:
                raise NoSuch(kind=label(view.kind()), id=id)
            copies = copies.seen_by(by, rule)
        found = await copies.one(id)
        if found is None:
            raise NotYet(view.kind(), id, otherwise)
        return found

    def copies(self, view: type[V]) -> Copies[V]:
        """The copies that this service keeps of a view's records: `tx.copies(PaymentView).where(parent=id).all()`."""
        return Copies(self.session, view)

    async def policy(self, policy: type[P]) -> P:
        """The policy in force; its defaults before any event about it has arrived."""
        found = await self.copies(PolicyView).one(policy.id())
        return found.in_force(policy) if found else policy()

    async def flush(self) -> None:
        """Writes the changes made so far, where a constraint depends on their order."""
        await self.session.flush()

    def add(self, record: B) -> B:
        """Adds a new row."""
        self._begin(record)
        self.session.add(record)
        return record

    def insert(self, records: Iterable[Base]) -> None:
        """Adds many new rows, with one statement for each table in the end: nobody finds them before."""
        for record in records:
            if self._begin(record):
                self._changed.add(record)
            self._inserted.setdefault(type(record), []).append(record)

    def _begin(self, record: Base) -> TypeGuard[Aggregate]:
        if isinstance(record, Aggregate):
            record.version = 0
            record.created_at = record.updated_at = self.now
        return isinstance(record, Aggregate)

    def emit(self, aggregate: Aggregate[V], event: Event[V]) -> None:
        """Announces a change of the aggregate. The event gets the view as it is after the transaction."""
        # The clock is read while the record is locked, and never goes back within an aggregate.
        if aggregate.version:
            aggregate.updated_at = max(self._clock(), aggregate.updated_at + timedelta(microseconds=1))
        else:
            aggregate.created_at = aggregate.updated_at = self._clock()
        aggregate.version = max(aggregate.version, self._floor) + 1
        self._emitted.append(PendingEvent(event, aggregate, aggregate.version, aggregate.updated_at))

    def remind(self, timer: "Timer", id: UUID, at: datetime) -> None:
        """Calls `timer` with this id at that time, once. Replaces an earlier reminder of the same timer and id."""
        self._asked.append(TaskRequest(TaskUse.TIMER, Job.asked(stored_name(timer), id, self.context), at))

    def forget(self, timer: "Timer", id: UUID) -> None:
        """Removes the reminder, if there is one."""
        self._asked.append(TaskRequest(TaskUse.TIMER, Job.asked(stored_name(timer), id, self.context)))

    def later(self, effect: "Effect", id: UUID, after: timedelta = timedelta()) -> None:
        """Runs `effect` with this id after the commit, outside any transaction, at least once; not before `after`.

        A run that is already waiting serves this request too. Where one is running, another run follows it.
        """
        due = self.now + after if after else None
        self._asked.append(TaskRequest(TaskUse.EFFECT, Job.asked(stored_name(effect), id, self.context), due))

    @property
    def has_emitted(self) -> bool:
        """Whether any event was emitted."""
        return bool(self._emitted)

    @property
    def due_soon(self) -> set[TaskUse]:
        """The uses whose workers have something to do as soon as this transaction is committed."""
        soon = self._clock() + SOON
        return {
            asked.use
            for asked in self._asked
            if (asked.due is not None and asked.due <= soon)
            or (asked.use is TaskUse.EFFECT and asked.due is None)
        }

    async def seal(self) -> list[Envelope]:
        """Writes rows, log, outbox, timers and effects; the last step before the commit. Answers the envelopes."""
        await settle(self, (emitted.aggregate for emitted in self._emitted))
        await self.session.flush()
        await write(self.session, self._inserted)
        if silent := self._changed - {emitted.aggregate for emitted in self._emitted}:
            raise RuntimeError(
                f"changed without an event: {', '.join(sorted(aggregate.kind() for aggregate in silent))}"
            )
        views = {id(emitted.aggregate): emitted.aggregate.view() for emitted in self._emitted}
        sealed: list[RecordedEvent] = []
        rows: list[list[Any]] = []
        context = self.context.model_dump()
        for emitted in self._emitted:
            event = emitted.event.with_state(views[id(emitted.aggregate)])
            envelope = Envelope(
                **context,
                id=uuid7(),
                type=event.type_name(),
                at=emitted.at,
                kind=event.state.kind(),
                subject=emitted.aggregate.id,
                sequence=emitted.sequence,
                body=event.model_dump_json(),
            )
            if len(envelope.body.encode()) > self._largest:
                # Fields within their bounds may still be too large together. A growing list needs records of its own.
                raise RecordTooLarge(kind=label(envelope.kind), largest=self._largest)
            named = (persons(event) | {self.context.actor_id}) - {NOBODY}
            self.named |= named
            rows.append([*(getattr(envelope, name) for name in APPENDED), list(named)])
            sealed.append((envelope, event))
        if rows:
            await driver(self.session).executemany(APPEND, rows)
            await revoke(driver(self.session), sealed)
        await write_tasks(self.session, self._asked)
        return [envelope for envelope, _ in sealed]


@event.listens_for(Session, "before_flush")
def _note_changes(session: Session, *_: Any) -> None:
    """One listener for all sessions is cheaper than one for each."""
    if (changed := session.info.get(CHANGED)) is not None:
        changed |= {
            record
            for record in (*session.new, *session.dirty, *session.deleted)
            if isinstance(record, Aggregate) and (record not in session.dirty or session.is_modified(record))
        }


# Called with each transaction that was committed.
OnCommit = Callable[[Tx], None]


@asynccontextmanager
async def transaction(
    database: Database, settings: Settings, context: Context, committed: OnCommit
) -> AsyncIterator[Tx]:
    """A transaction in SAV's own name: sealed and committed at the end of the block, rolled back on an error."""
    async with AsyncSession(database.engine, expire_on_commit=False) as session, session.begin():
        tx = Tx(session, settings, context, clock=database.clock, floor=database.floor)
        yield tx
        await tx.seal()
    committed(tx)


class EffectRun:
    """Opens the transactions of one effect run: `async with begin() as tx: …` commits at the end of the block.

    `attempt` is 1 in the first run. In a later one, an earlier run failed or was cut off, perhaps after its work.
    """

    def __init__(
        self, database: Database, settings: Settings, context: Context, committed: OnCommit, attempt: int
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
        """Refuses further transactions, and returns when none is open."""
        self._over = True
        await self._outside.wait()


# Returns why the timer did nothing, for the log; None where it did its work.
Timer = Callable[[UUID, Tx], Awaitable[str | None]]
Effect = Callable[[UUID, EffectRun], Awaitable[None]]
