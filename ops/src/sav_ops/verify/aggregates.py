"""Reads the rows of aggregates as their service reads them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.migrate import engine_for
from sav_chassis.model import Aggregate
from sav_chassis.settings import Settings

A = TypeVar("A", bound=Aggregate)


class Unreadable(NamedTuple):
    """A row with a value that the current code cannot read."""

    id: UUID
    why: str


@asynccontextmanager
async def session(settings: Settings, room: str) -> AsyncIterator[AsyncSession]:
    """A session in which each transaction sees one moment (repeatable read)."""
    engine = engine_for(settings.database(room)).execution_options(isolation_level="REPEATABLE READ")
    try:
        async with AsyncSession(engine) as opened:
            yield opened
    finally:
        await engine.dispose()


async def read(opened: AsyncSession, model: type[A], ids: Sequence[UUID]) -> list[A | Unreadable]:
    """Return the records with these ids that exist, in this order."""
    query = select(model)
    try:
        found = {one.id: one for one in await opened.scalars(query.where(model.id.in_(ids)))}
        return [found[id] for id in ids if id in found]
    except (LookupError, ValueError):
        pass  # one cannot be read: find it by reading each alone
    records: list[A | Unreadable] = []
    for id in ids:
        try:
            records += await opened.scalars(query.where(model.id == id))
        except (LookupError, ValueError) as error:
            records.append(Unreadable(id, str(error).partition("\n")[0]))
    return records
