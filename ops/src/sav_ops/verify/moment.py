"""A snapshot: every room's database, each as it was at one moment, and how much was checked in it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from functools import cached_property

from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.views import RecordedEvent
from sav_ops import rooms
from sav_ops.databases import Databases, opened
from sav_ops.terminal.progress_bar import Tell

# Shows the progress of the work with this name.
Show = Callable[[str], AbstractContextManager[Tell]]

# Rows in memory at a time.
BATCH = 1000


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


def decoded(envelope: Envelope) -> RecordedEvent | None:
    """Return an envelope with its event; None if the current code cannot read it."""
    try:
        return envelope, envelope.event()
    except Undecodable:
        return None
