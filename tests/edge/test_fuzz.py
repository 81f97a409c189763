"""Whatever anybody sends to whichever row, the answer is one of those that its description knows; never a fault."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_loop import run
from papers import PDF
from pictures import SVG, bomb, picture
from recipes import RECIPES, Scene, call, newcomer
from recipes import scene as scene_for
from stories import Json
from system import Person, System
from uuid_utils.compat import uuid7

from sav_contracts.actor import Role
from sav_contracts.messages import RequestMessage, View
from sav_contracts.surface import SURFACE, ListRow, Row, TimelineRow
from sav_edge.bodies import file_fields
from sav_edge.list_query import parameters

T = TypeVar("T")

CALLERS = [role for role in Role if role is not Role.SYSTEM]
WORDS = st.sampled_from(
    ["", "\0", "a\0b", "é", "x" * 300, "-1", "0", "null", "true", "1e999", "leak", "high", "qualified"]
)
TEXT = WORDS | st.text(max_size=20)
TIMES = st.sampled_from(
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z", "1e11", "-1", "now"]
) | st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat())
ORDERS = st.sampled_from(["created_at", "-updated_at", "reference", "-name", "status"])
DAYS = st.sampled_from(["0001-01-01", "9999-12-31", "2026-02-30", "2024-02-29"]) | TIMES
VALUES = {
    **dict.fromkeys(("created_from", "created_to"), TIMES),
    **dict.fromkeys(("from", "to", "on"), DAYS),
    "sort": ORDERS,
    "limit": st.integers().map(str),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def mostly(usual: st.SearchStrategy[T], other: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """What is wrong everywhere is refused at the first place that looks."""
    return st.integers(0, 3).flatmap(lambda number: usual if number else other)


CONTENT = mostly(
    st.sampled_from([picture(), PDF]),
    st.sampled_from([b"", PDF[:20], SVG, picture()[:200], bomb()]) | st.binary(max_size=60),
)


def callers(row: Row) -> st.SearchStrategy[Role]:
    """Anybody, but mostly those who get past the door."""
    return mostly(st.sampled_from([role for role in CALLERS if role in row.roles]), st.sampled_from(CALLERS))


def queries(row: Row, right: Json, known: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    """What would be taken, with one or two parameters more, whose values might pass."""
    if row.method != "GET":
        return mostly(st.just({}), TEXT.map(lambda name: {name: "x"}))
    given = mostly(st.sampled_from([*in_query(row), "x"]), TEXT)
    pair = given.flatmap(lambda name: st.tuples(st.just(name), VALUES.get(name, known | TEXT)))
    return st.lists(pair, max_size=2).map(lambda more: right | dict(more))


def in_query(row: Row) -> list[str]:
    if isinstance(row, ListRow | TimelineRow):
        return parameters(row)
    if issubclass(row.message, View):
        return ["limit", "sort"]
    return [field.alias or name for name, field in row.message.model_fields.items()]


def bodies(row: Row, right: Json, known: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    """What would be taken, with some fields wrong or missing; any fields; bytes of any kind."""
    values = JSON | known
    changes = st.dictionaries(st.sampled_from([*right, "x"]), values, max_size=2)
    nearly = st.builds(
        lambda changed, left: {name: value for name, value in (right | changed).items() if name not in left},
        changes,
        st.sets(st.sampled_from([*right, "x"]), max_size=1),
    )
    names = (list(row.message.model_fields) if issubclass(row.message, RequestMessage) else []) or ["x"]
    anything = st.dictionaries(st.sampled_from(names) | TEXT, values, max_size=8)
    fields = mostly(nearly, anything)
    as_json: st.SearchStrategy[Json] = fields.map(lambda told: {"content": json.dumps(told)})
    sent = mostly(as_json, st.binary(max_size=40).map(lambda content: {"content": content}))
    return mostly(forms(row, fields), sent) if takes_files(row) else sent


def forms(row: Row, fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Fields as text with a few small files, and what only says that it is a form."""
    assert issubclass(row.message, RequestMessage)
    name = mostly(st.sampled_from(list(file_fields(row.message))), TEXT.filter(bool))
    form: st.SearchStrategy[Json] = st.builds(
        lambda told, files: {"data": as_text(told), "files": files},
        fields,
        st.lists(st.tuples(name, st.tuples(TEXT, CONTENT)), min_size=1, max_size=2),
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    broken: st.SearchStrategy[Json] = st.binary(max_size=60).map(
        lambda content: {"content": b"--x\r\n" + content, "headers": headers}
    )
    return mostly(form, broken)


def as_text(fields: Json) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}


def takes_files(row: Row) -> bool:
    return issubclass(row.message, RequestMessage) and bool(file_fields(row.message))


@pytest.fixture(scope="module", name="scene")
async def a_scene_of_its_own(system: System) -> AsyncIterator[Scene]:
    """Whatever is sent may be taken: it uses up what it asks for."""
    found = await scene_for(system)
    yield found
    system.staying.discard(found.manager.id)


# Hypothesis sees that others in this process use `random` meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.parametrize("row", SURFACE, ids=lambda row: row.route)
async def test_nothing_that_is_sent_is_a_fault_of_ours(
    row: Row, scene: Scene, http: httpx.AsyncClient
) -> None:
    known = st.sampled_from([*scene.near.records.values(), *scene.far.records.values()])
    # What is done to an account is not done to those who are needed here.
    right = await call(row, scene, scene.near, Role.MANAGER, fresh=row.path.startswith("/users/"))
    if row.path.startswith("/users/"):
        known = st.sampled_from([right.record["id"], str(uuid7())])
    people: dict[Role, Person] = {role: scene.who(role) for role in CALLERS}
    if issubclass(row.message, RequestMessage) and RECIPES[row.route].alone:
        people |= {role: await newcomer(scene, role) for role in CALLERS if role is not Role.ANYONE}
    people = {role: replace(who, http=http) for role, who in people.items()}
    ids = row.path.count("{")

    @given(
        role=callers(row),
        path=mostly(st.just(right.path), st.lists(known | TEXT.filter(bool), min_size=ids, max_size=ids)),
        query=queries(row, right.sent.get("params", {}), known),
        body=bodies(row, right.sent.get("json") or right.sent.get("data") or {}, known),
        key=st.binary(max_size=12),
    )
    @settings(
        max_examples=30,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # the first that fails is enough; a shorter one costs minutes
    )
    async def send(role: Role, path: Any, query: Json, body: Json, key: bytes) -> None:
        request: Json = {"params": query}
        if row.method != "GET":
            request |= body | {"headers": {"Idempotency-Key": key} | body.get("headers", {})}
        if isinstance(path, list):
            path = re.sub(r"{\w+}", "{}", row.path).format(*(quote(id, safe="") for id in path))
        answer = await people[role].ask(row.method, path, **request)
        assert answer.status_code < 500, f"{role} {row.route} {request}: {answer.text}"

    await run(send)
