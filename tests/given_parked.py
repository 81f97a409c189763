"""Claims with a reaction that fails when told to, and what is parked by it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_views import a
from sqlalchemy import text

from sav_chassis.envelope import Envelope
from sav_chassis.errors import NotYet
from sav_chassis.service import Reaction, ReactionFunction, Service
from sav_chassis.settings import Settings
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianView
from sav_ops.parked import task_list

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KARIM, SOFIA = world.karim.id, world.sofia.id
ROOM = ("claims",)
PUT = """INSERT INTO task (use, key, lane, due, attempts, state, error, message, persons, leased_until)
    VALUES ($1, $2, $3, now() + $4, $5, $6, $7, '{"function": "remind"}', '{}', now() + $8)"""
TABLE = "CREATE TABLE IF NOT EXISTS heard (position int GENERATED ALWAYS AS IDENTITY, id uuid, version int)"
HEAR = text("INSERT INTO heard (id, version) VALUES (:id, :version)")
HEARD = text("SELECT 1 FROM heard WHERE id = :id AND version = :version")


class Cursed:
    """Claims, with a reaction of ours that cannot bear news of certain technicians."""

    def __init__(self) -> None:
        self.failing: set[UUID] = set()
        # Versions that cannot be heard without the one before.
        self.needing: set[int] = set()
        # It stands still in the middle of a reaction while this is not set.
        self.go = asyncio.Event()
        self.go.set()
        self.inside = asyncio.Event()
        self.service: Service = claims.load()

    async def hear(self, event: TechnicianChanged, tx: Tx) -> None:
        state = event.state
        self.inside.set()
        await self.go.wait()
        if state.id in self.failing and state.version == 1:
            raise ZeroDivisionError(f"{state.name} divided by zero")
        if state.version in self.needing and not await heard(tx, state.id, state.version - 1):
            raise NotYet("technician", state.id)
        await tx.session.execute(HEAR, {"id": state.id, "version": state.version})

    async def count(self, event: TechnicianChanged, tx: Tx) -> None:
        """Another reaction to the same news."""
        await tx.session.execute(HEAR, {"id": event.state.id, "version": -event.state.version})


async def heard(tx: Tx, id: UUID, version: int) -> bool:
    found = await tx.session.execute(HEARD, {"id": id, "version": version})
    return found.first() is not None


@contextmanager
def reacting(cursed: Cursed, *reactions: ReactionFunction) -> Iterator[None]:
    """Claims reacts so for as long as this lasts."""
    before = cursed.service.reactions.pop(TechnicianChanged, [])
    cursed.service.reactions[TechnicianChanged] = [Reaction(one.__name__, None, one) for one in reactions]
    try:
        yield
    finally:
        cursed.service.reactions[TechnicianChanged] = before
        if not before:
            del cursed.service.reactions[TechnicianChanged]


@asynccontextmanager
async def on_stage(settings: Settings, cursed: Cursed) -> AsyncIterator[Stage]:
    stage = Stage(cursed.service, settings.model_copy(update={"database_prefix": "ops_parked"}))
    await stage.open()
    await stage.database.pool.execute(TABLE)
    await stage.clear()
    try:
        yield stage
    finally:
        await stage.close()


@asynccontextmanager
async def at_work(stage: Stage) -> AsyncIterator[None]:
    """The service tries again what is due, as its process would."""

    stopped = asyncio.Event()

    async def work() -> None:
        while not stopped.is_set():
            pause = await stage.reactor.release_due()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), min(pause, 0.05))

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        stopped.set()
        await working


def news(technician: UUID, version: int) -> Envelope:
    state = a(TechnicianView, technician, version=version, technician_id=technician)
    return enveloped(TechnicianChanged(state=state))


async def park(stage: Stage, cursed: Cursed, technician: UUID = KARIM, events: int = 1) -> list[str]:
    """The keys of events that failed and of those that wait behind; they are not due soon, the first is dead."""
    cursed.failing.add(technician)
    told = [news(technician, version) for version in range(1, events + 1)]
    for envelope in told:
        await stage.hears(envelope)
    await stage.database.pool.execute(
        "UPDATE task SET state = 'dead', attempts = 9 WHERE key = $1", str(told[0].id)
    )
    return [str(envelope.id) for envelope in told]


async def put(
    stage: Stage,
    key: str,
    use: str = "timer",
    attempts: int = 0,
    state: str = "waiting",
    due: timedelta = timedelta(days=1),
    leased: timedelta | None = None,
) -> None:
    error = 'Traceback:\n  File "x", line 1, in y\nValueError: it\n  is odd' if attempts else None
    lane = UUID(key.split()[-1])
    await stage.database.pool.execute(PUT, use, key, lane, due, attempts, state, error, leased)


async def known(stage: Stage) -> list[task_list.Task]:
    return await task_list.tasks(stage.settings, ROOM)


async def told(
    capsys: pytest.CaptureFixture[str], tell: Callable[..., Any], *arguments: Any
) -> tuple[str, Any]:
    capsys.readouterr()
    result = await asyncio.to_thread(tell, *arguments)
    return capsys.readouterr().out, result
