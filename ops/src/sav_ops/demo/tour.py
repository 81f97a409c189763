"""`sav demo`: plays the journey on the running platform, and shows live what each act causes."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx

from sav_chassis.settings import Settings
from sav_contracts import demo
from sav_ops import rooms
from sav_ops.databases import Databases, opened
from sav_ops.demo import journey
from sav_ops.demo.journey import Act, Cast, Player, Unexpected
from sav_ops.home import OpsError
from sav_ops.settings import edge_address
from sav_ops.statements import CONVERSATION, DONE
from sav_ops.terminal.console import out

# Seconds that the reactions to one act may take before the tour goes on.
SETTLE_WITHIN = 8.0
COLOURS = {"client": "cyan", "technician": "yellow", "manager": "magenta", "admin": "blue"}
# What is planned is for a later day.
QUEUED = "SELECT count(*) FROM notification WHERE status = 'queued'"
MAIL = "SELECT status, count(*) FROM notification WHERE created_at >= $1 GROUP BY status ORDER BY status"
IDS = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STORIES = {"outside": journey.outside_warranty, "under": journey.under_warranty}
TITLES = {
    "outside": "Outside warranty: from an article to a paid invoice",
    "under": "Under warranty: the same, and nothing to pay",
}


@dataclass
class CausedEvent:
    """An event that an act caused, with the outcome of each reaction to it (None: not done yet)."""

    name: str
    reactions: dict[tuple[str, str], str | None]


@dataclass
class Watcher:
    """Reads the services' databases until every reaction to an act's events is done."""

    databases: Databases
    events: int = 0
    reactions: int = 0

    async def show(self, act: Act) -> None:
        """Print the act, then each event that it caused as soon as all reactions to it are done."""
        asked = f"{IDS.sub('…', act.request)} → {act.status}"
        out.print(f"\n[bold {COLOURS[act.role]}]{act.who}[/] {act.what}  [dim]{asked}[/]", soft_wrap=True)
        until = time.monotonic() + SETTLE_WITHIN
        caused: dict[UUID, CausedEvent] = {}
        printed: set[UUID] = set()
        while True:
            await self._note_reactions(caused)
            settled = not await self._note_events(act, caused)
            for id, event in caused.items():
                late = time.monotonic() > until
                if id not in printed and (late or None not in event.reactions.values()):
                    printed.add(id)
                    self._print(event)
            if len(printed) == len(caused) and (settled or time.monotonic() > until):
                return
            await asyncio.sleep(0.03)

    async def _note_events(self, act: Act, caused: dict[UUID, CausedEvent]) -> bool:
        """Read the act's events; return whether there were new ones."""
        known = len(caused)
        found = [
            row for db in self.databases.values() for row in await db.fetch(CONVERSATION, act.correlation_id)
        ]
        for row in sorted(found, key=lambda row: row["at"]):
            if row["id"] not in caused:
                expected = dict.fromkeys(self._reactions(row["type"], row["at"]))
                caused[row["id"]] = CausedEvent(row["type"].rpartition(".v")[0], expected)
        return len(caused) > known

    def _reactions(self, type_name: str, at: datetime) -> Iterator[tuple[str, str]]:
        for service in self.databases:
            for name in rooms.reactions(service, type_name, at):
                yield service, name

    async def _note_reactions(self, caused: dict[UUID, CausedEvent]) -> None:
        for name, database in self.databases.items():
            waiting = [id for id, event in caused.items() if None in event.reactions.values()]
            for row in await database.fetch(DONE, waiting) if waiting else ():
                if (name, row["handler"]) in caused[row["event_id"]].reactions:
                    caused[row["event_id"]].reactions[name, row["handler"]] = row["outcome"] or ""

    def _print(self, event: CausedEvent) -> None:
        self.events += 1
        self.reactions += len(event.reactions)
        if event.name.startswith("notifier."):
            return  # messages are counted at the end
        out.print(f"   [green]●[/] {event.name}")
        for (service, handler), outcome in event.reactions.items():
            words = f"{service}: {handler.replace('_', ' ')}"
            if outcome is None:
                out.print(f"      [red]… {words} is still at it: ./sav parked[/]")
            else:
                out.print(
                    f"      [dim]– {words}: {outcome}[/]" if outcome else f"      → {words}", soft_wrap=True
                )

    async def mail(self, since: datetime) -> list[tuple[str, int]]:
        """Wait until no notification is queued; return how many since then have each status."""
        until = time.monotonic() + SETTLE_WITHIN
        notifier = self.databases["notifier"]
        while await notifier.fetchval(QUEUED) and time.monotonic() < until:  # noqa: ASYNC110 – other processes work
            await asyncio.sleep(0.1)
        return [(row["status"], row["count"]) for row in await notifier.fetch(MAIL, since)]


async def play(settings: Settings, names: list[str]) -> None:
    """Play these stories; `OpsError` if a request gets an unexpected answer."""
    began, since = time.monotonic(), datetime.now(UTC)
    async with (
        watching(settings) as watcher,
        httpx.AsyncClient(base_url=edge_address(settings), timeout=30) as http,
    ):
        cast = await signed_in(http, watcher)
        for name in names:
            out.print(f"\n[bold]{TITLES[name]}[/]")
            try:
                story = await STORIES[name](cast)
            except Unexpected as unexpected:
                raise OpsError(str(unexpected)) from None
            if story.invoice:
                ending = f"invoice {story.invoice['number']} is {story.invoice['status']}"
            else:
                ending = "there is no invoice"
            out.print(f"\n[green]✓[/] {story.claim['reference']} is {story.claim['status']}; {ending}.")
        seconds = time.monotonic() - began
        out.print(f"\n{watcher.events} events and {watcher.reactions} reactions in {seconds:.1f} s.")
        for status, number in await watcher.mail(since):
            where = f" in {settings.mailbox}" if status == "kept_locally" else ""
            out.print(f"{number} messages are {status.replace('_', ' ')}{where}", soft_wrap=True)
        out.print(
            f"Look around as any of the people that ./sav up lists: {edge_address(settings)}/docs",
            soft_wrap=True,
        )


@asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[Watcher]:
    """A watcher with a connection to the database of every service."""
    async with opened(settings, rooms.SERVICES) as databases:
        yield Watcher(databases)


async def signed_in(http: httpx.AsyncClient, watcher: Watcher) -> Cast:
    """Sign in Léa, Karim, Marie and Alex."""

    async def voice(email: str, name: str) -> Player:
        answer = await http.post("/api/auth/login", json={"email": email, "password": demo.PASSWORD})
        if answer.status_code != 200:
            raise OpsError(f"{name} cannot sign in: {answer.text}")
        signed = answer.json()
        return Player(http, name, signed["role"], signed["user_id"], signed["access_token"], watcher.show)

    try:
        return Cast(
            client=await voice(demo.LEA, "Léa"),
            technician=await voice("karim@example.com", "Karim"),
            manager=await voice("marie@example.com", "Marie"),
            admin=await voice("alex@example.com", "Alex"),
        )
    except httpx.TransportError as error:
        raise OpsError(f"{http.base_url} does not answer ({error}): ./sav up") from None
