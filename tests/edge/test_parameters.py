"""Wrong parameters of lists are named, and no cursor opens anything."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
import world
from recipes import Scene
from stories import done, ids, refused, wrong_fields

from sav_chassis.errors import WrongFields
from sav_contracts.surface import SURFACE, ListRow
from sav_edge.list_query import parse
from sav_edge.no_parameters import each_once


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


TIMES = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]
[CLAIMS] = [row for row in SURFACE if isinstance(row, ListRow) and row.path == "/reclamations"]
GIVEN_TWICE = "given more than once"


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"limit": ["abc", "1"], "sort": ["reference", "reference"]}, ["limit", "sort"]),
        ({"after": ["x", "y"], "created_from": TIMES}, ["after", "created_from"]),
    ],
)
def test_a_parameter_of_one_value_that_is_given_twice_is_named(
    parameters: dict[str, list[str]], wrong: list[str]
) -> None:
    with pytest.raises(WrongFields) as raised:
        parse(CLAIMS, parameters, world.marie)
    errors = raised.value.problem.errors or []
    assert [(error.field, error.message) for error in errors] == [(name, GIVEN_TWICE) for name in wrong]
    assert len(parse(CLAIMS, {"status": ["submitted", "qualified"]}, world.marie).filters) == 1


async def test_what_a_query_asks_twice_is_named(scene: Scene) -> None:
    for path in ("/journals", "/e-reporting"):
        days = {"from": ["2026-01-01", "2026-02-01"], "to": "2026-02-28"}
        problem = refused(await scene.manager.get(path, **days), 422, "invalid")
        assert problem["errors"] == [{"field": "from", "message": GIVEN_TWICE}]


def test_parameters_that_are_each_given_once_are_read() -> None:
    assert each_once({"size": ["small"], "v": ["1"]}) == {"size": "small", "v": "1"}
    with pytest.raises(WrongFields, match="size"):
        each_once({"size": ["small", "large"], "v": ["1"]})


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
