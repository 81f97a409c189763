"""Lists: every record once, however they are sorted and whatever is added meanwhile; filters; wrong parameters."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from recipes import Scene
from stories import Json, done, ids, items, opened, qualified, wrong_fields
from system import Person, System
from uuid_utils.compat import uuid7

from sav_chassis.projector import show
from sav_contracts.claims import ReclamationView, Safety

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
