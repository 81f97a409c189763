"""`sav replay rebuild`: rebuilds a read side from the logs, while reads and its own projection go on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import asyncpg

from sav_chassis import backoff
from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.events import projections as projecting
from sav_chassis.settings import Settings
from sav_chassis.views import RecordedEvent
from sav_ops import rooms
from sav_ops.databases import Databases, connected, opened
from sav_ops.home import OpsError
from sav_ops.replay import event_logs, missed_revocations, shadow_tables
from sav_ops.replay.shadow_tables import Difference, Shadow
from sav_ops.terminal.console import out
from sav_ops.terminal.progress_bar import Tell, counting
from sav_ops.terminal.text import printable

BATCH = 1000
# Catching up ends when a round had no more events than this: the rest is read while the live projection waits.
FEW = 500
# Seconds to wait for events that are in the logs and on their way to the live tables.
PATIENCE = 10.0


class ReadSide(NamedTuple):
    """A room's read side: which events it uses (None: all), its tables, and the projection that fills them.

    `begun` is called with a session that sees the new, empty tables; `filled` with the schema of the filled ones, before the
    swap; `replaced` announces the change to the followers of the tables, in the transaction of the swap.
    """

    types: list[str] | None
    tables: Sequence[str]
    apply: Callable[["asyncpg.Connection[Any]", Sequence[RecordedEvent]], Awaitable[None]]
    begun: Callable[["asyncpg.Connection[Any]"], Awaitable[None]] | None = None
    filled: Callable[["asyncpg.Connection[Any]", str], Awaitable[None]] | None = None
    replaced: Callable[["asyncpg.Connection[Any]"], Awaitable[None]] | None = None

    @property
    def owners(self) -> list[str]:
        if self.types is None:
            return list(rooms.SERVICES)
        named = {type_name.partition(".")[0] for type_name in self.types}
        return [owner for owner in rooms.SERVICES if owner in named]


class Rebuilt(NamedTuple):
    """What a rebuild read, found and did.

    `writers_waited` and `readers_waited` are seconds at most; the latter is None if nothing was replaced.
    `revocations`: how many revocations of access the room had missed; they are in force now.
    """

    events: int
    rows: int
    differences: list[Difference]
    revocations: int
    seconds: float
    writers_waited: float
    readers_waited: float | None


def read_side(room: str) -> ReadSide:
    """Return a room's read side; OpsError if it has none."""
    if room == rooms.EDGE:
        from sav_edge import changes, completeness, declared, projection

        return ReadSide(
            types=None,
            tables=projection.TABLES,
            apply=projection.replay,
            begun=completeness.mark_complete,
            filled=declared.replace_words,
            replaced=changes.replaced,
        )
    if room in rooms.SERVICES:
        service = rooms.load(room).load()
        if types := service.bindings().get(f"{room}.views"):
            return ReadSide(types, projecting.tables(service), partial(projecting.write, service))
    raise OpsError(f"There is no read side of {room}; there are: {', '.join(read_sides())}.")


def read_sides() -> list[str]:
    return [room for room in rooms.ROOMS if f"{room}.views" in rooms.load(room).bindings()]


def show(settings: Settings, room: str, compare: bool) -> bool:
    """Rebuild, or only `compare`, and print the result; False if something still differs."""
    with counting(room) as tell:
        found = asyncio.run(rebuild(settings, room, swap=not compare, progress=tell))
    name_wrongs(found)
    out.print(
        f"{found.events:,} events made {found.rows:,} rows in {found.seconds:.1f} s; "
        + ("what differed is named above." if found.differences else "nothing differs.")
    )
    if found.readers_waited is None:
        return not found.differences
    out.print(
        f"{room} reads what was rebuilt. Reads waited {found.readers_waited * 1000:.0f} ms at most, "
        f"its projection {found.writers_waited * 1000:.0f} ms."
    )
    return True


def fill(settings: Settings) -> None:
    """Rebuild the edge's read model where it does not hold everything: its database is new, or was wiped."""
    if not asyncio.run(_is_complete(settings)):
        out.print("The read model does not hold everything: it is filled from the logs.")
        show(settings, rooms.EDGE, compare=False)


async def _is_complete(settings: Settings) -> bool:
    from sav_edge.completeness import IS_COMPLETE

    async with connected(settings, rooms.EDGE) as edge:
        return bool(await edge.fetchval(f"SELECT {IS_COMPLETE}"))


def name_wrongs(found: Rebuilt) -> None:
    """Print where the read side differed from the logs."""
    for difference in found.differences:
        out.print(printable(str(difference)), markup=False, soft_wrap=True)
    if found.revocations:
        out.print(f"revoked: {found.revocations:,} had not come; they count now.")


async def rebuild(
    settings: Settings,
    room: str,
    batch: int = BATCH,
    progress: Tell = lambda done, total: None,
    swap: bool = True,
    patience: float = PATIENCE,
    unless_same: bool = False,
) -> Rebuilt:
    """Rebuild a room's read side in shadow tables, compare them with the live ones, and (`swap`) replace these.

    With `swap`, missed revocations come into force, too. `unless_same`: replace nothing if nothing differs.
    """
    began, side = time.monotonic(), read_side(room)
    async with (
        opened(settings, side.owners) as logs,
        shadow_tables.made(settings, room, side.tables) as tables,
    ):
        if side.begun:
            await side.begun(tables.filling)
        replay = Replay(side, logs, tables, batch, progress)
        await replay.catch_up()
        await tables.finish()
        await replay.compare(patience)
        differences, rows = await tables.differences(), await tables.rows()
        if swap and (differences or not unless_same):
            if side.filled:
                await side.filled(tables.gate, shadow_tables.SCHEMA)
            await replay.take_over()
    revoked = await missed_revocations.make_good(settings, room, replay.revoking) if swap else 0
    seconds = time.monotonic() - began
    return Rebuilt(
        replay.events, rows, differences, revoked, seconds, replay.writers_waited, replay.readers_waited
    )


class Replay:
    """Reads the logs into the shadow tables, in rounds until it has caught up."""

    def __init__(self, side: ReadSide, logs: Databases, tables: Shadow, batch: int, progress: Tell) -> None:
        self.events = 0
        # Of these events, those that revoke tokens which have not expired yet.
        self.revoking: list[RecordedEvent] = []
        self.writers_waited = 0.0
        self.readers_waited: float | None = None
        self._side = side
        self._logs = logs
        self._tables = tables
        self._batch = batch
        self._progress = progress
        # The position up to which each log has been read completely.
        self._read = dict.fromkeys(logs, 0)

    async def catch_up(self) -> None:
        """Read rounds of events until one has no more than `FEW`."""
        while await self._round() > FEW:
            pass

    async def _round(self) -> int:
        before = self.events
        total = before + sum(
            [
                await event_logs.size(log, self._side.types, self._read[owner])
                for owner, log in self._logs.items()
            ]
        )
        for owner, log in self._logs.items():
            certain = await event_logs.certain(log)
            await self._apply(owner, total)
            self._read[owner] = certain
        return self.events - before

    async def _apply(self, owner: str, total: int = 0) -> None:
        """Apply what a log has more. While the database writes a batch, the next one is read and decoded."""
        writing: asyncio.Task[None] | None = None
        try:
            async for envelopes in event_logs.read(
                self._logs[owner], self._side.types, self._batch, self._read[owner]
            ):
                events = [(envelope, decoded(envelope)) for envelope in envelopes]
                if writing:
                    await writing
                writing = asyncio.create_task(self._write(events, total))
        finally:
            if writing:
                await writing

    async def _write(self, events: Sequence[RecordedEvent], total: int) -> None:
        async with self._tables.filling.transaction():
            await self._side.apply(self._tables.filling, events)
        self.events += len(events)
        self.revoking += missed_revocations.that_matter(events)
        self._progress(self.events, max(total, self.events))

    async def _to_the_end(self) -> None:
        """Read every event that the live tables may contain; called while nobody writes them."""
        left = await asyncio.gather(
            *(event_logs.size(log, self._side.types, self._read[owner]) for owner, log in self._logs.items())
        )
        for owner, events in zip(self._logs, left, strict=True):
            if events:
                await self._apply(owner)

    async def compare(self, patience: float) -> None:
        """Note what differs from the live tables, except events that are still on their way to them."""
        await self._while_writers_wait(self._tables.freeze)
        await self._tables.compare()
        await self._tables.settle(patience)

    async def take_over(self) -> None:
        """Replace the live tables with the rebuilt ones."""
        await self._while_writers_wait(self._swap)

    async def _swap(self) -> None:
        await self._tables.take_over()
        if self._side.replaced:
            await self._side.replaced(self._tables.gate)

    async def _while_writers_wait(self, then: Callable[[], Awaitable[None]]) -> None:
        """Call `then` while nobody writes the live tables, and the shadow has every event that these may contain.

        If another transaction is slow, give up and try again: others wait behind the lock that we ask for.
        OpsError after `shadow_tables.TRIES` attempts.
        """
        for attempt in range(1, shadow_tables.TRIES + 1):
            await self.catch_up()
            began = time.monotonic()
            try:
                async with self._tables.writers_out():
                    await self._to_the_end()
                    await then()
                return
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                await asyncio.sleep(backoff.pause(attempt, longest=1.0))
            finally:
                self._note_waiting(began)
        raise OpsError(
            "Somebody reads or writes these tables without an end; nothing was changed: try again."
        )

    def _note_waiting(self, began: float) -> None:
        now = time.monotonic()
        self.writers_waited = max(self.writers_waited, now - began)
        if since := self._tables.readers_wait_since:
            self.readers_waited = max(self.readers_waited or 0, now - since)
            self._tables.readers_wait_since = None


def decoded(envelope: Envelope) -> Any:
    try:
        return envelope.event()
    except Undecodable as error:
        raise OpsError(
            f"Today's code cannot read an event of the log, and nothing was changed: {error}"
        ) from None
