"""What follows a réclamation, counted in the databases; the same tables on both sides."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg

from sav_chassis.settings import Settings

COPY = "view WHERE kind = 'reclamation'"
# By the room it is in, and how often: a client and one manager are written to.
FOLLOWS = {
    "copies in catalog": ("catalog", COPY, 1),
    "copies in calendar": ("calendar", COPY, 1),
    "copies in notifier": ("notifier", COPY, 1),
    "messages sent": ("notifier", "notification WHERE status = 'kept_locally'", 2),
    "messages never sent": ("notifier", "notification WHERE status = 'queued'", 0),
    "facts": ("reporting", "reclamation_fact", 1),
    "rows to read": ("edge", COPY, 1),
    "messages to read": ("edge", "view WHERE kind = 'notification' AND status = 'kept_locally'", 2),
    "lines of timelines": ("edge", "timeline WHERE kind = 'reclamation'", 1),
}
POLL = 0.1
PATIENCE = 120
# Seconds without any change after which nothing more is expected.
STILL = 10


class Following:
    """Counts since `begin`."""

    def __init__(self, databases: "dict[str, asyncpg.Connection[Any]]") -> None:
        self._databases = databases
        self._before = dict.fromkeys(FOLLOWS, 0)

    async def begin(self) -> None:
        self._before = {name: await self._count(name) for name in FOLLOWS}

    async def all(self, number: int) -> None:
        """Returns when all that follows so many réclamations is done."""
        until = time.monotonic() + PATIENCE
        # The slowest last: what is done is not counted again.
        for name, (_, _, each) in FOLLOWS.items():
            while await self._count(name) - self._before[name] < number * each:
                if time.monotonic() > until:
                    raise TimeoutError(f"{name}: {await self.since()} of {number}")
                await asyncio.sleep(POLL)

    async def since(self) -> dict[str, int]:
        return {name: await self._count(name) - self._before[name] for name in FOLLOWS}

    async def difference(self, number: int) -> str:
        """What is missing and what is too much when nothing changes any more."""
        last, changed = await self.since(), time.monotonic()
        while time.monotonic() - changed < STILL:
            await asyncio.sleep(0.5)
            if (now := await self.since()) != last:
                last, changed = now, time.monotonic()
        off = {name: last[name] - number * each for name, (_, _, each) in FOLLOWS.items()}
        said = [f"{abs(by)} {name}{_wrong(name, by)}" for name, by in off.items() if by]
        return f"of {number} réclamations, {', '.join(said) or 'nothing is lost, nothing is there twice'}"

    async def _count(self, name: str) -> int:
        room, rows, _ = FOLLOWS[name]
        return int(await self._databases[room].fetchval(f"SELECT count(*) FROM {rows}"))


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[Following]:
    """Counts from now on."""
    async with AsyncExitStack() as stack:
        databases = {}
        for room, _, _ in FOLLOWS.values():
            if room not in databases:
                databases[room] = await asyncpg.connect(settings.database(room))
                stack.push_async_callback(databases[room].close)
        found = Following(databases)
        await found.begin()
        yield found


def _wrong(name: str, by: int) -> str:
    """What is wrong with so many; nothing more is said of what should not be at all."""
    if not FOLLOWS[name][2]:
        return ""
    return " lost" if by < 0 else " too many"
