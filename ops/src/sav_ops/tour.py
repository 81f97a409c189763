"""`sav demo`: plays the journey against the running system, and shows live what each act causes."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_contracts import catalogue
from sav_ops import demo, journey, rooms
from sav_ops.home import Problem
from sav_ops.journey import Act, Cast, Unexpected, Voice
from sav_ops.platform import address
from sav_ops.steps import out

# Seconds that the reactions to one act may take before the tour goes on.
SETTLE_WITHIN = 8.0
COLOURS = {"client": "cyan", "technician": "yellow", "manager": "magenta", "admin": "blue"}
EVENTS = "SELECT id, type, at FROM event_log WHERE correlation_id = $1 ORDER BY position"
HANDLED = "SELECT event_id, handler, outcome FROM handled WHERE event_id = ANY($1)"
QUEUED = "SELECT count(*) FROM notification WHERE status IN ('planned', 'queued')"
MAIL = "SELECT status, count(*) FROM notification WHERE created_at >= $1 GROUP BY status ORDER BY status"
IDS = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STORIES = {"outside": journey.outside_warranty, "under": journey.under_warranty}
TITLES = {
    "outside": "Outside warranty: from an article to a paid invoice",
    "under": "Under warranty: the same, and nothing to pay",
}


@dataclass
class Told:
    """An event that an act caused, and what became of each reaction to it (None: still at it)."""

    name: str
    reactions: dict[tuple[str, str], str | None]


@dataclass
class Watcher:
    """Knows who reacts to what, and looks into the services' logs until all of them have."""

    databases: dict[str, "asyncpg.Connection[Any]"]
    services: dict[str, Service]
    events: int = 0
    reactions: int = 0

    async def show(self, act: Act) -> None:
        """Prints the act, then each event that it caused, as soon as everybody has reacted to it."""
        asked = f"{IDS.sub('…', act.request)} → {act.status}"
        out.print(f"\n[bold {COLOURS[act.role]}]{act.who}[/] {act.what}  [dim]{asked}[/]", soft_wrap=True)
        until = time.monotonic() + SETTLE_WITHIN
        caused: dict[UUID, Told] = {}
        printed: set[UUID] = set()
        while True:
            await self._note_reactions(caused)
            settled = not await self._note_events(act, caused)
            for id, told in caused.items():
                late = time.monotonic() > until
                if id not in printed and (late or None not in told.reactions.values()):
                    printed.add(id)
                    self._print(told)
            if len(printed) == len(caused) and (settled or time.monotonic() > until):
                return
            await asyncio.sleep(0.03)

    async def _note_events(self, act: Act, caused: dict[UUID, Told]) -> bool:
        """Takes up the act's events; whether there were new ones."""
        known = len(caused)
        found = [row for db in self.databases.values() for row in await db.fetch(EVENTS, act.correlation_id)]
        for row in sorted(found, key=lambda row: row["at"]):
            if row["id"] not in caused:
                expected = dict.fromkeys(self._reactions(row["type"]))
                caused[row["id"]] = Told(row["type"].rpartition(".v")[0], expected)
        return len(caused) > known

    def _reactions(self, type_name: str) -> Iterator[tuple[str, str]]:
        event_type = catalogue.EVENTS[type_name]
        for name, service in self.services.items():
            for reaction in service.reactions.get(event_type, ()):
                yield name, reaction.__name__

    async def _note_reactions(self, caused: dict[UUID, Told]) -> None:
        for name, database in self.databases.items():
            waiting = [id for id, told in caused.items() if None in told.reactions.values()]
            for row in await database.fetch(HANDLED, waiting) if waiting else ():
                if (name, row["handler"]) in caused[row["event_id"]].reactions:
                    caused[row["event_id"]].reactions[name, row["handler"]] = row["outcome"] or ""

    def _print(self, told: Told) -> None:
        self.events += 1
        self.reactions += len(told.reactions)
        if told.name.startswith("notifier."):
            return  # messages are counted at the end
        out.print(f"   [green]●[/] {told.name}")
        for (service, handler), outcome in told.reactions.items():
            words = f"{service}: {handler.replace('_', ' ')}"
            if outcome is None:
                out.print(f"      [red]… {words} is still at it: ./sav parked[/]")
            else:
                out.print(
                    f"      [dim]– {words}: {outcome}[/]" if outcome else f"      → {words}", soft_wrap=True
                )

    async def mail(self, since: datetime) -> list[tuple[str, int]]:
        """What became of the messages since then, once none is on its way any more: status and number."""
        until = time.monotonic() + SETTLE_WITHIN
        notifier = self.databases["notifier"]
        while await notifier.fetchval(QUEUED) and time.monotonic() < until:  # noqa: ASYNC110 – other processes work
            await asyncio.sleep(0.1)
        return [(row["status"], row["count"]) for row in await notifier.fetch(MAIL, since)]


async def play(settings: Settings, names: list[str]) -> None:
    """Plays these stories; `Problem` where one goes otherwise than told."""
    began, since = time.monotonic(), datetime.now(UTC)
    async with (
        watching(settings) as watcher,
        httpx.AsyncClient(base_url=address(settings), timeout=30) as http,
    ):
        cast = await signed_in(http, watcher)
        for name in names:
            out.print(f"\n[bold]{TITLES[name]}[/]")
            try:
                story = await STORIES[name](cast)
            except Unexpected as unexpected:
                raise Problem(str(unexpected)) from None
            if story.invoice:
                told = f"invoice {story.invoice['number']} is {story.invoice['status']}"
            else:
                told = "there is no invoice"
            out.print(f"\n[green]✓[/] {story.claim['reference']} is {story.claim['status']}; {told}.")
        seconds = time.monotonic() - began
        out.print(f"\n{watcher.events} events and {watcher.reactions} reactions in {seconds:.1f} s.")
        for status, number in await watcher.mail(since):
            where = f" in {settings.mailbox}" if status == "kept_locally" else ""
            out.print(f"{number} messages are {status.replace('_', ' ')}{where}", soft_wrap=True)
        out.print(
            f"Look around as any of the people that ./sav up lists: {address(settings)}/docs", soft_wrap=True
        )


@asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[Watcher]:
    """A watcher with a connection to the database of every service."""
    async with AsyncExitStack() as stack:
        databases = {}
        for room in rooms.SERVICES:
            databases[room] = await asyncpg.connect(settings.database(room), timeout=5)
            stack.push_async_callback(databases[room].close)
        yield Watcher(databases, {room: rooms.load(room).load() for room in rooms.SERVICES})


async def signed_in(http: httpx.AsyncClient, watcher: Watcher) -> Cast:
    """Léa, Karim, Marie and Alex."""

    async def voice(email: str, name: str) -> Voice:
        answer = await http.post("/api/auth/login", json={"email": email, "password": demo.PASSWORD})
        if answer.status_code != 200:
            raise Problem(f"{name} cannot sign in: {answer.text}")
        told = answer.json()
        return Voice(http, name, told["role"], told["user_id"], told["access_token"], watcher.show)

    try:
        return Cast(
            client=await voice(demo.LEA, "Léa"),
            technician=await voice("karim@example.com", "Karim"),
            manager=await voice("marie@example.com", "Marie"),
            admin=await voice("alex@example.com", "Alex"),
        )
    except httpx.TransportError as error:
        raise Problem(f"{http.base_url} does not answer ({error}): ./sav up") from None
