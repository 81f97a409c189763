"""The platform under fire: two replicas of everything, with its own broker and database to hurt."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import psutil
import pytest
from post import Post
from travelling import Travel, travelling
from truth import broken_promises

from sav_chassis.database import is_away
from sav_chassis.settings import Settings
from sav_chassis.tasks import LEASE
from sav_ops import health, platform, postgres, processes, rabbitmq, rooms
from sav_ops.home import Home
from sav_ops.journey import Story
from sav_ops.verify import opened, verify

REPLICAS = 2
# Seconds until somebody else takes what a killed process had in hand: what is at work that long is hardly alive.
TAKEN_OVER_AFTER = 10
PATIENCE = 60.0
# What raises an alarm of the broker, and ends it.
ALARMS = {
    "memory": ("set_vm_memory_high_watermark", "0.0000001", "0.4"),
    "disk": ("set_disk_free_limit", "900000GB", "50MB"),
}


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
    travelled: bool = False

    def address(self) -> str:
        return platform.address(self.settings)

    def kill(self, name: str) -> None:
        """As the kernel would: no warning."""
        self.end(name, signal.SIGKILL)

    def kill_all(self, names: Iterable[str]) -> None:
        """At once."""
        processes.stop(self.home, names, how=signal.SIGKILL)

    def end(self, name: str, how: signal.Signals) -> None:
        processes.stop(self.home, [name], how=how, seconds=30)

    def terminate(self, name: str) -> float:
        """SIGTERM; returns the seconds until it was out, 30 where it had to be killed."""
        began = time.monotonic()
        self.end(name, signal.SIGTERM)
        return time.monotonic() - began

    async def revive(self, *names: str) -> None:
        """Starts them together, which is quicker; people go on meanwhile."""
        await asyncio.to_thread(platform.start, self.home, *names)

    @asynccontextmanager
    async def alarm(self, name: str) -> AsyncIterator[None]:
        """The broker has too little memory or disk: it takes nothing that is published."""
        setting, alarming, usual = ALARMS[name]
        await asyncio.to_thread(self._control, setting, alarming)
        try:
            yield
        finally:
            await asyncio.to_thread(self._control, setting, usual)

    def _control(self, *words: str) -> None:
        node, server = processes.running(self.home, rabbitmq.NAME), rabbitmq.find()
        assert node
        assert server
        command = [str(server.script.with_name("rabbitmqctl")), *words]
        subprocess.run(command, env=psutil.Process(node).environ(), check=True, capture_output=True)

    def start_server(self, name: str) -> None:
        {"postgres": postgres.start, "rabbitmq": rabbitmq.start}[name](self.home)

    def keep_mail(self) -> None:
        """Whoever starts from now on knows no mail server, and keeps mail in a folder."""
        del self.environment["SAV_SMTP_URL"]

    def keeps_mail(self) -> bool:
        return "SAV_SMTP_URL" not in self.environment

    def wait_until_whole(self, seconds: float = 90) -> float:
        """The seconds until every replica of every room works."""
        began = time.monotonic()
        for name in rooms.replicas(REPLICAS):
            self.wait_for(name, seconds)
        return time.monotonic() - began

    def wait_for(self, name: str, seconds: float = 90) -> float:
        """The seconds until this process works."""
        began = time.monotonic()
        processes.wait_ready(self.home, name, partial(health.ready, self.home, name, self.settings), seconds)
        return time.monotonic() - began

    @asynccontextmanager
    async def travelling(self) -> AsyncIterator[Travel]:
        """Réclamations travel while the body runs; when all have arrived, nothing is lost and nothing came twice."""
        async with self.hurrying():
            async with travelling(self.address(), self.silent_for_weeks) as seen:
                yield seen
            self.references += seen.references
            self.ended(*seen.stories)
            self.travelled = True
            await self.expect_truth()

    def ended(self, *stories: Story) -> None:
        """Keeps in mind what was opened and is closed."""
        references = [story.claim["reference"] for story in stories]
        self.references += references
        self.closed += references

    async def silent_for_weeks(self, reclamation_id: str) -> None:
        """The day comes on which a resolved réclamation closes by itself."""
        await self.falls_due("claims", reclamation_id)

    async def falls_due(self, room: str, id: str) -> None:
        """The time has come for what the room set for this record."""
        await self.sql(room, "UPDATE task SET due = now() WHERE use = 'timer' AND lane = $1", UUID(id))

    @asynccontextmanager
    async def hurrying(self) -> AsyncIterator[None]:
        """Leases of the dead end sooner than in earnest: a drill has no minute to wait."""
        hurry = asyncio.create_task(self._hurry())
        try:
            yield
        finally:
            hurry.cancel()

    async def _hurry(self) -> None:
        overdue = "UPDATE task SET leased_until = now() WHERE leased_until BETWEEN now() AND now() + $1"
        while True:
            await asyncio.sleep(2)
            for room in rooms.SERVICES:
                await self.sql(room, overdue, LEASE - timedelta(seconds=TAKEN_OVER_AFTER))

    async def sql(self, room: str, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Done as soon as the database is there."""
        while True:
            try:
                connection = await asyncpg.connect(self.settings.database(room), timeout=5)
                try:
                    return await connection.fetch(statement, *arguments)
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
        return self.said("known already")

    def said(self, event: str) -> int:
        """How often a process has logged this."""
        return sum(path.read_text().count(f'"event":"{event}"') for path in self.home.logs.glob("*.log"))

    def tell(self, capsys: pytest.CaptureFixture[str], what: str) -> None:
        """Shows what the drill measured."""
        with capsys.disabled():
            print(f"\n    {what}")
