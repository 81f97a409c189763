"""Requests made up from our own description, right and wrong ones: whoever sends them gets what it says, and no fault."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from recipes import RECIPES, Scene, call, newcomer
from recipes import scene as scene_for
from requests import Request
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from system import Person, System

from sav_contracts.actor import Role
from sav_contracts.messages import RequestMessage
from sav_contracts.surface import SURFACE, Row

# Not `negative_data_rejection`: texts are trimmed, and seconds since 1970 are a time, which the description does not say.
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = 4
# What answers beside the table, with what stands in its path.
BESIDE: dict[str, dict[str, Any]] = {
    "/health/live": {},
    "/health/ready": {},
    "/.well-known/jwks.json": {},
    "/openapi.json": {},
    "/asyncapi.json": {},
    "/schemas/{file}": {"file": "claims.ReclamationCreated.v1.json"},
    "/docs": {},
}
CALLERS = [role for role in Role if role is not Role.SYSTEM]


@pytest.fixture(scope="module", name="scene")
async def a_scene_of_its_own(system: System) -> AsyncIterator[Scene]:
    """Whatever is sent may be taken: it uses up what it asks for."""
    found = await scene_for(system)
    yield found
    system.staying.discard(found.manager.id)


@pytest.fixture(scope="module")
async def described(http: httpx.AsyncClient) -> BaseSchema:
    """Without what is not to be made up: tokens, and the version in which a record has to be."""
    document = (await http.get("/openapi.json")).json()
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        operation.pop("security", None)
        operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "If-Match"]
    return schemathesis.openapi.from_dict(document)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.parametrize("row", SURFACE, ids=lambda row: row.route)
async def test_what_is_described_is_what_is_answered(
    row: Row, scene: Scene, described: BaseSchema, http: httpx.AsyncClient
) -> None:
    operation = described[f"/api{row.path}"][row.method]
    people = [replace(who, http=http) for who in await callers(row, scene)]
    await tried(operation, await known_ids(row, scene), people)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.parametrize("path", BESIDE)
async def test_what_answers_beside_the_table_is_as_described(
    path: str, described: BaseSchema, http: httpx.AsyncClient
) -> None:
    await tried(described[path]["GET"], BESIDE[path], [Person("", "", "anyone", http)])


def test_nothing_that_is_described_is_left_out(described: BaseSchema) -> None:
    tried = {f"/api{row.path}" for row in SURFACE} | BESIDE.keys()
    # A stream has no end, so there is no answer to compare; `test_stream.py` listens to it.
    assert set(described) - tried == {"/stream"}


async def tried(
    operation: APIOperation[Any, Any, Any, Any], ids: dict[str, Any], people: list[Person]
) -> None:
    """Asked for by each of them, in several ways."""
    loop = asyncio.get_running_loop()

    @given(case=made_up(operation, ids))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def ask(case: Case[Any]) -> None:
        for who in people:
            answer = asyncio.run_coroutine_threadsafe(sent(case, who), loop).result(20)
            assert answer.status_code != 429, answer.text
            case.validate_response(answer, checks=CHECKS)

    await asyncio.to_thread(ask)


def made_up(operation: APIOperation[Any, Any, Any, Any], ids: dict[str, Any]) -> st.SearchStrategy[Case[Any]]:
    """What fits the description and what does not, about records that there are."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of([operation.as_strategy(mode, path_parameters=ids or None) for mode in modes])


async def known_ids(row: Row, scene: Scene) -> dict[str, Any]:
    """What stands in the row's path. What is done to an account is not done to those who are needed here."""
    right = await call(row, scene, scene.near, Role.MANAGER, fresh=row.path.startswith("/users/"))
    found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", row.path.replace(".", r"\.")), right.path)
    assert found
    return found.groupdict()


async def callers(row: Row, scene: Scene) -> list[Person]:
    """Anybody, and one of each role."""
    alone = issubclass(row.message, RequestMessage) and RECIPES[row.route].alone
    return [
        await newcomer(scene, role) if alone and role is not Role.ANYONE else scene.who(role)
        for role in CALLERS
    ]


async def sent(case: Case[Any], who: Person) -> httpx.Response:
    """The request as it would go over the wire."""
    request = Request(**case.as_transport_kwargs(base_url="http://sav.test")).prepare()
    headers = {name: str(value) for name, value in request.headers.items()} | who.headers()
    return await who.http.request(
        str(request.method), str(request.url), content=cast("Any", request.body), headers=headers
    )
