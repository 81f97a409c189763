"""Whatever anybody sends to whichever row, the answer is one of those that its description knows; never a fault."""

import asyncio
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pictures import PDF, SVG, bomb, picture
from recipes import Scene, call
from recipes import scene as scene_for
from stories import Json
from system import System

from sav_contracts.actor import Role
from sav_contracts.messages import Asked, View
from sav_contracts.surface import SURFACE, Row
from sav_edge.listing import parameters
from sav_edge.uploads import file_fields

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
CONTENT = st.sampled_from([b"", PDF, PDF[:20], SVG, picture(), picture()[:200], bomb()]) | st.binary(
    max_size=60
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def callers(row: Row) -> st.SearchStrategy[Role]:
    """Anybody, but mostly those who get past the door."""
    return st.sampled_from([role for role in CALLERS if role in row.reach]) | st.sampled_from(CALLERS)


def queries(row: Row, known: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    """Mostly one parameter that there is, with a value that might pass: several wrong ones stop at the first."""
    if row.method != "GET":
        return st.just({}) | TEXT.map(lambda name: {name: "x"})
    given = st.sampled_from(in_query(row)) | TEXT
    pair = given.flatmap(lambda name: st.tuples(st.just(name), VALUES.get(name, known | TEXT)))
    return st.lists(pair, max_size=2).map(dict)


def in_query(row: Row) -> list[str]:
    if issubclass(row.message, View):
        return parameters(row)
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
    names = list(row.message.model_fields) if issubclass(row.message, Asked) else ["x"]
    anything = st.dictionaries(st.sampled_from(names) | TEXT, values, max_size=8)
    fields = nearly | anything
    sent = fields.map(lambda told: {"content": json.dumps(told)}) | st.binary(max_size=40).map(
        lambda content: {"content": content}
    )
    return sent | forms(row, fields) if takes_files(row) else sent


def forms(row: Row, fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Fields as text, a few small files, and what only says that it is a form."""
    assert issubclass(row.message, Asked)
    name = st.sampled_from(list(file_fields(row.message))) | TEXT.filter(bool)
    file = st.tuples(name, st.tuples(TEXT, CONTENT))
    form = st.builds(
        lambda told, files: {
            "data": {
                name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()
            },
            "files": files,
        },
        fields,
        st.lists(file, min_size=1, max_size=3),
    )
    broken = st.binary(max_size=60).map(
        lambda content: {
            "content": b"--x\r\n" + content,
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        }
    )
    return form | broken


def takes_files(row: Row) -> bool:
    return issubclass(row.message, Asked) and bool(file_fields(row.message))


@pytest.fixture(scope="module", name="scene")
async def a_scene_of_its_own(system: System) -> Scene:
    """Whatever is sent may be taken: it uses up what it asks for."""
    return await scene_for(system)


@pytest.mark.parametrize("row", SURFACE, ids=lambda row: row.route)
async def test_nothing_that_is_sent_is_a_fault_of_ours(row: Row, scene: Scene) -> None:
    known = st.sampled_from([*scene.near.records.values(), *scene.far.records.values()])
    right = await call(row, scene, scene.near, Role.MANAGER, fresh=False)
    ids = row.path.count("{")

    @given(
        role=callers(row),
        path=st.just(right.path) | st.lists(known | TEXT.filter(bool), min_size=ids, max_size=ids),
        query=queries(row, known),
        body=bodies(row, right.sent.get("json") or right.sent.get("data") or {}, known),
        key=st.binary(max_size=12),
    )
    @settings(
        max_examples=60,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # the first that fails is enough; a shorter one costs minutes
    )
    async def send(role: Role, path: str | list[str], query: dict[str, str], body: Json, key: bytes) -> None:
        request: Json = {"params": query}
        if row.method != "GET":
            request |= body | {"headers": {"Idempotency-Key": key} | body.get("headers", {})}
        if isinstance(path, list):
            path = re.sub(r"{\w+}", "{}", row.path).format(*(quote(id, safe="") for id in path))
        answer = await scene.who(role).ask(row.method, path, **request)
        assert answer.status_code < 500, f"{role} {row.route} {request}: {answer.text}"

    await run(send)


async def run(send: Any) -> None:
    """Hypothesis calls a function; the coroutines go to the loop that the system runs in."""
    loop = asyncio.get_running_loop()
    inner = send.hypothesis.inner_test

    def in_loop(**drawn: Any) -> None:
        asyncio.run_coroutine_threadsafe(inner(**drawn), loop).result(20)

    send.hypothesis.inner_test = in_loop
    await asyncio.to_thread(send)
