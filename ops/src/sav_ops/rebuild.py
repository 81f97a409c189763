"""`sav replay rebuild`: a read side made anew from the logs, while reads and its own projection go on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import asyncpg

from sav_chassis import projecting
from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.projector import Told
from sav_chassis.settings import Settings
from sav_ops import history, revocations, rooms, shadow
from sav_ops.home import Problem
from sav_ops.progress import Tell, counting
from sav_ops.shadow import Difference, Shadow
from sav_ops.status import printable
from sav_ops.steps import out

BATCH = 1000
# So few events are read at once while the live projection waits.
FEW = 500
# Seconds in which the queue brings what the logs had before the live tables.
PATIENCE = 10.0


class ReadSide(NamedTuple):
    """What a room keeps of the logs: which events (None: all), in which tables, by which projection.

    `replaced` tells those who follow its changes, in the transaction of the swap.
    """

    types: list[str] | None
    tables: Sequence[str]
    apply: Callable[["asyncpg.Connection[Any]", Sequence[Told]], Awaitable[None]]
    replaced: Callable[["asyncpg.Connection[Any]"], Awaitable[None]] | None = None

    @property
    def owners(self) -> list[str]:
        if self.types is None:
            return list(rooms.SERVICES)
        named = {type_name.partition(".")[0] for type_name in self.types}
        return [owner for owner in rooms.SERVICES if owner in named]


class Rebuilt(NamedTuple):
    """What a rebuild read, found and did; `readers_waited` (seconds at most) is None where nothing was replaced.

    `revocations` of access had not come, and count now.
    """

    events: int
    rows: int
    differences: list[Difference]
    revocations: int
    seconds: float
    writers_waited: float
    readers_waited: float | None


def read_side(room: str) -> ReadSide:
    """What a room keeps of the logs; a Problem where it keeps nothing."""
    if room == rooms.EDGE:
        from sav_edge import changes, projection

        return ReadSide(None, projection.TABLES, projection.replay, changes.replaced)
    if room in rooms.SERVICES:
        service = rooms.load(room).load()
        if types := service.bindings().get(f"{room}.views"):
            return ReadSide(types, projecting.tables(service), partial(projecting.write, service))
    raise Problem(f"There is no read side of {room}; there are: {', '.join(read_sides())}.")


def read_sides() -> list[str]:
    return [room for room in rooms.ROOMS if f"{room}.views" in rooms.load(room).bindings()]


def show(settings: Settings, room: str, compare: bool) -> bool:
    """Rebuild, or only compare, and print what was found; False where something differed and still does."""
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


def name_wrongs(found: Rebuilt) -> None:
    """Print what was not as the logs have it."""
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
    """Make a room's read side anew beside the live one, compare the two, and (`swap`) put it in its place.

    Revocations that had not come count then, too. `unless_same`: where nothing differs, nothing is replaced.
    """
    began, side = time.monotonic(), read_side(room)
    async with (
        history.opened(settings, side.owners) as logs,
        shadow.made(settings, room, side.tables) as tables,
    ):
        replay = Replay(side, logs, tables, batch, progress)
        await replay.catch_up()
        await tables.finish()
        await replay.compare(patience)
        differences, rows = await tables.differences(), await tables.rows()
        if swap and (differences or not unless_same):
            await replay.take_over()
    revoked = await revocations.make_good(settings, room, replay.revoking) if swap else 0
    seconds = time.monotonic() - began
    return Rebuilt(
        replay.events, rows, differences, revoked, seconds, replay.writers_waited, replay.readers_waited
    )


class Replay:
    """Reads the logs into the shadow, as far as they go, again and again."""

    def __init__(
        self, side: ReadSide, logs: history.Logs, tables: Shadow, batch: int, progress: Tell
    ) -> None:
        self.events = 0
        # Of these events those that revoke what may still be used.
        self.revoking: list[Told] = []
        self.writers_waited = 0.0
        self.readers_waited: float | None = None
        self._side = side
        self._logs = logs
        self._tables = tables
        self._batch = batch
        self._progress = progress
        # Up to which position each log has been read for good.
        self._read = dict.fromkeys(logs, 0)

    async def catch_up(self) -> None:
        """Returns when few events came since they were last looked for."""
        while await self._round() > FEW:
            pass

    async def _round(self) -> int:
        before = self.events
        total = before + sum(
            [
                await history.size(log, self._side.types, self._read[owner])
                for owner, log in self._logs.items()
            ]
        )
        for owner, log in self._logs.items():
            certain = await history.certain(log)
            await self._apply(owner, total)
            self._read[owner] = certain
        return self.events - before

    async def _apply(self, owner: str, total: int = 0) -> None:
        async for envelopes in history.read(
            self._logs[owner], self._side.types, self._batch, self._read[owner]
        ):
            told = [(envelope, decoded(envelope)) for envelope in envelopes]
            async with self._tables.filling.transaction():
                await self._side.apply(self._tables.filling, told)
            self.events += len(told)
            self.revoking += revocations.that_matter(told)
            self._progress(self.events, max(total, self.events))

    async def _to_the_end(self) -> None:
        """Every event that the live tables may have been told of: called while nobody writes them."""
        left = await asyncio.gather(
            *(history.size(log, self._side.types, self._read[owner]) for owner, log in self._logs.items())
        )
        for owner, events in zip(self._logs, left, strict=True):
            if events:
                await self._apply(owner)

    async def compare(self, patience: float) -> None:
        """Notes what differs from the live tables, but for what is only on its way to them."""
        await self._alone(self._tables.freeze)
        await self._tables.compare()
        await self._tables.settle(patience)

    async def take_over(self) -> None:
        """From now on the read side reads and writes what was rebuilt."""
        await self._alone(self._swap)

    async def _swap(self) -> None:
        await self._tables.take_over()
        if self._side.replaced:
            await self._side.replaced(self._tables.gate)

    async def _alone(self, then: Callable[[], Awaitable[None]]) -> None:
        """Does something while nobody writes the live tables and the shadow has every event that these may have.

        Tries again where somebody is slow: the others wait behind them and us, so we give up first.
        """
        for attempt in range(shadow.TRIES):
            await self.catch_up()
            began = time.monotonic()
            try:
                async with self._tables.writers_out():
                    await self._to_the_end()
                    await then()
                return
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                await asyncio.sleep(min(0.1 * 2**attempt, 1))
            finally:
                self._note_waiting(began)
        raise Problem("Somebody reads or writes these tables without an end; nothing was changed: try again.")

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
        raise Problem(
            f"Today's code cannot read an event of the log, and nothing was changed: {error}"
        ) from None
