"""Whatever anybody sends to whichever row, the answer is one of those that its description knows; never a fault."""

import asyncio
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from recipes import Scene

from sav_contracts.actor import Role
from sav_contracts.messages import Asked
from sav_contracts.surface import SURFACE, Row

CALLERS = [role for role in Role if role is not Role.SYSTEM]
WORDS = st.sampled_from(
    ["", "\0", "a\0b", "é", "x" * 300, "-1", "0", "null", "true", "1e999", "leak", "high", "qualified"]
)
TEXT = WORDS | st.text(max_size=20)
TIMES = st.sampled_from(
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z", "1e11", "-1", "now"]
) | st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat())
ORDERS = st.sampled_from(["created_at", "-updated_at", "reference", "-name", "status"])
VALUES = {"created_from": TIMES, "created_to": TIMES, "sort": ORDERS, "limit": st.integers().map(str)}
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
    names = ["limit", "after", *row.filters, *(("sort", "created_from", "created_to") if row.filters else ())]
    given = st.sampled_from(names) | TEXT
    pair = given.flatmap(lambda name: st.tuples(st.just(name), VALUES.get(name, known | TEXT)))
    return (
        st.lists(pair, max_size=2).map(dict)
        if row.method == "GET"
        else st.just({}) | TEXT.map(lambda name: {name: "x"})
    )


def bodies(row: Row) -> st.SearchStrategy[bytes]:
    """Objects with the row's own fields, right and wrong, and bytes of any kind."""
    names = list(row.message.model_fields) if issubclass(row.message, Asked) else ["x"]
    values = st.dictionaries(st.sampled_from(names) | TEXT, JSON, max_size=8)
    return values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)


@pytest.mark.parametrize("row", SURFACE, ids=lambda row: row.route)
async def test_nothing_that_is_sent_is_a_fault_of_ours(row: Row, scene: Scene) -> None:
    known = st.sampled_from([*scene.near.records.values(), *scene.far.records.values()])

    @given(
        role=callers(row),
        id=known | TEXT.filter(bool),
        query=queries(row, known),
        body=bodies(row),
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
    async def send(role: Role, id: str, query: dict[str, str], body: bytes, key: bytes) -> None:
        path = re.sub(r"{\w+}", quote(id, safe=""), row.path)
        request: dict[str, Any] = {"params": query}
        if row.method != "GET":
            request |= {"content": body, "headers": {"Idempotency-Key": key}}
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
