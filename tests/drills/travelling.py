"""Réclamations that travel while things break: every step is repeated with its key until it is answered."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

PASSWORD = "sav-demo-2026"
GIVE_UP = 120.0
AWAY = (502, 503, 504)


@dataclass
class Caller:
    """Somebody with a token who does not give up."""

    http: httpx.AsyncClient
    email: str
    id: str = ""
    token: str = ""
    repeats: int = 0
    slowest: float = 0.0

    async def sign_in(self) -> "Caller":
        told = await self.insist("POST", "/auth/login", {"email": self.email, "password": PASSWORD})
        self.id, self.token = told["user_id"], told["access_token"]
        return self

    async def insist(self, method: str, path: str, json: Any = None) -> Any:
        """The answer below 500; the same request with the same key again while somebody is away."""
        headers = {"Idempotency-Key": str(uuid4())} | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        began = time.monotonic()
        while True:
            try:
                answer = await self.http.request(method, f"/api{path}", json=json, headers=headers)
                if answer.status_code not in AWAY:
                    break
                told = answer.text
            except httpx.TransportError as error:
                told = repr(error)
            assert time.monotonic() - began < GIVE_UP, f"{method} {path}: {told}"
            self.repeats += 1
            await asyncio.sleep(0.2)
        self.slowest = max(self.slowest, time.monotonic() - began)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def wait_for(self, path: str, status: str) -> dict[str, Any]:
        """The record at `path` (or the first of that list) when it has this status."""
        began = time.monotonic()
        while True:
            told = await self.insist("GET", path)
            found = told.get("items", [told])
            if found and found[0]["status"] == status:
                return dict(found[0])
            assert time.monotonic() - began < GIVE_UP, f"{path} did not become {status}: {told}"
            await asyncio.sleep(0.1)


@dataclass
class Travel:
    """What the travellers saw."""

    references: list[str] = field(default_factory=list)
    repeats: int = 0
    slowest: float = 0.0

    def __str__(self) -> str:
        return (
            f"{len(self.references)} réclamations, {self.repeats} requests repeated, "
            f"the slowest answered after {self.slowest:.1f} s"
        )


@asynccontextmanager
async def callers(address: str) -> AsyncIterator[dict[str, Caller]]:
    """The demo people, signed in."""
    limits = httpx.Limits(max_connections=40, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=10, limits=limits) as http:
        names = ("lea", "marie", "karim", "sofia")
        yield {name: await Caller(http, f"{name}@example.com").sign_in() for name in names}


async def travel(address: str, count: int, at_once: int) -> Travel:
    """So many réclamations from opened to in progress; every third is reassigned on its way."""
    seen = Travel()
    gate = asyncio.Semaphore(at_once)
    async with callers(address) as people:

        async def one(number: int) -> None:
            async with gate:
                seen.references.append(await journey(people, reassigned=number % 3 == 0))

        await asyncio.gather(*(one(number) for number in range(count)))
        seen.repeats = sum(person.repeats for person in people.values())
        seen.slowest = max(person.slowest for person in people.values())
    return seen


async def journey(people: dict[str, Caller], reassigned: bool) -> str:
    """One réclamation; answers its reference."""
    lea, marie, karim, sofia = (people[name] for name in ("lea", "marie", "karim", "sofia"))
    opening = {"article": "Chaudière", "problem_type": "no_heating", "description": "plus de chauffage"}
    claim = await lea.insist("POST", "/reclamations", opening)
    path = f"/reclamations/{claim['id']}"
    await marie.insist("POST", f"{path}/qualify", {"priority": "high"})
    await marie.insist("POST", f"{path}/assign", {"technician_id": karim.id})
    worker = karim
    if reassigned:
        await karim.wait_for(f"/interventions?reclamation_id={claim['id']}", "planned")
        await marie.insist("POST", f"{path}/assign", {"technician_id": sofia.id})
        worker = sofia
    visit = await worker.wait_for(f"/interventions?reclamation_id={claim['id']}", "planned")
    for step in ("accepted", "en_route", "on_site", "in_progress"):
        await worker.insist("POST", f"/interventions/{visit['id']}/moves", {"to": step})
    await lea.wait_for(path, "in_progress")
    return str(claim["reference"])
