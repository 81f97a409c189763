"""Lists: every record once, in their order, however sorted and whatever is added meanwhile."""

import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import world
from given_lists import LISTS, NOW, dated, named_wrong, put, through
from given_views import a, show
from recipes import Scene
from stories import Json, done, ids, items, opened
from system import Person, System

from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.messages import View
from sav_contracts.surface import Row
from sav_edge.read_model import ReadModel


async def walk(who: Person, path: str, between: Any = None, **parameters: Any) -> list[dict[str, Any]]:
    """Every item of every page; `between` is done after each page but the last."""
    seen: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = done(await who.get(path, **parameters, **after))
        assert len(page["items"]) <= parameters["limit"]
        seen += page["items"]
        if page["next"] is None:
            return seen
        if between:
            await between()
        assert len(page["items"]) == parameters["limit"]
        after = {"after": page["next"]}


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "updated_at", "reference", "-reference"])
async def test_pages_show_everything_once_while_more_is_added(system: System, sort: str) -> None:
    paul = await system.client()
    claims = [await opened(paul) for _ in range(7)]
    added: list[Json] = []

    async def one_more() -> None:
        if len(added) < 4:
            added.append(await opened(paul))

    seen = await walk(paul, "/reclamations", one_more, limit=3, sort=sort)
    name = sort.removeprefix("-")
    expected = [claim["id"] for claim in claims]
    if sort.startswith("-"):
        expected.reverse()  # what is new stands before the first page
    else:
        expected += [claim["id"] for claim in added]
    assert [claim["id"] for claim in seen] == expected
    assert [claim[name] for claim in seen] == sorted(
        (claim[name] for claim in seen), reverse=sort.startswith("-")
    )


async def test_the_newest_come_first_where_no_sort_is_asked(system: System) -> None:
    paul = await system.client()
    claims = [(await opened(paul))["id"] for _ in range(3)]
    assert await ids(paul, "/reclamations") == claims[::-1]


@pytest.mark.parametrize("sort", ["created_at", "-created_at"])
async def test_pages_show_everything_once_where_times_are_equal(scene: Scene, sort: str) -> None:
    client_id = uuid4()
    views = [dated(client_id, created_at=NOW) for _ in range(8)]
    await put(scene.system, *views)
    seen = await walk(scene.manager, "/reclamations", limit=3, sort=sort, client_id=str(client_id))
    expected = sorted((str(view.id) for view in views), reverse=sort.startswith("-"))
    assert [claim["id"] for claim in seen] == expected


async def test_pages_are_exact_at_their_limit(system: System) -> None:
    paul = await system.client()
    claims = {(await opened(paul))["id"] for _ in range(4)}
    for limit in (1, 2, 4, 5, 200):
        assert {claim["id"] for claim in await walk(paul, "/reclamations", limit=limit)} == claims
    assert done(await paul.get("/reclamations", limit=4))["next"] is None


async def test_clients_are_sorted_by_name(scene: Scene) -> None:
    names = [client["name"] for client in await items(scene.manager, "/clients", sort="name", limit=200)]
    assert len(names) >= 2
    assert names == sorted(names)


alex, marie, lea = world.alex, world.marie, world.lea


async def test_what_has_no_number_comes_first_and_in_descending_order_last(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    numbered = [a(InvoiceView, number=f"F-{n}", status="issued") for n in (3, 1, 2)]
    drafts = [a(InvoiceView) for _ in range(3)]
    await show(pool, [*numbered, *drafts])
    none = sorted(draft.id for draft in drafts)
    order = [*none, numbered[1].id, numbered[2].id, numbered[0].id]
    for limit in ("1", "2", "3", "4", "200"):
        assert await through(read, "/invoices", marie, sort="number", limit=limit) == order
        assert await through(read, "/invoices", marie, sort="-number", limit=limit) == order[::-1]
        assert await through(read, "/invoices", lea, sort="number", limit=limit) == order[3:]


SORTED = [
    (path, row, sort)
    for path, row in LISTS.items()
    if "{" not in path
    for sort in row.sorts
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "row", "sort"), SORTED, ids=lambda part: part if isinstance(part, str) else ""
)
async def test_every_list_is_sorted_and_paged_by_every_field_it_names(
    pool: asyncpg.Pool, read: ReadModel, path: str, row: Row, sort: str
) -> None:
    assert issubclass(row.message, View)
    views = [a(row.message, at=NOW + timedelta(hours=n // 2)) for n in range(5)]
    await show(pool, views)
    order = await through(read, path, alex, sort=sort, limit="200")
    assert sorted(order) == sorted(view.id for view in views)
    assert await through(read, path, alex, sort=sort, limit="2") == order
    assert await through(read, path, alex, sort=f"-{sort}", limit="2") == order[::-1]


@pytest.mark.parametrize("sort", ["due_at", "respond_by", "resolve_by", "ended_at"])
async def test_what_has_no_time_comes_last_in_both_directions(
    pool: asyncpg.Pool, read: ReadModel, sort: str
) -> None:
    def at(moment: datetime | None) -> ReclamationView:
        fields: dict[str, Any] = {sort: moment}
        return a(ReclamationView, **fields)

    timed = [at(NOW + timedelta(hours=n)) for n in (3, 1, 2)]
    timeless = [at(None) for _ in range(3)]
    none = sorted(view.id for view in timeless)
    await show(pool, [*timed, *timeless])
    order = [timed[1].id, timed[2].id, timed[0].id]
    for limit in ("1", "2", "3", "4", "200"):
        assert await through(read, "/reclamations", marie, sort=sort, limit=limit) == order + none
        assert (
            await through(read, "/reclamations", marie, sort=f"-{sort}", limit=limit)
            == order[::-1] + none[::-1]
        )


@pytest.mark.parametrize(
    ("path", "sort", "value"),
    [
        ("/articles", "price", "1e-20000"),
        ("/articles", "price", "1e400000"),
        ("/articles", "price", "NaN"),
        ("/articles", "price", "x"),
        ("/articles", "in_stock", "perhaps"),
        ("/articles", "name", "Chaudière"),
        ("/articles", "name", "a\0b"),
        ("/appointments", "start", "tomorrow"),
    ],
)
async def test_a_mark_that_nobody_was_given_is_refused(
    read: ReadModel, path: str, sort: str, value: str
) -> None:
    text = json.dumps([sort, value, str(uuid4())])
    after = urlsafe_b64encode(text.encode()).decode().rstrip("=")
    assert await named_wrong(read, path, alex, sort=sort, after=after) == {"after"}
