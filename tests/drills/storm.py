"""PostgreSQL stopped, killed and crowded under reads, lists, streams and commands of every kind."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import psutil
from drills.fire import Fire
from drills.travelling import AWAY, people

from sav_chassis.database import is_away
from sav_contracts.actor import Role
from sav_contracts.demo import PASSWORD
from sav_contracts.messages import Message, RequestMessage
from sav_contracts.surface import SURFACE, RecordRow, Row, TimelineRow
from sav_ops.demo.journey import Player
from sav_ops.launch import postgres, processes

# Kept open: what is asked on a connection that just answered meets a server in the middle of its stop.
KEPT = httpx.Limits(max_connections=60, max_keepalive_connections=60)
# Those that come back soon more often: what ends without a checkpoint takes a while.
ORDER = ("fast stop", "kill -9", "fast stop", "immediate stop", "fast stop", "kill -9 of a session")
CROWDED = "too many connections"
STOPS = {"fast stop": signal.SIGINT, "immediate stop": signal.SIGQUIT, "kill -9": signal.SIGKILL}
END_ALL_BUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> $1"""
# What every read asks for that is found in the list that it belongs to.
ONES: dict[type[Message], str] = {
    row.message: row.path for row in SURFACE if isinstance(row, RecordRow | TimelineRow)
}
# What would lock out whoever does it.
NOT_DONE = ("/auth/", "/me", "/policies")
# What many commands take; where it does not fit, the answer is 4xx.
GUESSES: dict[str, Any] = {
    "priority": "high",
    "to": "closed",
    "name": "Léa Bernard",
    "reason": "parce que",
    "technician_id": str(uuid4()),
    "reclamation_id": str(uuid4()),
    "appointment_id": str(uuid4()),
    "start": "2030-01-07T09:00:00Z",
    "rating": 4,
}


class Storm:
    """Strikes the server in one way after the other."""

    def __init__(self, fire: Fire, chance: random.Random) -> None:
        self.fire = fire
        self.chance = chance
        self.strikes: Counter[str] = Counter()

    def __str__(self) -> str:
        return ", ".join(f"{number} x {way}" for way, number in self.strikes.items())

    async def strike(self) -> None:
        """Returns when the server is there again, or about to be."""
        number = self.strikes.total()
        way = CROWDED if number % 20 == 19 else ORDER[number % len(ORDER)]
        self.strikes[way] += 1
        if way in STOPS:
            async with self.fire.without(postgres.NAME, STOPS[way]):
                await asyncio.sleep(self.chance.uniform(0, 1))
        elif way == CROWDED:
            await self._crowd()
        else:
            await self._kill_a_session()

    async def _kill_a_session(self) -> None:
        """The server ends all sessions and recovers: nobody knows what the dead one has left in their memory."""
        server = processes.running(self.fire.home, postgres.NAME)
        assert server
        sessions = [one for one in psutil.Process(server).children() if "sav_" in " ".join(one.cmdline())]
        with suppress(psutil.NoSuchProcess):
            self.chance.choice(sessions).kill()

    async def _crowd(self) -> None:
        """Others take every connection there is, and ours are ended."""
        crowd: list[asyncpg.Connection[asyncpg.Record]] = []
        try:
            while all(await asyncio.gather(*[self._one_more(crowd) for _ in range(20)])):
                continue
            await crowd[0].execute(END_ALL_BUT, CROWDED)
            await asyncio.sleep(self.chance.uniform(0.3, 1))
        finally:
            for one in crowd:
                one.terminate()

    async def _one_more(self, crowd: "list[asyncpg.Connection[asyncpg.Record]]") -> bool:
        """Whether there was a connection left, or the server could not be asked."""
        url, name = self.fire.settings.database("edge"), {"application_name": CROWDED}
        try:
            crowd.append(await asyncpg.connect(url, timeout=5, server_settings=name))
        except asyncpg.TooManyConnectionsError:
            return False
        except Exception as error:
            if not is_away(error):
                raise
            await asyncio.sleep(0.1)
        return True


class Crowd:
    """People who ask, and all that they are told."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.over = False
        self.statuses: Counter[int] = Counter()
        # Answers that nobody was promised.
        self.faults: Counter[str] = Counter()
        self._http = http

    def __str__(self) -> str:
        return ", ".join(f"{status}: {number}" for status, number in sorted(self.statuses.items()))

    async def asks(self, who: Player, method: str, path: str, body: Any = None) -> Any:
        """What is found, if anything; a line that breaks is no answer."""
        with suppress(httpx.TransportError):
            answer = await self._http.request(method, path, json=body, headers=who.headers())
            self._note(f"{method} {path}", answer, answer.text)
            if answer.status_code == 200 and "json" in answer.headers["content-type"]:
                return answer.json()
        return {}

    def _note(self, what: str, answer: httpx.Response, text: str) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500 and answer.status_code not in AWAY:
            self.faults[f"{what}: {answer.status_code} {text}"] += 1

    async def reads(self, who: Player) -> None:
        """Every list, and of each the first record."""
        lists = [row for row in rows_of(who, "GET") if "{" not in row.path]
        while not self.over:
            for row in lists:
                found = await self.asks(who, "GET", row.path)
                if (items := found.get("items")) and (path := ONES.get(row.message)):
                    name = path.partition("{")[2].partition("}")[0]
                    await self.asks(who, "GET", path.replace(f"{{{name}}}", str(items[0].get("id"))))

    async def listens(self, who: Player) -> None:
        while not self.over:
            with suppress(httpx.TransportError, TimeoutError):
                async with (
                    asyncio.timeout(2),
                    self._http.stream("GET", "/stream", headers=who.headers()) as told,
                ):
                    if told.status_code != 200:
                        self._note("GET /stream", told, (await told.aread()).decode())
                    async for _ in told.aiter_lines():
                        pass
            await asyncio.sleep(0.05)

    async def writes(self, who: Player) -> None:
        """Every command, of records that are not there, and with what fits by chance."""
        while not self.over:
            for row in rows_of(who, "POST", "PATCH", "PUT", "DELETE"):
                if not row.path.startswith(NOT_DONE):
                    await self.asks(who, row.method, somebodys(row.path), body_of(row.message))
            await self.asks(who, "POST", "/auth/login", credentials(who))


def rows_of(who: Player, *methods: str) -> Sequence[Row]:
    return [row for row in SURFACE if row.method in methods and Role(who.role) in row.roles]


def somebodys(path: str) -> str:
    """The path of a record that is not there."""
    parts = path.split("/")
    return "/".join(str(uuid4()) if part.startswith("{") else part for part in parts)


def body_of(message: type[Any]) -> dict[str, Any]:
    assert issubclass(message, RequestMessage)
    return {name: GUESSES[name] for name in message.model_fields if name in GUESSES}


def credentials(who: Player) -> dict[str, str]:
    return {"email": f"{who.name}@example.com", "password": PASSWORD}


@asynccontextmanager
async def crowded(fire: Fire) -> AsyncIterator[Crowd]:
    """People read, listen and write, each again as soon as they are answered, while the body runs."""
    address = f"{fire.address()}/api"
    async with (
        people(fire.address()) as voices,
        httpx.AsyncClient(base_url=address, timeout=20, limits=KEPT) as http,
        asyncio.TaskGroup() as working,
    ):
        crowd = Crowd(http)
        for who in voices:
            for work in (crowd.reads, crowd.reads, crowd.listens, crowd.writes):
                working.create_task(work(who))
        try:
            yield crowd
        finally:
            crowd.over = True


@contextmanager
def burning(number: int = 2) -> Iterator[None]:
    """So many processors are busy with something else."""
    command = ["nice", "-n", "5", sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(command) for _ in range(number)]
    try:
        yield
    finally:
        for one in burners:
            one.kill()
            one.wait()


def marks(fire: Fire) -> dict[str, int]:
    """How much stands in each log."""
    return {path.stem: path.stat().st_size for path in fire.home.logs.glob("*.log")}


def failures(fire: Fire, since: dict[str, int]) -> dict[str, int]:
    """What the rooms have logged as errors, with their causes, and how often; of those that were told nothing is new."""
    found: Counter[str] = Counter()
    for path in fire.home.logs.glob("*.log"):
        with path.open(errors="replace") as log:
            log.seek(since.get(path.stem, 0))
            for line in log:
                if line.startswith("{") and '"level":"info"' not in line:
                    found.update(_failure(path.stem, json.loads(line)))
    return dict(found)


def _failure(process: str, said: dict[str, Any]) -> list[str]:
    causes = said.get("exception", [])
    if not causes and said["level"] not in ("error", "critical"):
        return []
    return [f"{process}: {said['event']} {[(cause['exc_type'], cause['exc_value']) for cause in causes]}"]
