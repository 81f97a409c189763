"""A part of a transaction that can be undone by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.errors import RecordTooLarge
from sav_chassis.model import Aggregate, Base
from sav_contracts.labels import label

# Bytes of an event beside its view, about.
ROOM_FOR_FACTS = 1500


class Savepoints:
    """What `Tx` is made of, as far as it can be undone."""

    session: AsyncSession
    _emitted: list[Any]
    _asked: list[Any]
    _inserted: dict[type[Base], list[Base]]
    _changed: set[Aggregate]
    _largest: int

    def check_size(self, record: Aggregate) -> None:
        """Raises `RecordTooLarge` where its events would be: else all that the transaction did would be lost in the end."""
        if len(record.view().model_dump_json().encode()) + ROOM_FOR_FACTS > self._largest:
            raise RecordTooLarge(kind=label(record.kind()), largest=self._largest)

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
