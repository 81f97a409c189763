"""People who work while things break: what is not answered is asked again, under the same key."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import uuid4

import httpx

from sav_contracts.demo import PASSWORD
from sav_ops.demo import journey
from sav_ops.demo.journey import Act, Cast, Player, Story

GIVE_UP = 120.0
AWAY = (503, 504)
# Réclamations that travel at once as far as the visit, and whole journeys for each technician. Processes that come
# back need the processors too: nobody begins again at once.
TRAVELLERS = 3
JOURNEYS = 2
PAUSE = 0.5
# The calendar has not heard yet that the réclamation is qualified; claims not yet of the product.
LATE = (b"not_plannable", b"There is no product")
# Seconds until the queue brings what a reply could not: 201 stands though the read model was away.
SHOWN_WITHIN = 30.0
# After six years no warranty pays any more: the client gets an invoice.
OLD, NEW = timedelta(days=6 * 365), timedelta(days=100)

# Lets a resolved réclamation's client stay silent until it closes by itself.
Wait = Callable[[str], Awaitable[None]]


class Insisting(httpx.AsyncBaseTransport):
    """Repeats every request with its key until somebody answers, and notes how often, how long, and each status.

    A fault of ours (500) is repeated too, so that nothing else is hidden by it; `faults` are for whoever asked.
    """

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=40, max_keepalive_connections=0)
        self._way = httpx.AsyncHTTPTransport(limits=limits)
        self.repeats = 0
        self.slowest = 0.0
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers.setdefault("Idempotency-Key", str(uuid4()))
        await request.aread()  # an upload is a stream, which would be empty the second time
        began = time.monotonic()
        while True:
            told = await self._answer(request)
            if self._is_late(request, told, time.monotonic() - began):
                told = f"not shown yet: {request.url.path}"
            if isinstance(told, httpx.Response):
                self.slowest = max(self.slowest, time.monotonic() - began)
                return told
            assert time.monotonic() - began < GIVE_UP, f"{request.method} {request.url.path}: {told}"
            self.repeats += 1
            await asyncio.sleep(0.2)

    async def _answer(self, request: httpx.Request) -> httpx.Response | str:
        """The answer, or why there is none."""
        try:
            answer = await self._way.handle_async_request(request)
            text = await answer.aread()
        except httpx.TransportError as error:
            return repr(error)
        self.statuses[answer.status_code] += 1
        told = f"{request.method} {request.url.path}: {answer.status_code} {text.decode(errors='replace')}"
        if answer.status_code >= 500 and answer.status_code not in AWAY:
            self.faults.append(f"{told}, request {answer.headers.get('X-Request-ID')}")
            return told
        return told if answer.status_code in AWAY or any(late in text for late in LATE) else answer

    @staticmethod
    def _is_late(request: httpx.Request, told: httpx.Response | str, after: float) -> bool:
        """Nobody here looks for what was not promised to them: it is not shown yet."""
        missing = isinstance(told, httpx.Response) and told.status_code == 404
        return missing and request.method == "GET" and after < SHOWN_WITHIN

    async def aclose(self) -> None:
        await self._way.aclose()


@dataclass
class Travel:
    """What the travellers did and saw."""

    references: list[str] = field(default_factory=list)
    stories: list[Story] = field(default_factory=list)
    repeats: int = 0
    slowest: float = 0.0

    def __str__(self) -> str:
        return (
            f"{len(self.references)} réclamations and {len(self.stories)} whole journeys, {self.repeats} requests "
            f"repeated, the slowest answered after {self.slowest:.1f} s"
        )


@asynccontextmanager
async def people(address: str, insisting: Insisting | None = None) -> AsyncIterator[list[Player]]:
    """Léa, Karim, Sofia, Marie and Alex, signed in, who insist."""
    way = insisting or Insisting()
    async with httpx.AsyncClient(base_url=address, timeout=10, transport=way) as http:
        yield [await signed_in(http, name) for name in ("lea", "karim", "sofia", "marie", "alex")]


async def signed_in(http: httpx.AsyncClient, name: str) -> Player:
    credentials = {"email": f"{name}@example.com", "password": PASSWORD}
    told = (await http.post("/api/auth/login", json=credentials)).raise_for_status().json()
    return Player(http, name, told["role"], told["user_id"], told["access_token"], unheard)


async def unheard(act: Act) -> None:
    """Nobody watches."""


@asynccontextmanager
async def travelling(address: str, wait: Wait, insisting: Insisting | None = None) -> AsyncIterator[Travel]:
    """People who open one réclamation after the other while the body runs, and end theirs before it is left."""
    seen, over = Travel(), asyncio.Event()
    insisting = insisting or Insisting()
    async with people(address, insisting) as (lea, karim, sofia, marie, alex):
        for article in (journey.BOILER, journey.PUMP):
            await journey.in_catalogue(marie, article)

        async def short(number: int) -> None:
            while not over.is_set():
                seen.references.append(await as_far_as_the_visit(lea, marie, karim, sofia, number % 3 == 0))
                await asyncio.sleep(PAUSE)
                number += 1

        async def whole(technician: Player, planning: asyncio.Lock, number: int) -> None:
            cast = Cast(lea, technician, marie, alex)
            while not over.is_set():
                silence = wait if number % 4 < 2 else None
                seen.stories.append(await to_the_end(cast, number % 2 == 0, planning, silence))
                await asyncio.sleep(PAUSE)
                number += 1

        async with asyncio.TaskGroup() as working:
            for number in range(TRAVELLERS):
                working.create_task(short(number))
            for technician in (karim, sofia):
                planning = asyncio.Lock()
                for number in range(JOURNEYS):
                    working.create_task(whole(technician, planning, number))
            try:
                yield seen
            finally:
                over.set()
        seen.repeats, seen.slowest = insisting.repeats, insisting.slowest
    assert insisting.faults == []


async def as_far_as_the_visit(
    lea: Player, marie: Player, karim: Player, sofia: Player, reassigned: bool
) -> str:
    """One réclamation until its visit has begun; answers its reference."""
    opening = {
        "article": "Chaudière",
        "problem_type": "no_heating",
        "description": "plus de chauffage",
        "place": journey.PLACE,
    }
    claim = await lea.does("opens a réclamation", "POST /reclamations", opening, status=201)
    path = f"/reclamations/{claim['id']}"
    await marie.does("qualifies it", f"POST {path}/qualify", {"priority": "high"})
    worker = karim
    await marie.does("assigns Karim", f"POST {path}/assign", {"technician_id": karim.id})
    if reassigned:
        await karim.awaits("/interventions", reclamation_id=claim["id"], status="planned")
        worker = sofia
        await marie.does("assigns Sofia", f"POST {path}/assign", {"technician_id": sofia.id})
    visit = await worker.awaits("/interventions", reclamation_id=claim["id"], status="planned")
    for step in ("accepted", "en_route", "on_site", "in_progress"):
        why = {"reason": "convenu"} if step == "en_route" else {}
        await worker.does("goes on", f"POST /interventions/{visit['id']}/moves", {"to": step} | why)
    await lea.awaits("/reclamations", reference=claim["reference"], status="in_progress")
    return str(claim["reference"])


async def to_the_end(cast: Cast, pays: bool, planning: asyncio.Lock, wait: Wait | None) -> Story:
    """A whole journey; where it is given to `wait`, the client says nothing at the end."""
    story = await journey.registered(cast, bought=date.today() - (OLD if pays else NEW))
    await journey.reported(cast, story)
    async with planning:  # both would choose their technician's first free time
        await journey.planned(cast, story)
    await journey.repaired(cast, story)
    if pays:
        await journey.paid(cast, story)
    if wait is None:
        await journey.ended(cast, story)
    else:
        await wait(story.claim["id"])
        story.claim = await cast.client.awaits(
            "/reclamations", reference=story.claim["reference"], status="closed"
        )
    return story
