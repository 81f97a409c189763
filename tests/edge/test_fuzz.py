"""Whatever anybody sends to whichever row, the answer is one of those that its description knows; never a fault."""

import asyncio
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recipes import Scene

from sav_contracts.actor import Role
from sav_contracts.messages import Asked
from sav_contracts.surface import SURFACE, Row

CALLERS = [role for role in Role if role is not Role.SYSTEM]
WORDS = st.sampled_from(
    [
        *("", "\0", "é", "x" * 300, "-1", "0", "null", "true", "1e999"),
        *("leak", "high", "qualified", "accepted", "-reference", "2026-03-02T09:00:00Z"),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    ]
)
TEXT = WORDS | st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
PARAMETERS = ["limit", "sort", "after", "created_from", "created_to", "status", "client_id", "active"]


def bodies(row: Row) -> st.SearchStrategy[bytes]:
    """Objects with the row's own fields, right and wrong, and bytes of any kind."""
    names = list(row.message.model_fields) if issubclass(row.message, Asked) else ["x"]
    values = st.dictionaries(st.sampled_from(names) | TEXT, JSON, max_size=8)
    return values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)


@pytest.mark.parametrize("row", SURFACE, ids=lambda row: row.route)
async def test_nothing_that_is_sent_is_a_fault_of_ours(row: Row, scene: Scene) -> None:
    known = st.sampled_from([*scene.near.records.values(), *scene.far.records.values()])

    @given(
        role=st.sampled_from(CALLERS),
        id=known | TEXT.filter(bool),
        query=st.dictionaries(st.sampled_from([*PARAMETERS, *row.filters]) | TEXT, known | TEXT, max_size=3),
        body=bodies(row),
        key=st.binary(max_size=12),
    )
    @settings(
        max_examples=40,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    async def send(role: Role, id: str, query: dict[str, str], body: bytes, key: bytes) -> None:
        path = re.sub(r"{\w+}", quote(id, safe=""), row.path)
        request: dict[str, Any] = {"params": query}
        if row.method != "GET":
            request |= {"content": body, "headers": {"Idempotency-Key": key}}
            if query and len(body) % 2:
                request.pop("params")
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
