"""How often anybody may ask for what is no row: pages, keys, and what there is not."""

import re
from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest
from recipes import Scene
from stories import done, refused
from system import System, door

# Of the policy's numbers: two reads a minute from an address without a token, three for a client.
SCALE = 0.01
FILE = "/schemas/claims.ReclamationCreated.v1.json"
LOOK = "/pages/look.css"
PAGES = [
    "/",
    "/docs",
    "/docs/start.js",
    "/openapi.json",
    "/asyncapi.json",
    FILE,
    "/.well-known/jwks.json",
    LOOK,
    "/back-from-payment",
]
NOWHERE = [
    ("GET", "/nothing", 404),
    ("GET", "/api/nothing", 404),
    ("OPTIONS", "/api/nothing", 404),
    ("GET", "/schemas/nothing.json", 404),
    ("GET", "/docs/assets/nothing.js", 404),
    ("GET", "/health/nothing", 404),
    ("PUT", "/api/me", 405),
    ("POST", "/openapi.json", 405),
    ("HEAD", "/stream", 405),
    ("HEAD", "/api/auth/login", 405),
]
neighbours = count(1)


@pytest.fixture(scope="module")
async def here(system: System) -> AsyncIterator[httpx.AsyncClient]:
    async with door(system.settings.model_copy(update={"rate_limits_scale": SCALE})) as http:
        yield http


@pytest.fixture
def place() -> dict[str, str]:
    """An address that nobody has asked from."""
    return {"address": f"198.18.0.{next(neighbours)}"}


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_for_anybody_is_a_read_of_its_address(
    path: str, here: httpx.AsyncClient, place: dict[str, str]
) -> None:
    for left in (1, 0):
        answer = await here.get(path, extensions=place)
        assert answer.status_code < 400
        assert answer.headers["ratelimit-policy"] == '"reads";q=2;w=60'
        assert answer.headers["ratelimit"].startswith(f'"reads";r={left};t=')
    refusal = await here.get(path, extensions=place)
    refused(refusal, 429, "too_many_requests")
    assert 0 < int(refusal.headers["retry-after"]) <= 30
    assert refusal.headers["ratelimit"].startswith('"reads";r=0;')
    assert (await here.get(path)).status_code < 400, "another address"


@pytest.mark.parametrize(("method", "path", "status"), NOWHERE)
async def test_what_there_is_not_is_a_read_of_its_address_too(
    method: str, path: str, status: int, here: httpx.AsyncClient, place: dict[str, str]
) -> None:
    answers = [await here.request(method, path, extensions=place) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 429]
    assert answers[0].headers["ratelimit"].startswith('"reads";r=1;')
    assert int(answers[-1].headers["retry-after"]) > 0
    # One and the same limit, whatever is asked for.
    assert (await here.get("/docs", extensions=place)).status_code == 429
    assert (await here.get("/api/articles", extensions=place)).status_code == 429


async def test_what_a_person_asks_for_in_vain_is_not_theirs(
    scene: Scene, here: httpx.AsyncClient, place: dict[str, str]
) -> None:
    """A path that there is not looks at no token."""
    headers = scene.near.client.headers()
    answers = [await here.get("/api/nothing", headers=headers, extensions=place) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    answer = await here.get("/api/me", headers=headers, extensions=place)
    done(answer)
    assert answer.headers["ratelimit-policy"] == '"reads";q=3;w=60'


async def test_a_balancer_and_a_preflight_ask_as_often_as_they_like(
    here: httpx.AsyncClient, place: dict[str, str]
) -> None:
    asked = [("GET", "/health/live"), ("GET", "/health/ready"), ("HEAD", "/health/live")]
    asked += [("OPTIONS", path) for path in ("/api/me", "/stream", "/openapi.json")]
    for method, path in asked * 3:
        answer = await here.request(method, path, extensions=place)
        assert answer.status_code in (200, 204)
        assert "ratelimit" not in answer.headers
    assert (await here.get("/docs", extensions=place)).headers["ratelimit"].startswith('"reads";r=1;')


async def test_a_browser_that_knows_the_page_asks_for_little_of_it(system: System) -> None:
    """A page takes five requests, each of which counts; the second time one."""
    page = (await system.http.get("/docs")).text
    parts = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(parts) == 4
    for part in parts:
        answer = await system.http.get(part)
        assert answer.headers["cache-control"] == "max-age=86400, public"
