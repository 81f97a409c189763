"""A snapshot: every room's database, each as it was at one moment, and how much was checked in it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from functools import cached_property
from typing import Any

import asyncpg
from pydantic import ValidationError
from sqlalchemy import RowMapping

from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.views import RecordedEvent
from sav_contracts.messages import Event
from sav_ops import rooms
from sav_ops.databases import Databases, opened
from sav_ops.terminal.progress_bar import Tell

# Shows the progress of the work with this name.
Show = Callable[[str], AbstractContextManager[Tell]]

# Rows in memory at a time.
BATCH = 1000
SAID = "SELECT * FROM event_log WHERE type = $1 ORDER BY position"


def in_silence(name: str) -> AbstractContextManager[Tell]:
    return nullcontext(lambda done, total: None)


class Snapshot:
    """What the checks read: `databases` by room, each in a transaction that sees one moment."""

    def __init__(self, settings: Settings, databases: Databases, show: Show) -> None:
        self.settings = settings
        self.databases = databases
        self.show = show
        # What was checked, and how much of it.
        self.checked: Counter[str] = Counter()

    @cached_property
    def services(self) -> dict[str, Service]:
        return {name: rooms.load(name).load() for name in rooms.SERVICES}


@asynccontextmanager
async def snapshot(settings: Settings, show: Show = in_silence) -> AsyncIterator[Snapshot]:
    """A snapshot of now; later changes are not seen, and at the end the checks' temporary tables are gone."""
    async with opened(settings) as databases, AsyncExitStack() as stack:
        for database in databases.values():
            await stack.enter_async_context(database.transaction(isolation="repeatable_read"))
        for database in databases.values():
            await database.execute("SELECT 1")  # the first statement fixes the moment
        yield Snapshot(settings, databases, show)


async def said(
    database: "asyncpg.Connection[Any]", event: type[Event[Any]]
) -> AsyncIterator[list[RecordedEvent]]:
    """Yield batches of a log's events of one type, in order. What cannot be read is left out: `read_sides` names it."""
    cursor = await database.cursor(SAID, event.type_name())
    while rows := await cursor.fetch(BATCH):
        yield list(filter(None, map(decoded, rows)))


def decoded(row: "asyncpg.Record | RowMapping") -> RecordedEvent | None:
    """Return the envelope in a row of a log, with its event; None if the current code cannot read one of them."""
    try:
        envelope = Envelope.model_validate(dict(row))
        return envelope, envelope.event()
    except (ValidationError, Undecodable):
        return None
