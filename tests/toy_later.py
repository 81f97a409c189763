"""A toy service that does things later: a timer and an effect that fail, or stand still in the middle, when told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import toy
from toy import Box, BoxFilled, Seen
from uuid_utils.compat import uuid7

from sav_chassis.envelope import Context
from sav_chassis.service import Service
from sav_chassis.testing import Stage
from sav_chassis.tx import EffectRun, Tx, transaction
from sav_contracts.actor import SYSTEM, Actor

HOUR = timedelta(hours=1)
RUNG = "SELECT subject FROM seen WHERE by = 'ring' ORDER BY position"
LATER = "SELECT use, attempts, state FROM task ORDER BY position"


class Clockwork:
    """Toys that ring and deliver; `inside` says that one is in the middle of it, `go` lets it go on."""

    def __init__(self) -> None:
        self.service: Service = toy.usual()
        self.service.timer(self.ring)
        self.service.effect(self.deliver)
        self.failing: dict[UUID, Exception] = {}
        # One entry for each run: what it was about, and the how manieth try it was.
        self.rings: list[UUID] = []
        self.runs: list[tuple[UUID, int]] = []
        self.inside = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def ring(self, id: UUID, tx: Tx) -> None:
        """Notes what it rings for."""
        self.rings.append(id)
        tx.add(Seen(id=tx.new_id(), subject=id, version=1, by="ring"))
        await tx.flush()
        await self._stand_still()
        if id in self.failing:
            raise self.failing[id]

    async def deliver(self, id: UUID, begin: EffectRun) -> None:
        """Fills the box by one, after it has looked at it in a transaction of its own."""
        self.runs.append((id, begin.attempt))
        async with begin() as tx:
            await tx.load(Box, id, SYSTEM)
        await self._stand_still()
        async with begin() as tx:
            box = await tx.load(Box, id, SYSTEM)
            box.filled += 1
            tx.emit(box, BoxFilled())
            if id in self.failing:
                raise self.failing[id]

    async def _stand_still(self) -> None:
        self.inside.set()
        await self.go.wait()


def soon(hours: float = 0) -> datetime:
    return datetime.now(UTC) + hours * HOUR


@asynccontextmanager
async def doing(stage: Stage, by: Actor = SYSTEM, correlation_id: UUID | None = None) -> AsyncIterator[Tx]:
    """A transaction like a handler's."""
    context = Context(actor_id=by.id, actor_role=by.role, correlation_id=correlation_id or uuid7())
    async with transaction(stage.database, stage.settings, context, lambda _: None) as tx:
        yield tx


def replica(stage: Stage, service: Service) -> Stage:
    """Another replica on the same tables."""
    other = Stage(service, stage.settings)
    other.database.engine, other.database.pool = stage.database.engine, stage.database.pool
    return other


async def end_leases(stage: Stage) -> None:
    """As if whoever holds a task had been silent for a minute."""
    await stage.database.pool.execute("UPDATE task SET leased_until = now() - interval '1 second'")


async def age(stage: Stage, hours: int) -> None:
    """As if what waits had been tried first so long ago, and were due again."""
    await stage.database.pool.execute(
        "UPDATE task SET due = now(), since = now() - make_interval(hours => $1)", hours
    )
