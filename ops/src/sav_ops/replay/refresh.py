"""`sav refresh`: emits the current views of records again, as `<Kind>Changed`; nothing else changes."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis import backoff
from sav_chassis.database import Database, is_transient
from sav_chassis.envelope import Context
from sav_chassis.events.relay import CHANNEL
from sav_chassis.model import Aggregate
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import MissingMigration
from sav_chassis.tx import transaction
from sav_contracts import message_types
from sav_contracts.actor import SYSTEM
from sav_contracts.messages import Event, changed
from sav_ops import rooms
from sav_ops.home import OpsError
from sav_ops.terminal.console import out
from sav_ops.terminal.progress_bar import Tell, counting

# Rows that are locked together, for some hundredths of a second: a command on one of them waits that long at most.
BATCH = 20
TRIES = 5


def show(settings: Settings, kinds: Sequence[str], after: UUID | None) -> None:
    """Refresh these kinds, one after the other; if one is interrupted, print how to continue."""
    for kind in kinds:
        asyncio.run(_show(settings, kind, after))


async def _show(settings: Settings, kind: str, after: UUID | None) -> None:
    refresh = Refresh(settings, kind, after)
    try:
        with counting(kind) as tell:
            await refresh.run(tell)
    except BaseException:
        if refresh.last:
            out.print(f"To go on: ./sav refresh {kind} --after {refresh.last}", soft_wrap=True)
        raise
    event = changed(message_types.VIEWS[kind]).__name__
    conversation = refresh.context.correlation_id
    out.print(f"{kind}: {refresh.done:,} told as {event}, conversation {conversation}", soft_wrap=True)


def model_of(kind: str) -> type[Aggregate]:
    """Return the aggregate class of a kind; OpsError if there is no such kind."""
    view = message_types.VIEWS.get(kind)
    if view is None:
        raise OpsError(f"There is no kind {kind}; there are: {', '.join(sorted(message_types.VIEWS))}.")
    rooms.load(view.owner).load()
    [model] = (model for model in Aggregate.__subclasses__() if model.shown_as() is view)
    return model


class Refresh:
    """Emits the views of a kind again, in the order of their ids; `last` is the id of the last record done."""

    def __init__(self, settings: Settings, kind: str, after: UUID | None = None) -> None:
        self.done = 0
        self.last = after
        self.context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=uuid7())
        self._settings = settings
        self._model = model_of(kind)
        view = message_types.VIEWS[kind]
        self._event: type[Event] = changed(view)
        self._database = Database(settings, view.owner)

    async def run(self, tell: Tell = lambda done, total: None, batch: int = BATCH) -> int:
        """Emit all views and return their number. Records created meanwhile do not need it, but may be included."""
        try:
            await self._database.open(pool_size=1)
        except MissingMigration as missing:
            raise OpsError(str(missing)) from None
        try:
            total = await self._total()
            while ids := await self._next(batch):
                await self._tell(ids)
                self.last, self.done = ids[-1], self.done + len(ids)
                tell(self.done, max(total, self.done))
                await self._database.pool.execute(f"NOTIFY {CHANNEL}")
        finally:
            await self._database.close()
        return self.done

    async def _total(self) -> int:
        async with AsyncSession(self._database.engine) as session:
            return await session.scalar(select(func.count()).select_from(self._model)) or 0

    async def _next(self, batch: int) -> Sequence[UUID]:
        query = select(self._model.id).order_by(self._model.id).limit(batch)
        if self.last:
            query = query.where(self._model.id > self.last)
        async with AsyncSession(self._database.engine) as session:
            return (await session.scalars(query)).all()

    async def _tell(self, ids: Sequence[UUID]) -> None:
        """Emit these views in one transaction; repeat it after a transient conflict with another."""
        for attempt in range(1, TRIES + 1):
            try:
                async with transaction(self._database, self._settings, self.context, lambda _: None) as tx:
                    locked = select(self._model).where(self._model.id.in_(ids)).order_by(self._model.id)
                    for record in await tx.session.scalars(locked.with_for_update()):
                        tx.emit(record, self._event())
                return
            except Exception as error:
                if not is_transient(error) or attempt == TRIES:
                    raise
            await asyncio.sleep(backoff.pause(attempt, 0.05))
