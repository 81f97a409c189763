"""Who is told of what, and that nothing is missed: over real sockets and the real read model, without the other rooms."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import world
from eventually import eventually
from given_views import USUAL, a, announced
from litestar import Litestar
from litestar.datastructures import State
from prometheus_client.parser import text_string_to_metric_families
from pydantic_core import from_json
from recipes import Scene
from stories import assign, done, opened, qualified, refused

from sav_chassis import metrics
from sav_chassis.errors import NotFound
from sav_chassis.identity import Signer, Verifier
from sav_chassis.migrate import migrate
from sav_chassis.roles import check_role
from sav_chassis.settings import Settings
from sav_contracts.actor import ANYONE, Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.auth.policy import Cors
from sav_contracts.catalog.article import ArticleView
from sav_contracts.claims import ClientView, ReclamationView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.visit import InterventionView, TechnicianView
from sav_contracts.messages import View
from sav_contracts.surface import SURFACE, Row, Serves
from sav_edge import stream
from sav_edge.app import listening, served
from sav_edge.auditing import Audit
from sav_edge.call import call_of
from sav_edge.front import Front
from sav_edge.projection import apply
from sav_edge.reading import ReadModel
from sav_edge.routes import HttpRequest, token_of
from sav_edge.stream import STREAMS_EACH, WAITING, Streams, streaming

Json = dict[str, Any]


@dataclass
class Ear:
    """Somebody who listens, and what they have heard: `(event, data)` without comments."""

    heard: list[tuple[str, Json]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    place: str = ""
    ended: bool = False

    def of(self, view: View) -> list[int]:
        """The versions of this record that were told."""
        return [
            data["version"]
            for _, data in self.heard
            if (data.get("kind"), data.get("id")) == (view.kind(), str(view.id))
        ]

    async def hears(self, view: View) -> None:
        async def told() -> bool:
            return view.version in self.of(view)

        await eventually(told, 20)

    async def until(self, condition: Callable[["Ear"], object]) -> None:
        async def met() -> object:
            return condition(self)

        await eventually(met, 20)

    async def listen(self, answer: httpx.Response) -> None:
        event = ""
        async for line in answer.aiter_lines():
            self.lines.append(line)
            name, _, value = line.partition(": ")
            if name == "id":
                self.place = value
            elif name == "event":
                event = value
            elif name == "data":
                self.heard.append((event, from_json(value)))
        self.ended = True


@dataclass
class Replica:
    """One process of the edge, as far as it is about streams."""

    port: int
    settings: Settings

    def token(self, who: Actor, seconds: int = 60) -> str:
        return Signer(self.settings.signing_key).token(who, seconds)

    @asynccontextmanager
    async def heard_by(self, who: Actor, last: str | None = None, seconds: int = 60) -> AsyncIterator[Ear]:
        """An ear that is told what changes from now on; first of all it has a place."""
        headers = {"Authorization": f"Bearer {self.token(who, seconds)}".encode()}
        if last is not None:
            headers["Last-Event-ID"] = last.encode("latin-1")
        async with ear(self.port, headers) as one:
            yield one

    async def asked(self, headers: dict[str, str], method: str = "GET", query: str = "") -> httpx.Response:
        async with httpx.AsyncClient() as http:
            return await http.request(method, f"http://127.0.0.1:{self.port}/stream{query}", headers=headers)


@asynccontextmanager
async def ear(port: int, headers: Mapping[str, Any]) -> AsyncIterator[Ear]:
    async with (
        httpx.AsyncClient(timeout=None) as http,
        http.stream("GET", f"http://127.0.0.1:{port}/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        one = Ear()
        listening = asyncio.create_task(one.listen(answer))
        try:
            await one.until(lambda ear: ear.place)
            yield one
        finally:
            listening.cancel()
            await asyncio.wait([listening])


@pytest.fixture(scope="module")
async def apart(settings: Settings) -> Settings:
    mine = settings.model_copy(update={"database_prefix": "stream"})
    await migrate(mine, "edge")
    return mine


@pytest.fixture(scope="module")
async def pool(apart: Settings) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(apart.database("edge"), min_size=1, max_size=5) as pool:
        yield pool


@asynccontextmanager
async def replica(
    settings: Settings, pool: asyncpg.Pool, at_most: int = 100, heartbeat: float = 15.0
) -> AsyncIterator[Replica]:
    """The edge's stream and server alone: no broker, and nothing that other tests change is heard of."""
    verifier = Verifier(settings.public_keys)
    streams = Streams(pool, verifier, at_most, heartbeat)

    def admit(row: Row, request: HttpRequest) -> str | None:
        call = call_of(request.scope)
        token = token_of(call)
        call.actor = verifier.actor(token) if token else ANYONE
        check_role(row, call.actor)
        return token

    app = Litestar([streaming(streams, admit)], state=State({"streams": streams}), openapi_config=None)
    app.asgi_handler = Front(app.asgi_handler, settings, Cors, Audit(pool, settings))
    listener = socket.create_server(("127.0.0.1", 0))
    # So that little is enough to fill it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    port = listener.getsockname()[1]
    async with streams.running(), served(app, listener, settings):
        yield Replica(port, settings)


@pytest.fixture(scope="module")
async def one(apart: Settings, pool: asyncpg.Pool) -> AsyncIterator[Replica]:
    async with replica(apart, pool) as one:
        yield one


@pytest.fixture(scope="module")
async def other(apart: Settings, pool: asyncpg.Pool) -> AsyncIterator[Replica]:
    async with replica(apart, pool) as other:
        yield other


async def changed(pool: asyncpg.Pool, *views: View) -> None:
    await apply(pool, [announced(view) for view in views])


def later(view: Any, **fields: Any) -> Any:
    return view.model_copy(update={"version": view.version + 1} | fields)


def a_claim(client: Actor = world.lea, technician: Actor | None = None) -> ReclamationView:
    return a(ReclamationView, client_id=client.id, technician_id=technician and technician.id)


async def test_people_hear_of_their_own_and_managers_of_everybodys(pool: asyncpg.Pool, one: Replica) -> None:
    async with (
        one.heard_by(world.lea) as lea,
        one.heard_by(world.paul) as paul,
        one.heard_by(world.karim) as karim,
        one.heard_by(world.marie) as marie,
    ):
        hers, his = a_claim(world.lea, world.karim), a_claim(world.paul, world.sofia)
        article = a(ArticleView)
        await changed(pool, hers, his)
        await changed(pool, article)
        for person in (lea, paul, karim, marie):
            await person.hears(article)
        told = [(bool(person.of(hers)), bool(person.of(his))) for person in (lea, paul, karim, marie)]
        assert told == [(True, False), (False, True), (True, False), (True, True)]
        assert lea.heard[0] == ("changed", {"kind": "reclamation", "id": str(hers.id), "version": 1})


async def test_a_technician_hears_that_a_reclamation_is_no_longer_theirs(
    pool: asyncpg.Pool, one: Replica
) -> None:
    async with one.heard_by(world.karim) as karim, one.heard_by(world.sofia) as sofia:
        first = a_claim(technician=world.karim)
        await changed(pool, first)
        await karim.hears(first)
        second = later(first, technician_id=world.sofia.id)
        await changed(pool, second)
        await karim.hears(second)
        await sofia.hears(second)
        third = later(second, priority="low")
        await changed(pool, third)
        await sofia.hears(third)
        assert (karim.of(first), sofia.of(first)) == ([1, 2], [2, 3])


async def test_a_client_hears_nothing_of_a_draft(pool: asyncpg.Pool, one: Replica) -> None:
    async with one.heard_by(world.lea) as lea, one.heard_by(world.marie) as marie:
        draft = a(InvoiceView)
        await changed(pool, draft)
        await marie.hears(draft)
        issued = later(draft, number="F-9", status="issued")
        await changed(pool, issued)
        await lea.hears(issued)
        assert (lea.of(draft), marie.of(draft)) == ([2], [1, 2])


async def test_what_is_known_already_is_told_to_nobody(pool: asyncpg.Pool, one: Replica) -> None:
    async with one.heard_by(world.lea) as lea:
        claim = a_claim()
        newer = later(claim)
        await changed(pool, newer)
        await lea.hears(newer)
        for view in (newer, claim):
            await changed(pool, view)
        last = a_claim()
        await changed(pool, last)
        await lea.hears(last)
        assert lea.of(claim) == [2]


async def test_who_listens_to_another_replica_hears_it_too(
    pool: asyncpg.Pool, one: Replica, other: Replica
) -> None:
    async with one.heard_by(world.lea) as here, other.heard_by(world.lea) as there:
        claim = a_claim()
        await changed(pool, claim)
        await here.hears(claim)
        await there.hears(claim)


async def test_who_comes_back_to_any_replica_hears_what_they_missed(
    pool: asyncpg.Pool, one: Replica, other: Replica
) -> None:
    async with one.heard_by(world.lea) as lea:
        known = a_claim()
        await changed(pool, known)
        await lea.hears(known)
    missed, not_hers = a_claim(), a_claim(world.paul)
    await changed(pool, missed, not_hers)
    again = later(missed)
    await changed(pool, again)
    async with other.heard_by(world.lea, lea.place) as lea:
        following = a_claim()
        await changed(pool, following)
        await lea.hears(following)
        # Nothing twice of one record: the newest says it.
        assert (lea.of(missed), lea.of(not_hers)) == ([2], [])
        assert {event for event, _ in lea.heard} == {"changed"}


async def test_a_change_that_is_committed_late_is_missed_by_nobody(pool: asyncpg.Pool, one: Replica) -> None:
    late, early = a_claim(), a_claim()
    async with one.heard_by(world.lea) as lea, pool.acquire() as connection:
        async with connection.transaction():
            await apply(connection, [announced(late)])
            await changed(pool, early)
            await lea.hears(early)
            # Whoever leaves now has not heard of the earlier one.
            place = lea.place
        await lea.hears(late)
    async with one.heard_by(world.lea, place) as lea:
        await lea.hears(late)


async def test_a_change_that_was_rolled_back_holds_nobody_up(
    pool: asyncpg.Pool, one: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sav_edge.changes.NEVER", 0.3)
    async with one.heard_by(world.lea) as lea:
        async with pool.acquire() as connection:
            undone = connection.transaction()
            await undone.start()
            await apply(connection, [announced(a_claim())])
            await undone.rollback()
        newest = await pool.fetchval("SELECT last_value FROM change_position_seq")

        async def passed() -> bool:
            await changed(pool, a_claim())
            return int(lea.place) > newest

        await eventually(passed)


async def test_a_place_that_nobody_knows_is_answered_with_a_reset(pool: asyncpg.Pool, one: Replica) -> None:
    await changed(pool, a_claim(), a_claim())
    newest = await pool.fetchval("SELECT max(position) FROM change")
    for last in (str(newest + 1000), "x", "-1", "²", "9" * 30):
        async with one.heard_by(world.lea, last) as lea:
            await lea.until(lambda ear: ear.heard)
            assert lea.heard[0] == ("reset", {}), last
    before = await pool.fetchval("SELECT min(position) FROM change") - 1
    async with one.heard_by(world.lea, str(before)) as lea:
        await lea.until(lambda ear: ear.heard)
        assert lea.heard[0][0] == "changed"
    await pool.execute("DELETE FROM change WHERE position = $1", before + 1)
    async with one.heard_by(world.lea, str(before)) as lea:
        await lea.until(lambda ear: ear.heard)
        assert lea.heard[0] == ("reset", {})


async def test_old_changes_are_forgotten(pool: asyncpg.Pool, apart: Settings) -> None:
    old, new = a_claim(), a_claim()
    await changed(pool, old)
    await pool.execute("UPDATE change SET at = at - interval '16 minutes'")
    kept = await pool.fetchval("SELECT max(position) FROM change")
    changes = stream.Changes(pool)
    await changes.forget()
    assert [row[0] for row in await pool.fetch("SELECT position FROM change")] == [kept]
    await changes.begin()
    assert changes.floor == kept
    await changed(pool, new)
    assert {change.id for change in await changes.fresh()} == {new.id}


async def test_who_has_missed_too_much_is_told_to_load_everything(pool: asyncpg.Pool, one: Replica) -> None:
    async with one.heard_by(world.lea) as lea:
        known = a_claim()
        await changed(pool, known)
        await lea.hears(known)
    missed = [a_claim() for _ in range(WAITING)]
    await changed(pool, *missed)
    async with one.heard_by(world.lea, lea.place) as lea:
        await lea.until(lambda ear: all(map(ear.of, missed)))
    await changed(pool, *(a_claim() for _ in range(WAITING + 1)))
    async with one.heard_by(world.lea, lea.place) as lea:
        await lea.until(lambda ear: ear.heard)
        assert lea.heard[0] == ("reset", {})


async def test_a_caller_who_does_not_read_is_dropped_and_holds_up_nobody(
    pool: asyncpg.Pool, one: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sav_edge.stream.UNREAD", 0.5)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    deaf.connect(("127.0.0.1", one.port))
    deaf.sendall(
        f"GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {one.token(world.paul)}\r\n\r\n".encode()
    )
    async with one.heard_by(world.paul) as paul:

        async def dropped() -> bool:
            await changed(pool, *(a_claim(world.paul) for _ in range(WAITING // 8)))
            return streams_open() == 1

        await eventually(dropped, 30)
        last = a_claim(world.paul)

        async def told() -> list[int]:
            # Where too much came for them too, they were told just that.
            nonlocal last
            last = later(last)
            await changed(pool, last)
            return paul.of(last)

        await eventually(told)
    with deaf:
        assert not cut_off(deaf).endswith(b"0\r\n\r\n")


def cut_off(deaf: socket.socket) -> bytes:
    """The last that can still be read of a connection that the other side has ended."""
    got = b""
    deaf.settimeout(5)
    with suppress(ConnectionResetError):
        while more := deaf.recv(100_000):
            got = more
    return got


async def test_a_stream_shows_that_it_is_alive(apart: Settings, pool: asyncpg.Pool) -> None:
    async with (
        replica(apart, pool, heartbeat=0.2) as quick,
        quick.heard_by(world.lea) as lea,
        quick.heard_by(world.paul) as paul,
    ):
        before = lea.place
        claim = a_claim(world.paul)
        await changed(pool, claim)
        await paul.hears(claim)
        await lea.until(lambda ear: ear.lines.count(": still here") > 2)
        # Their place moves on while they hear nothing.
        await lea.until(lambda ear: int(ear.place) > int(before))
        assert not lea.heard


async def test_a_stream_ends_with_its_token(apart: Settings, pool: asyncpg.Pool) -> None:
    async with (
        replica(apart, pool, heartbeat=0.2) as quick,
        quick.heard_by(world.lea, seconds=2) as lea,
        quick.heard_by(world.paul) as paul,
    ):
        await lea.until(lambda ear: ear.ended)
        assert lea.heard == [("expired", {})]
        assert not paul.ended


async def test_streams_are_refused_like_any_request(one: Replica) -> None:
    refused(await one.asked({}), 401, "not_signed_in")
    refused(await one.asked({"Authorization": "Bearer x"}), 401, "not_signed_in")
    token = one.token(world.lea)
    refused(await one.asked({}, query=f"?token={token}"), 401, "not_signed_in")
    refused(await one.asked({"Authorization": f"Bearer {token}"}, query="?after=1"), 422, "invalid")
    robot = {"Authorization": f"Bearer {one.token(Actor(role=Role.SYSTEM))}"}
    refused(await one.asked(robot), 403, "not_allowed")
    assert (await one.asked({"Authorization": f"Bearer {token}"}, "POST")).status_code == 405


async def test_a_person_has_so_many_streams_and_a_process_too(apart: Settings, pool: asyncpg.Pool) -> None:
    async with replica(apart, pool, at_most=STREAMS_EACH + 1) as small:
        headers = {"Authorization": f"Bearer {small.token(world.lea)}"}
        async with AsyncExitStack() as stack:
            for _ in range(STREAMS_EACH):
                await stack.enter_async_context(small.heard_by(world.lea))
            answer = await small.asked(headers)
            refused(answer, 429, "too_many_streams")
            assert answer.headers["retry-after"]
            await stack.enter_async_context(small.heard_by(world.paul))
            refused(
                await small.asked({"Authorization": f"Bearer {small.token(world.sofia)}"}), 503, "unavailable"
            )
            assert streams_open() == STREAMS_EACH + 1

        async def gone() -> bool:
            return streams_open() == 0

        await eventually(gone)
        async with small.heard_by(world.lea):
            pass


async def test_a_stop_ends_streams_at_once(apart: Settings, pool: asyncpg.Pool) -> None:
    async with AsyncExitStack() as listeners:
        async with asyncio.timeout(10), replica(apart, pool) as stopping:
            ears = [
                await listeners.enter_async_context(stopping.heard_by(who)) for who in (world.lea, world.paul)
            ]
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 2
        for one in ears:
            await one.until(lambda ear: ear.ended)


def streams_open() -> float:
    [gauge] = [
        sample.value
        for family in text_string_to_metric_families(metrics.exposition([]).decode())
        for sample in family.samples
        if sample.name == "sav_streams"
    ]
    return gauge


# Two sides: work that goes on, of which the client sees everything, and work that is over, of which they see little.
SIDES = (
    (
        world.lea,
        world.karim,
        {ReclamationView: "in_progress", InvoiceView: "issued", ReportView: "validated"},
    ),
    (
        world.paul,
        world.sofia,
        {
            ReclamationView: "closed",
            InterventionView: "completed",
            InvoiceView: "draft",
            ReportView: "submitted",
        },
    ),
)
CAST = [
    world.lea, world.paul, world.karim, world.sofia, world.marie, world.alex,
    Actor(id=uuid4(), role=Role.CLIENT), Actor(id=uuid4(), role=Role.TECHNICIAN),
]  # fmt: skip


def records() -> list[View]:
    """On each side a record of every kind."""
    return [view for client, technician, statuses in SIDES for view in side(client, technician, statuses)]


def side(client: Actor, technician: Actor, statuses: dict[type[View], str]) -> list[View]:
    ids: dict[type[View], UUID] = {kind: uuid4() for kind in USUAL}
    ids |= {ClientView: client.id, AccountView: client.id, TechnicianView: technician.id}
    named = {f"{kind.kind()}_id": id for kind, id in ids.items()} | {
        "client_id": client.id, "technician_id": technician.id, "user_id": client.id,
    }  # fmt: skip
    return [
        a(
            kind,
            id,
            **{name: value for name, value in named.items() if name in kind.model_fields},
            **({"status": statuses[kind]} if kind in statuses else {}),
        )
        for kind, id in ids.items()
    ]


async def reads(read: ReadModel, who: Actor, view: View) -> bool:
    """Whether any GET shows them the record."""
    return any([await shows(read, row, who, view) for row in SURFACE if row.message is type(view)])


async def shows(read: ReadModel, row: Row, who: Actor, view: View) -> bool:
    if who.role not in row.reach or row.serves not in (Serves.PAGE, Serves.ONE, Serves.SELF):
        return False
    ids = {
        name: view.id if name == f"{view.kind()}_id" else view.parent
        for name in re.findall(r"{(\w+)}", row.path)
    }
    try:
        if row.serves is Serves.PAGE:
            return str(view.id) in await read.page(row, ids, {"limit": ["200"]}, who)  # type: ignore[arg-type]
        found = await read.one(row, {"account_id": who.id} if row.serves is Serves.SELF else ids, who)  # type: ignore[arg-type]
        return from_json(found.doc)["id"] == str(view.id)
    except NotFound:
        return False


async def test_everybody_hears_of_just_what_they_can_get(pool: asyncpg.Pool, one: Replica) -> None:
    await pool.execute("TRUNCATE view, timeline")
    views, end = records(), a(ArticleView)
    async with AsyncExitStack() as stack:
        ears = [await stack.enter_async_context(one.heard_by(who)) for who in CAST]
        place = ears[0].place
        # Roots first: what hangs on one that nobody knows yet is nobody's.
        for scoped in (False, True):
            await changed(pool, *(view for view in views if (view.parent is not None) is scoped))
        await changed(pool, end)
        for heard in ears:
            await heard.hears(end)
    read, wrong = ReadModel(pool), []
    for who, heard in zip(CAST, ears, strict=True):
        async with one.heard_by(who, place) as again:
            await again.hears(end)
        for view in views:
            told = (bool(heard.of(view)), bool(again.of(view)))
            if told != (await reads(read, who, view),) * 2:
                wrong.append(f"{who.role} {who.id}: {view.kind()}, told {told}")
    assert not wrong


async def test_a_command_is_heard_by_whom_it_concerns_at_every_replica(scene: Scene) -> None:
    """The whole way: through the services, the broker and two replicas that share the events."""
    settings = scene.system.settings.model_copy(update={"edge_port": 0})
    near, far, manager = scene.near, scene.far, scene.manager
    ports = [free_port(), free_port()]
    async with AsyncExitStack() as stack:
        for port in ports:
            await stack.enter_async_context(listening(settings.model_copy(update={"edge_port": port})))
        client, technician, another, watching = [
            await stack.enter_async_context(ear(ports[number % 2], who.headers()))
            for number, who in enumerate((near.client, near.technician, far.technician, manager))
        ]
        claim = await qualified(near.client, manager)
        done(await assign(manager, claim, near.technician))
        for heard in (client, technician, watching):
            await heard.until(lambda ear: knows(ear, claim))
        assert not knows(another, claim)
        done(await assign(manager, claim, far.technician))
        await another.until(lambda ear: knows(ear, claim))

        async def lost() -> bool:
            return (
                knows(technician, claim) > 1
                or versions(technician, claim)[-1] == versions(another, claim)[-1]
            )

        await eventually(lost)
        refused(await near.technician.get(f"/reclamations/{claim['id']}"), 404, "not_found")
        other_claim = await opened(far.client)
        await watching.until(lambda ear: knows(ear, other_claim))
        assert not knows(client, other_claim)


def versions(ear: Ear, record: Json) -> list[int]:
    return [data["version"] for _, data in ear.heard if data["id"] == record["id"]]


def knows(ear: Ear, record: Json) -> int:
    return len(versions(ear, record))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
