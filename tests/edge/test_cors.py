"""Pages of other origins: only those that the policy names, and never with anything but a token of their own."""

from collections.abc import AsyncIterator

import httpx
import pytest
from eventually import eventually
from recipes import Scene
from stories import done
from system import Person

SHOP, OTHER = "https://shop.example", "https://shop.example.org"
PATH = "/api/reclamations"
ASKING = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


async def asked(http: httpx.AsyncClient, origin: str | None, path: str = PATH, **more: str) -> httpx.Response:
    headers = {"Origin": origin} if origin else {}
    return await http.request("OPTIONS" if more else "GET", path, headers=headers | more)


def words(answer: httpx.Response, name: str) -> set[str]:
    return {word.strip().lower() for word in answer.headers.get(name, "").split(",")}


async def test_without_origins_in_the_policy_nobody_is_told_anything(scene: Scene) -> None:
    http = scene.system.http
    for answer in (await asked(http, SHOP), await asked(http, SHOP, **ASKING), await asked(http, "null")):
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.fixture
async def shop(scene: Scene) -> AsyncIterator[httpx.AsyncClient]:
    """The door while the policy names one origin."""
    await allow(scene.admin, SHOP)
    http = scene.system.http
    await eventually(lambda: is_granted(http), 2)
    yield http
    await allow(scene.admin)
    await eventually(lambda: is_not_granted(http), 2)


async def allow(admin: Person, *origins: str) -> None:
    done(await admin.ask("PUT", "/policies/cors", json={"value": {"origins": origins}}))


async def is_granted(http: httpx.AsyncClient) -> bool:
    return "access-control-allow-origin" in (await asked(http, SHOP)).headers


async def is_not_granted(http: httpx.AsyncClient) -> bool:
    return not await is_granted(http)


async def test_an_origin_of_the_policy_reads_answers_and_refusals(
    shop: httpx.AsyncClient, scene: Scene
) -> None:
    refusal = await asked(shop, SHOP)
    headers = scene.manager.headers() | {"Origin": SHOP}
    answer = await shop.get(PATH, headers=headers)
    nowhere = await asked(shop, SHOP, "/api/nothing")
    assert [one.status_code for one in (refusal, answer, nowhere)] == [401, 200, 404]
    for one in (refusal, answer, nowhere):
        assert one.headers["access-control-allow-origin"] == SHOP
        assert "origin" in words(one, "vary")
        shown = words(one, "access-control-expose-headers")
        assert shown >= {"etag", "location", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"}
        assert shown >= {"idempotency-key", "content-disposition"}
        assert "access-control-allow-credentials" not in one.headers


@pytest.mark.parametrize("origin", [OTHER, "http://shop.example", "https://shop.example:8443", "null", None])
async def test_any_other_origin_is_told_only_that_origins_differ(
    shop: httpx.AsyncClient, origin: str | None
) -> None:
    for answer in (await asked(shop, origin), await asked(shop, origin, **ASKING)):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "origin" in words(answer, "vary")


async def test_a_preflight_names_the_methods_of_its_path_and_our_headers(
    shop: httpx.AsyncClient, scene: Scene
) -> None:
    answer = await asked(shop, SHOP, **ASKING)
    assert (answer.status_code, answer.content) == (204, b"")
    assert words(answer, "access-control-allow-methods") == {"get", "head", "options", "post"}
    assert words(answer, "access-control-allow-headers") == {
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "last-event-id",
        "traceparent",
        "x-request-id",
    }
    assert "*" not in answer.headers["access-control-allow-origin"]
    plain = await shop.request("OPTIONS", PATH, headers={"Origin": SHOP})
    assert "access-control-allow-methods" not in plain.headers, "it asked for nothing"
    invoice = scene.near.records["invoice"]
    paper = await asked(shop, SHOP, f"{PATH[:4]}/invoices/{invoice}.pdf", **ASKING)
    assert words(paper, "access-control-allow-methods") == {"get", "head", "options"}
    record = await asked(shop, SHOP, f"{PATH[:4]}/invoices/{invoice}", **ASKING)
    assert words(record, "access-control-allow-methods") == {"get", "head", "options", "patch"}
    assert words(await asked(shop, SHOP, "/stream", **ASKING), "access-control-allow-methods") >= {"get"}


async def test_whoever_asks_for_the_methods_of_a_path_without_an_origin_gets_them(scene: Scene) -> None:
    answer = await scene.system.http.request("OPTIONS", PATH)
    assert (answer.status_code, answer.content) == (204, b"")
    assert words(answer, "allow") == {"get", "head", "options", "post"}
    assert (await scene.system.http.request("OPTIONS", "/api/nothing")).status_code == 404
