"""An edge whose broker or database is away: what it can still do, what it says where it cannot."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest
from cable import Cable, cable
from eventually import eventually
from faults import FULL, on_insert
from recipes import Scene
from stories import PLACE, done, ids, opened, refused
from system import Person, System, door

OPENING = {"article": "Évier", "problem_type": "leak", "description": "fuite", "place": PLACE}


@dataclass
class Replica:
    """Another edge beside the system's own, on lines that can be cut."""

    http: httpx.AsyncClient
    broker: Cable
    database: Cable

    def seen_by(self, who: Person) -> Person:
        """The same person, at this door."""
        return replace(who, http=self.http)


@pytest.fixture
async def replica(system: System) -> AsyncIterator[Replica]:
    settings = system.settings
    async with cable(settings.broker_url) as broker, cable(settings.database_url) as database:
        lines = {"broker_url": broker.url, "database_url": database.url}
        apart = settings.model_copy(update=lines | {"command_deadline": 3.0})
        async with door(apart) as http:
            yield Replica(http, broker, database)
            broker.mend()
            database.mend()
            await eventually(lambda: is_ready(http), 10)


async def is_ready(http: httpx.AsyncClient) -> bool:
    return (await http.get("/health/ready")).status_code == 200


async def test_an_edge_that_works_is_live_and_ready(replica: Replica) -> None:
    assert done(await replica.http.get("/health/live")) == {"live": True}
    assert done(await replica.http.get("/health/ready")) == {
        "database": True,
        "broker": True,
        "read model": True,
        "edge.views": True,
    }


async def test_without_the_broker_reads_go_on_and_commands_are_told_so_at_once(
    replica: Replica, scene: Scene
) -> None:
    lea = replica.seen_by(scene.near.client)
    before = len(await ids(scene.near.client, "/reclamations", limit=200))
    replica.broker.cut()
    await eventually(lambda: not_ready(replica, "broker"))
    assert done(await replica.http.get("/health/live")) == {"live": True}
    assert done(await lea.get("/me"))["id"] == lea.id
    assert len(await ids(lea, "/reclamations", limit=200)) == before

    began = time.monotonic()
    away = await lea.post("/reclamations", OPENING, key="the same key")
    assert time.monotonic() - began < 1
    refused(away, 503, "unavailable")
    assert int(away.headers["retry-after"]) > 0
    assert away.headers["idempotency-key"] == "the same key"

    replica.broker.mend()
    await eventually(lambda: is_ready(replica.http), 10)
    assert len(await ids(lea, "/reclamations", limit=200)) == before
    assert (await lea.post("/reclamations", OPENING, key="the same key")).status_code == 201


async def not_ready(replica: Replica, part: str) -> bool:
    answer = await replica.http.get("/health/ready")
    return bool(answer.status_code == 503 and answer.json()[part] is False)


async def test_without_its_database_a_read_is_told_so(replica: Replica, scene: Scene) -> None:
    lea = replica.seen_by(scene.near.client)
    replica.database.cut()
    for path in ("/me", "/reclamations", f"/reclamations/{scene.near.records['reclamation']}/timeline"):
        answer = await lea.get(path)
        refused(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert await not_ready(replica, "database")
    replica.database.mend()
    assert done(await lea.get("/me"))["id"] == lea.id


async def test_a_command_whose_events_cannot_be_shown_at_once_is_done_and_shown_later(
    replica: Replica, scene: Scene
) -> None:
    lea = replica.seen_by(scene.near.client)
    replica.database.cut()
    claim = await opened(lea)
    replica.database.mend()
    path = f"/reclamations/{claim['id']}"
    await eventually(lambda: is_there(lea, path))
    assert claim["id"] in await ids(lea, "/reclamations")


async def test_what_the_read_model_refuses_for_a_while_comes_by_the_queue(scene: Scene) -> None:
    """The reply's events are applied by nobody and the queue's wait, until the database takes them again."""
    lea = scene.near.client
    async with on_insert(scene.system, "edge", "view", FULL):
        claim = await opened(lea)
        refused(await lea.get(f"/reclamations/{claim['id']}"), 404, "not_found")
    await eventually(lambda: is_there(lea, f"/reclamations/{claim['id']}"))


async def is_there(who: Person, path: str) -> bool:
    return (await who.get(path)).status_code == 200
