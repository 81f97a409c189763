"""Who is told of what: over real sockets and the real read model, without the other rooms."""

import re
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import world
from eventually import eventually
from given_streams import Ear, Replica, a_claim, changed, ear, free_port, later
from given_views import USUAL, a, wipe
from pydantic_core import from_json
from recipes import Scene
from stories import Json, assign, done, opened, qualified, refused

from sav_chassis.errors import NotFound
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import View
from sav_contracts.surface import SURFACE, ListRow, OwnRecordRow, RecordRow, Row
from sav_edge.app import listening
from sav_edge.read_model import ReadModel


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


# Two sides: work that goes on, of which the client sees everything, and work that is over, of which they see little.
SIDES: tuple[tuple[Actor, Actor, dict[type[View], str]], ...] = (
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

    def fields(kind: type[View]) -> dict[str, Any]:
        status = {"status": statuses[kind]} if kind in statuses else {}
        return {name: id for name, id in named.items() if name in kind.model_fields} | status

    return [a(kind, id, **fields(kind)) for kind, id in ids.items()]


async def reads(read: ReadModel, who: Actor, view: View) -> bool:
    """Whether any GET shows them the record."""
    return any([await shows(read, row, who, view) for row in SURFACE if row.message is type(view)])


async def shows(read: ReadModel, row: Row, who: Actor, view: View) -> bool:
    if who.role not in row.roles or not isinstance(row, ListRow | RecordRow | OwnRecordRow):
        return False
    ids: dict[str, Any] = {
        name: view.id if name == f"{view.kind()}_id" else view.parent
        for name in re.findall(r"{(\w+)}", row.path)
    }
    try:
        if isinstance(row, ListRow):
            return str(view.id) in await read.page(row, ids, {"limit": ["200"]}, who)
        found = await read.one(row, {"account_id": who.id} if isinstance(row, OwnRecordRow) else ids, who)
        return bool(from_json(found.doc)["id"] == str(view.id))
    except NotFound:
        return False


async def test_everybody_hears_of_just_what_they_can_get(pool: asyncpg.Pool, one: Replica) -> None:
    await wipe(pool)
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
