"""A part of a transaction that can be undone by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.model import Aggregate, Base


class Savepoints:
    """What `Tx` is made of, as far as it can be undone."""

    session: AsyncSession
    _emitted: list[Any]
    _asked: list[Any]
    _inserted: dict[type[Base], list[Base]]
    _changed: set[Aggregate]

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undoes what was done within the block, and only that, where it raises; the error goes on."""
        emitted, asked, changed = len(self._emitted), len(self._asked), set(self._changed)
        inserted = {model: len(records) for model, records in self._inserted.items()}
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            del self._emitted[emitted:], self._asked[asked:]
            for model, records in self._inserted.items():
                del records[inserted.get(model, 0) :]
            self._changed &= changed
            # What it undid has to be read again before its view is taken.
            for record in {pending.aggregate for pending in self._emitted}:
                if inspect(record).expired:
                    await self.session.refresh(record)
            raise
