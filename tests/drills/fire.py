"""The platform under fire: two replicas of everything, with its own broker and database to hurt."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from post import Post
from travelling import Travel, travelling
from truth import broken_promises

from sav_chassis.database import is_away
from sav_chassis.settings import Settings
from sav_chassis.tasks import LEASE
from sav_ops import platform, postgres, processes, rabbitmq, rooms
from sav_ops.home import Home
from sav_ops.verify import opened, verify

REPLICAS = 2
# Seconds until somebody else takes what a killed process had in hand: what is at work that long is hardly alive.
TAKEN_OVER_AFTER = 10
PATIENCE = 60.0


@dataclass
class Fire:
    """Ways to hurt it, and to ask whether it still tells the truth."""

    home: Home
    settings: Settings
    post: Post
    # The variables of the processes it starts.
    environment: dict[str, str]
    references: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def address(self) -> str:
        return platform.address(self.settings)

    def kill(self, name: str) -> None:
        """As the kernel would: no warning."""
        self.end(name, signal.SIGKILL)

    def end(self, name: str, how: signal.Signals) -> None:
        processes.stop(self.home, [name], how=how, seconds=30)

    def terminate(self, name: str) -> float:
        """SIGTERM; returns the seconds until it was out, 30 where it had to be killed."""
        began = time.monotonic()
        self.end(name, signal.SIGTERM)
        return time.monotonic() - began

    def revive(self, name: str) -> None:
        platform.start(self.home, name)

    def start_server(self, name: str) -> None:
        {"postgres": postgres.start, "rabbitmq": rabbitmq.start}[name](self.home)

    def keep_mail(self) -> None:
        """Whoever starts from now on knows no mail server, and keeps mail in a folder."""
        del self.environment["SAV_SMTP_URL"]

    def wait_until_whole(self, seconds: float = 90) -> float:
        """The seconds until every replica of every room works."""
        began = time.monotonic()
        for name in rooms.replicas(REPLICAS):
            self.wait_for(name, seconds)
        return time.monotonic() - began

    def wait_for(self, name: str, seconds: float = 90) -> float:
        """The seconds until both replicas of this one's room work."""
        began = time.monotonic()
        room = rooms.replicas(REPLICAS)[name]
        processes.wait_ready(self.home, name, partial(self._works, room), seconds)
        return time.monotonic() - began

    def _works(self, room: str) -> bool:
        try:
            return platform.ready(room, self.settings, REPLICAS)
        except (OSError, TimeoutError):
            return False

    @asynccontextmanager
    async def travelling(self) -> AsyncIterator[Travel]:
        """Réclamations travel while the body runs; when all have arrived, nothing is lost and nothing came twice."""
        hurry = asyncio.create_task(self._hurry())
        try:
            async with travelling(self.address(), self.silent_for_weeks) as seen:
                yield seen
            self.references += seen.references + [story.claim["reference"] for story in seen.stories]
            self.closed += [story.claim["reference"] for story in seen.stories]
            await self.expect_truth()
        finally:
            hurry.cancel()

    async def silent_for_weeks(self, reclamation_id: str) -> None:
        """The day comes on which a resolved réclamation closes by itself."""
        await self._sql(
            "claims", "UPDATE task SET due = now() WHERE use = 'timer' AND lane = $1", UUID(reclamation_id)
        )

    async def _hurry(self) -> None:
        """Leases of the dead end sooner than in earnest: a drill has no minute to wait."""
        overdue = "UPDATE task SET leased_until = now() WHERE leased_until BETWEEN now() AND now() + $1"
        while True:
            await asyncio.sleep(2)
            for room in rooms.SERVICES:
                await self._sql(room, overdue, LEASE - timedelta(seconds=TAKEN_OVER_AFTER))

    async def _sql(self, room: str, statement: str, *arguments: Any) -> None:
        """Done as soon as the database is there."""
        while True:
            try:
                connection = await asyncpg.connect(self.settings.database(room), timeout=5)
                try:
                    await connection.execute(statement, *arguments)
                    return
                finally:
                    connection.terminate()
            except Exception as error:
                if not is_away(error):
                    raise
            await asyncio.sleep(0.5)

    async def expect_truth(self) -> None:
        """The checker agrees, every promise is kept, and there are the réclamations that were opened, no others."""
        if contradictions := await verify(self.settings, PATIENCE):
            pytest.fail("\n".join(contradictions))
        async with opened(self.settings) as databases:
            until = time.monotonic() + PATIENCE
            while broken := await broken_promises(databases, self.settings, self.post):
                if time.monotonic() > until:
                    pytest.fail("\n".join(broken))
                await asyncio.sleep(0.5)
            kept = await databases["claims"].fetch("SELECT reference, status FROM reclamation")
        assert sorted(row["reference"] for row in kept) == sorted(self.references)
        assert {row["reference"] for row in kept if row["status"] == "closed"} == set(self.closed)

    def known_already(self) -> int:
        """How many deliveries were of events that a reaction had done before."""
        return sum(
            path.read_text().count('"event": "known already"') for path in self.home.logs.glob("*.log")
        )

    def tell(self, capsys: pytest.CaptureFixture[str], what: str) -> None:
        """Shows what the drill measured."""
        with capsys.disabled():
            print(f"\n    {what}")
