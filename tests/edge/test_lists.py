"""Lists: every record once, however sorted and whatever is added meanwhile; filters, search; wrong parameters."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any, ClassVar, get_args
from uuid import UUID, uuid4

import asyncpg
import pytest
import world
from given_views import a
from pydantic_core import from_json
from recipes import Scene
from stories import Json, done, ids, items, opened, qualified, wrong_fields
from system import Person, System
from uuid_utils.compat import uuid7

from sav_chassis.errors import Invalid
from sav_chassis.migrate import migrate
from sav_chassis.projector import show
from sav_chassis.settings import Settings
from sav_contracts.actor import Actor
from sav_contracts.calendar import AppointmentView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims import ClientView, ReclamationForClient, ReclamationView, Safety
from sav_contracts.interventions.invoice import InvoiceForClient, InvoiceView
from sav_contracts.interventions.report import ReportView
from sav_contracts.messages import Scope, View
from sav_contracts.surface import SURFACE, Row, Serves
from sav_edge.listing import form
from sav_edge.reading import ReadModel

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


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
    views = [view(client_id, created_at=NOW) for _ in range(8)]
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


async def test_filters_choose_and_several_values_are_alternatives(scene: Scene) -> None:
    paul = await scene.system.client()
    leak, noise = await opened(paul, problem_type="leak"), await opened(paul, problem_type="noise")
    known = await qualified(paul, scene.manager)
    marie = scene.manager

    async def found(**parameters: Any) -> set[str]:
        return set(await ids(marie, "/reclamations", client_id=paul.id, **parameters))

    assert await found(status="qualified") == {known["id"]}
    assert await found(status=["qualified", "submitted"]) == {leak["id"], noise["id"], known["id"]}
    assert await found(problem_type=["leak", "noise"]) == {leak["id"], noise["id"]}
    assert await found(problem_type="leak", status="qualified") == set()
    assert await found(reference=noise["reference"]) == {noise["id"]}
    assert await found(priority="high", status="submitted") == {leak["id"]}
    assert await found(technician_id=scene.near.technician.id) == set()
    mixed = await ids(marie, "/reclamations", client_id=[paul.id, scene.near.client.id], limit=200)
    assert {leak["id"], scene.near.records["reclamation"]} <= set(mixed)


async def test_dates_choose_from_and_until(scene: Scene) -> None:
    client_id = uuid4()
    days = [view(client_id, created_at=NOW + timedelta(days=n)) for n in range(4)]
    await put(scene.system, *days)

    async def found(**parameters: str) -> list[str]:
        return await ids(
            scene.manager, "/reclamations", client_id=str(client_id), sort="created_at", **parameters
        )

    expected = [str(day.id) for day in days]
    assert await found(created_from="2026-03-03T09:00:00Z") == expected[1:]
    assert await found(created_to="2026-03-03T09:00:00Z") == expected[:1]
    assert (
        await found(created_from="2026-03-03T10:00:00+01:00", created_to="2026-03-04T09:00:01Z")
        == expected[1:3]
    )


async def test_technicians_are_filtered_by_whether_they_are_active(scene: Scene) -> None:
    id = scene.near.technician.id
    assert id in await ids(scene.manager, "/technicians", active="true", limit=200)
    assert id not in await ids(scene.manager, "/technicians", active="false", limit=200)


async def test_clients_are_sorted_by_name(scene: Scene) -> None:
    names = [client["name"] for client in await items(scene.manager, "/clients", sort="name", limit=200)]
    assert len(names) >= 2
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"colour": "red"}, {"colour"}),
        ({"status": "lost"}, {"status"}),
        ({"status": ["submitted", "lost"]}, {"status"}),
        ({"status": ""}, {"status"}),
        ({"client_id": "x"}, {"client_id"}),
        ({"client_id": "\0"}, {"client_id"}),
        ({"reference": "\0"}, {"reference"}),
        ({"limit": "0"}, {"limit"}),
        ({"limit": "201"}, {"limit"}),
        ({"limit": "-1"}, {"limit"}),
        ({"limit": "ten"}, {"limit"}),
        ({"limit": "٣"}, {"limit"}),
        ({"limit": "9" * 5000}, {"limit"}),
        ({"sort": "description"}, {"sort"}),
        ({"sort": "--reference"}, {"sort"}),
        ({"sort": ""}, {"sort"}),
        ({"sort": "v.id; DROP TABLE view"}, {"sort"}),
        ({"created_from": "yesterday"}, {"created_from"}),
        ({"created_from": "2026-03-02T09:00:00"}, {"created_from"}),
        ({"created_from": "0001-01-01T00:00:00+14:00"}, {"created_from"}),
        ({"created_to": "9999-12-31T23:59:59-14:00"}, {"created_to"}),
        ({"created_to": "1e300"}, {"created_to"}),
        (
            {"limit": "x", "sort": "x", "after": "x", "status": "x", "x": "x"},
            {"limit", "sort", "after", "status", "x"},
        ),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
async def test_every_wrong_parameter_is_named(
    scene: Scene, parameters: dict[str, Any], wrong: set[str]
) -> None:
    assert wrong_fields(await scene.manager.get("/reclamations", **parameters)) == wrong


def cursor(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


ID = "0190c0de-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "é",
        "%%%",
        "=" * 10,
        cursor("null"),
        cursor("{}"),
        cursor("[]"),
        cursor('["created_at", "2026-01-01T00:00:00Z"]'),
        cursor(f'["created_at", 1, "{ID}"]'),
        cursor('["created_at", "2026-01-01T00:00:00Z", "x"]'),
        cursor(f'["created_at", "yesterday", "{ID}"]'),
        cursor(f'["created_at", "2026-01-01T00:00:00", "{ID}"]'),
        cursor(f'["created_at", "0001-01-01T00:00:00+14:00", "{ID}"]'),
        cursor(f'["reference", "REC-2026-000001", "{ID}"]'),
        cursor(f'["doc", "x", "{ID}"]'),
        cursor("[" * 40_000),
        cursor("9" * 40_000),
    ],
    ids=lambda text: text[:20],
)
async def test_a_cursor_that_is_none_is_named(scene: Scene, after: str) -> None:
    assert wrong_fields(await scene.manager.get("/reclamations", after=after)) == {"after"}


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00x"])
async def test_a_cursor_with_text_that_no_database_holds_is_named(scene: Scene, text: str) -> None:
    after = cursor(f'["reference", "{text}", "{ID}"]')
    answer = await scene.manager.get("/reclamations", sort="reference", after=after)
    assert wrong_fields(answer) == {"after"}


async def test_a_cursor_of_one_order_is_refused_in_another(scene: Scene) -> None:
    following = done(await scene.manager.get("/reclamations", limit=1))["next"]
    answer = await scene.manager.get("/reclamations", limit=1, sort="reference", after=following)
    assert wrong_fields(answer) == {"after"}


async def test_a_cursor_opens_nothing_to_somebody_else(scene: Scene) -> None:
    following = done(await scene.manager.get("/reclamations", limit=1))["next"]
    near = set(await ids(scene.near.client, "/reclamations", limit=200))
    assert set(await ids(scene.near.client, "/reclamations", after=following)) <= near


async def test_bytes_that_are_no_text_choose_nothing(scene: Scene) -> None:
    for value in ("%ED%A0%80", "%FF", "%C3%28"):
        answer = await scene.manager.ask("GET", f"/reclamations?reference={value}")
        assert answer.status_code == 422 or answer.json()["items"] == []


@pytest.fixture(scope="module")
async def pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """A read model without services: records of any kind are told to it."""
    apart = settings.model_copy(update={"database_prefix": "lists"})
    await migrate(apart, "edge")
    async with asyncpg.create_pool(apart.database("edge"), min_size=1, max_size=2) as pool:
        yield pool


@pytest.fixture
async def read(pool: asyncpg.Pool) -> ReadModel:
    await pool.execute("TRUNCATE view, timeline")
    return ReadModel(pool)


LISTS = {row.path: row for row in SURFACE if row.serves is Serves.PAGE}
alex, marie, lea = world.alex, world.marie, world.lea


async def page(read: ReadModel, path: str, who: Actor, **query: Any) -> Any:
    asked = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    return from_json(await read.page(LISTS[path], {}, asked, who))


async def chosen(read: ReadModel, path: str, who: Actor, **query: Any) -> list[UUID]:
    return [UUID(item["id"]) for item in (await page(read, path, who, **query))["items"]]


async def through(read: ReadModel, path: str, who: Actor, **query: Any) -> list[UUID]:
    """The ids of every page."""
    seen: list[UUID] = []
    while True:
        told = await page(read, path, who, **query)
        seen += [UUID(item["id"]) for item in told["items"]]
        if told["next"] is None:
            return seen
        query["after"] = told["next"]


async def named_wrong(read: ReadModel, path: str, who: Actor, **query: Any) -> set[str]:
    with pytest.raises(Invalid) as raised:
        await page(read, path, who, **query)
    return {error.field for error in raised.value.problem.errors or []}


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


def appointment(start: str) -> AppointmentView:
    time = datetime.fromisoformat(start)
    return a(AppointmentView, start=time, end=time + timedelta(hours=2))


async def test_appointments_are_sorted_and_chosen_by_the_time_at_which_they_start(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    # Whatever zone a time is told in: as texts these would stand in another order.
    first = appointment("2026-03-02T10:00:00+02:00")
    second = appointment("2026-03-02T09:00:00+00:00")
    third = appointment("2026-03-02T04:30:00-05:00")
    await show(pool, [third, first, second])
    order = [first.id, second.id, third.id]
    for limit in ("1", "2", "200"):
        assert await through(read, "/appointments", marie, sort="start", limit=limit) == order
        assert await through(read, "/appointments", lea, sort="-start", limit=limit) == order[::-1]

    async def between(**bounds: str) -> list[UUID]:
        return await chosen(read, "/appointments", marie, sort="start", **bounds)

    assert await between(**{"from": "2026-03-02T09:00:00Z"}) == [second.id, third.id]
    assert await between(to="2026-03-02T10:00:00+01:00") == [first.id]
    assert await between(**{"from": "2026-03-02T08:30:00Z", "to": "2026-03-02T09:30:00Z"}) == [second.id]
    for wrong in ("", "yesterday", "2026-03-02T09:00:00", "2026-03-02", "\0"):
        assert await named_wrong(read, "/appointments", lea, **{"from": wrong, "to": wrong}) == {"from", "to"}
    assert await named_wrong(read, "/invoices", marie, **{"from": "2026-03-02T09:00:00Z"}) == {"from"}


ARTICLES: dict[str, dict[str, Any]] = {
    "boiler": {"reference": "CH-100", "name": "Chaudière murale", "description": "à CONDENSATION, 24 kW"},
    "tap": {"reference": "MI-200", "name": "Mitigeur", "brand": "Grohé", "description": "100% laiton"},
    "odd": {"reference": "X_1", "name": "a.b(c)[d]*\\e", "description": "Œillet ÉLARGI, façade"},
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chaudiere", {"boiler"}),
        ("CHAUDIÈRE", {"boiler"}),
        ("chàüdîère", {"boiler"}),
        ("audi", {"boiler"}),
        ("condensation murale", {"boiler"}),
        ("  murale   ch-100 ", {"boiler"}),
        ("murale grohe", set()),
        ("grohe", {"tap"}),
        ("GROHÉ", {"tap"}),
        ("100", {"boiler", "tap"}),
        ("100%", {"tap"}),
        ("%", {"tap"}),
        ("_", {"odd"}),
        ("x_1", {"odd"}),
        (".", {"odd"}),
        ("a.b(c)[d]*\\e", {"odd"}),
        ("(", {"odd"}),
        ("[", {"odd"}),
        ("\\", {"odd"}),
        ("***", set()),
        ("facade", {"odd"}),
        ("elargi", {"odd"}),
        ("e\u0301largi", {"odd"}),
        ("œillet", {"odd"}),
        ("c.*n", set()),
        ("nothing", set()),
        ("", {"boiler", "tap", "odd"}),
        ("   ", {"boiler", "tap", "odd"}),
        ("\ud7ff", set()),
        ("é" * 200, set()),
        ("(" * 200, set()),
    ],
)
async def test_every_word_of_a_search_occurs(
    pool: asyncpg.Pool, read: ReadModel, text: str, found: set[str]
) -> None:
    articles = {name: a(ArticleView, **fields) for name, fields in ARTICLES.items()}
    await show(pool, [*articles.values()])
    for who in (lea, world.karim, marie):
        assert set(await chosen(read, "/articles", who, q=text)) == {articles[name].id for name in found}


async def test_a_search_looks_only_where_the_list_says(pool: asyncpg.Pool, read: ReadModel) -> None:
    claim = a(ReclamationView, description="fuite sous l'évier", priority_reason="fuite de gaz")
    await show(pool, [claim])
    assert await chosen(read, "/reclamations", lea, q="fuite") == [claim.id]
    for who in (lea, marie):
        assert await chosen(read, "/reclamations", who, q="gaz") == []
        assert await named_wrong(read, "/invoices", who, q="x") == {"q"}
    assert await named_wrong(read, "/reclamations", lea, q="a\0b") == {"q"}
    assert await named_wrong(read, "/reclamations", lea, q="a" * 201) == {"q"}
    assert await named_wrong(read, "/reclamations", lea, q=["a" * 100, "b" * 100]) == {"q"}
    assert await chosen(read, "/reclamations", lea, q=["fuite", "evier"]) == [claim.id]
    assert await chosen(read, "/reclamations", lea, q=["fuite", "gaz"]) == []


async def test_a_search_is_paged_and_filtered_too(pool: asyncpg.Pool, read: ReadModel) -> None:
    found = [a(ReclamationView, reference=f"REC-{n}", article="Évier") for n in range(5)]
    await show(pool, [*found, a(ReclamationView, article="Lavabo")])
    expected = [claim.id for claim in found]
    assert await through(read, "/reclamations", lea, q="evier", sort="reference", limit="2") == expected
    assert await chosen(read, "/reclamations", lea, q="evier", reference="REC-3") == [expected[3]]


async def test_filters_take_what_their_field_is(pool: asyncpg.Pool, read: ReadModel) -> None:
    product_id = uuid4()
    boiler = a(ArticleView, reference="CH-1", gtin="12345670", fuel="gas", in_stock=True)
    tap = a(ArticleView, reference="CH-11", family="sanitary", fuel=None, in_stock=False)
    named = a(ReclamationView, product_id=product_id)
    product = a(ProductView, id=product_id, serial="S_1")
    await show(pool, [boiler, tap, named, a(ReclamationView), product, a(ProductView, serial="SX1")])
    for who in (lea, marie):
        assert await chosen(read, "/articles", who, in_stock="true") == [boiler.id]
        assert await chosen(read, "/articles", who, in_stock="false") == [tap.id]
        assert await chosen(read, "/articles", who, family="sanitary") == [tap.id]
        assert await chosen(read, "/articles", who, fuel="gas") == [boiler.id]
        assert await chosen(read, "/articles", who, gtin="12345670") == [boiler.id]
        assert await chosen(read, "/articles", who, reference="CH-1") == [boiler.id]
        assert await chosen(read, "/reclamations", who, product_id=str(product_id).upper()) == [named.id]
        assert await chosen(read, "/products", who, serial="S_1") == [product.id]
        wrong = {"in_stock": "perhaps", "fuel": "coal", "gtin": "\0"}
        assert await named_wrong(read, "/articles", who, **wrong) == set(wrong)


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


def test_lists_are_sorted_by_texts_and_times_only() -> None:
    for row in LISTS.values():
        for sort in row.sorts:
            kinds = set(get_args(row.message.model_fields[sort].annotation)) or {
                row.message.model_fields[sort].annotation
            }
            assert kinds - {NoneType} <= {str, datetime}, f"{row.route}: {sort}"


class Careless(View):
    scope: ClassVar[Scope] = Scope.ROOT

    def for_client(self) -> View | None:
        return None


class Hidden(View):
    scope: ClassVar[Scope] = Scope.ROOT

    def for_client(self) -> None:
        return None


def test_a_client_reads_the_form_that_the_view_names() -> None:
    assert form(ReclamationView, lea) is ReclamationForClient
    assert form(InvoiceView, lea) is InvoiceForClient
    assert form(ReportView, lea) is ReportView
    assert form(ClientView, lea) is ClientView
    assert form(InvoiceView, marie) is InvoiceView
    for view in (Careless, Hidden):
        assert form(view, marie) is view
        with pytest.raises(TypeError):
            form(view, lea)


async def test_a_client_asks_nothing_about_what_only_staff_see(pool: asyncpg.Pool, read: ReadModel) -> None:
    await show(pool, [a(ReclamationView, technician_id=world.karim.id, priority="critical")])
    assert await named_wrong(read, "/reclamations", lea, priority="critical") == {"priority"}
    assert len(await chosen(read, "/reclamations", marie, priority="critical")) == 1


def view(client_id: UUID, created_at: datetime) -> ReclamationView:
    """A réclamation as its owner would announce it."""
    id = uuid7()
    return ReclamationView(
        id=id,
        version=1,
        created_at=created_at,
        updated_at=created_at,
        reference=f"REC-{id}",
        client_id=client_id,
        technician_id=None,
        article="Évier",
        problem_type="leak",
        description="fuite",
        safety=Safety(),
        status="submitted",
        coverage="unknown",
        priority="high",
        priority_reason="problem type leak",
    )


async def put(system: System, *views: ReclamationView) -> None:
    """Shows them in the read model."""
    connection = await asyncpg.connect(system.settings.database("edge"))
    try:
        await show(connection, views)
    finally:
        await connection.close()
