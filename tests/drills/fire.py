"""The platform under fire: two replicas of everything, with its own broker and database to hurt."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from drills.post import Post
from drills.travelling import Travel, travelling
from drills.truth import broken_promises

from sav_chassis.database import is_away
from sav_chassis.settings import Settings
from sav_chassis.tasks import LEASE
from sav_ops import rooms
from sav_ops.databases import opened
from sav_ops.demo.journey import Story
from sav_ops.home import Home, OpsError
from sav_ops.launch import platform, postgres, processes, rabbitmq, readiness
from sav_ops.settings import edge_address
from sav_ops.verify.verification import verify

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
        return edge_address(self.settings)

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

    def pids(self) -> dict[str, int | None]:
        """Of every replica of every room."""
        return {name: processes.running(self.home, name) for name in rooms.replicas(REPLICAS)}

    async def revive(self, *names: str) -> None:
        """Starts them together, which is quicker; people go on meanwhile."""
        await asyncio.to_thread(platform.start, self.home, *names)

    @asynccontextmanager
    async def alarm(self, name: str) -> AsyncIterator[None]:
        """The broker has too little memory or disk: it takes nothing that is published."""
        setting, alarming, usual = ALARMS[name]
        await asyncio.to_thread(rabbitmq.control, self.home, setting, alarming)
        try:
            yield
        finally:
            await asyncio.to_thread(self._control, setting, usual)

    def _control(self, *words: str) -> None:
        assert rabbitmq.control(self.home, *words) is not None

    @asynccontextmanager
    async def without(self, name: str, how: signal.Signals) -> AsyncIterator[None]:
        """The server is stopped in this way while the body runs, and comes back whatever happens in it."""
        try:
            await asyncio.to_thread(self.end, name, how)
            yield
        finally:
            await asyncio.to_thread(self.start_server, name)

    @asynccontextmanager
    async def frozen(self, name: str) -> AsyncIterator[None]:
        """The server stands still while the body runs: its connections stay, and nothing comes of them."""
        processes.send(self.home, name, signal.SIGSTOP)
        try:
            yield
        finally:
            processes.send(self.home, name, signal.SIGCONT)

    def start_server(self, name: str) -> None:
        """Starts it, however long what was killed holds on to what it needs."""
        start = {"postgres": postgres.start, "rabbitmq": rabbitmq.start}[name]
        until = time.monotonic() + PATIENCE
        while True:
            try:
                start(self.home)
                return
            except OpsError:
                if time.monotonic() > until:
                    raise
            time.sleep(0.5)

    async def put_back(self) -> None:
        """Servers and processes that are down are started, and the mail server speaks; nothing where all is well."""
        self.post.speaks.set()
        for server in (postgres.NAME, rabbitmq.NAME):
            if not processes.running(self.home, server):
                await asyncio.to_thread(self.start_server, server)
        if await asyncio.to_thread(self._start_what_is_down):
            await asyncio.to_thread(self.wait_until_whole)

    def _start_what_is_down(self) -> list[str]:
        """Under the lock, since the keeper may be about to start the same."""
        with self.home.lock():
            down = [one for one in rooms.replicas(REPLICAS) if not processes.running(self.home, one)]
            if down:
                platform.start(self.home, *down)
        return down

    async def take_as_given(self) -> None:
        """Of a drill that failed half-way nobody knows any more what it opened: the next begins from what there is."""
        rows = await self.sql("claims", "SELECT reference, status FROM reclamation")
        self.references = [row["reference"] for row in rows]
        self.closed = [row["reference"] for row in rows if row["status"] == "closed"]

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

    def is_ready(self, name: str) -> bool:
        return readiness.ready(self.home, name, self.settings)

    def wait_for(self, name: str, seconds: float = 90) -> float:
        """The seconds until this process works."""
        began = time.monotonic()
        processes.wait_ready(self.home, name, partial(self.is_ready, name), seconds)
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
        return self.said("duplicate event ignored")

    def said(self, event: str) -> int:
        """How often a process has logged this."""
        return sum(path.read_text().count(f'"event":"{event}"') for path in self.home.logs.glob("*.log"))

    def tell(self, capsys: pytest.CaptureFixture[str], what: str) -> None:
        """Shows what the drill measured."""
        with capsys.disabled():
            print(f"\n    {what}")
