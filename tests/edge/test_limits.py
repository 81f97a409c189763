"""How often a caller may ask: by role and kind of request, at all replicas together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import asyncpg
import httpx
import pytest
from eventually import eventually
from recipes import Scene
from stories import done, refused
from system import PASSWORD, Person, System, door

from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import RateLimits
from sav_edge.rate_limiter import RateLimiter, RequestClass, TooManyRequests
from sav_edge.request_context import RequestContext

# Of the policy's numbers: three reads a minute for a client, twelve for a manager, one sign-in from each address.
SCALE = 0.01


@asynccontextmanager
async def strict(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A replica of the edge that lets nobody ask often."""
    async with door(system.settings.model_copy(update={"rate_limits_scale": SCALE})) as http:
        yield http


@pytest.fixture(scope="module")
async def here(system: System) -> AsyncIterator[httpx.AsyncClient]:
    async with strict(system) as http:
        yield http


async def test_who_asks_too_often_is_told_when_to_come_back(system: System, here: httpx.AsyncClient) -> None:
    lea = replace(await system.client(), http=here)
    for left in (2, 1, 0):
        answer = await lea.get("/me")
        done(answer)
        assert answer.headers["ratelimit-policy"] == '"reads";q=3;w=60'
        assert answer.headers["ratelimit"].startswith(f'"reads";r={left};t=')
    answer = await lea.get("/me")
    refused(answer, 429, "too_many_requests")
    assert 0 < int(answer.headers["retry-after"]) <= 20
    assert answer.headers["ratelimit"].startswith('"reads";r=0;')


async def test_each_kind_of_request_has_a_limit_of_its_own(system: System, here: httpx.AsyncClient) -> None:
    lea = replace(await system.client(), http=here)
    for _ in range(3):
        done(await lea.get("/me"))
    refused(await lea.get("/me"), 429, "too_many_requests")
    answer = await lea.ask("PATCH", "/me", json={"locale": "en"})
    done(answer)
    assert answer.headers["ratelimit-policy"] == '"writes";q=1;w=60'
    refused(await lea.ask("PATCH", "/me", json={"locale": "fr"}), 429, "too_many_requests")
    answer = await lea.ask("PUT", f"/products/{uuid4()}/proof", files={"proof": ("x.pdf", b"x")})
    assert answer.headers["ratelimit-policy"] == '"uploads";q=1;w=60'


async def test_each_role_has_limits_of_its_own(scene: Scene, here: httpx.AsyncClient) -> None:
    told = {}
    for role in (Role.ANYONE, Role.CLIENT, Role.TECHNICIAN, Role.MANAGER, Role.ADMIN):
        answer = await replace(scene.who(role), http=here).get("/me")
        told[role] = int(answer.headers["ratelimit-policy"].split(";q=")[1].split(";")[0])
    assert told == {"anyone": 2, "client": 3, "technician": 6, "manager": 12, "admin": 12}


async def test_what_is_refused_counts_too(scene: Scene, here: httpx.AsyncClient) -> None:
    """Whoever guesses tokens or ids is stopped like anybody else."""
    headers, address = {"Authorization": "Bearer x"}, {"address": "203.0.113.7"}
    answers = [await here.get("/api/me", headers=headers, extensions=address) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


async def test_sign_ins_are_counted_by_address_whoever_it_is(system: System, here: httpx.AsyncClient) -> None:
    lea, paul = await system.client(), await system.client()
    at_home, elsewhere = {"address": "203.0.113.8"}, {"address": "203.0.113.9"}

    async def signs_in(who: Person, place: dict[str, str], **headers: str) -> httpx.Response:
        told = {"email": who.email, "password": PASSWORD}
        return await here.post("/api/auth/login", json=told, headers=headers, extensions=place)

    answer = await signs_in(lea, at_home)
    done(answer)
    assert answer.headers["ratelimit-policy"] == '"sign_ins";q=1;w=60'
    refused(await signs_in(paul, at_home), 429, "too_many_requests")
    refused(await signs_in(paul, at_home, **paul.headers()), 429, "too_many_requests")
    spoofed = await signs_in(paul, at_home, **{"X-Forwarded-For": "198.51.100.1"})
    refused(spoofed, 429, "too_many_requests")
    done(await signs_in(paul, elsewhere))


async def test_in_ipv6_a_household_is_counted_not_an_address(system: System, here: httpx.AsyncClient) -> None:
    login = {"email": (await system.client()).email, "password": PASSWORD}
    first, second, neighbour = "2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:2::1"
    statuses = [
        (await here.post("/api/auth/login", json=login, extensions={"address": address})).status_code
        for address in (first, second, neighbour)
    ]
    assert statuses == [200, 429, 200]


async def test_replicas_count_together(system: System, here: httpx.AsyncClient) -> None:
    lea = replace(await system.client(), http=here)
    async with strict(system) as there:
        elsewhere = replace(lea, http=there)
        done(await lea.get("/me"))
        done(await elsewhere.get("/me"))
        await eventually(lambda: all_counted(system, lea, 2))
        done(await lea.get("/me"))
        await eventually(lambda: all_counted(system, lea, 2.9))
        # By itself each of the two would let three through.
        answers = [(await elsewhere.get("/me")).status_code for _ in range(2)]
        assert answers[-1] == 429


async def all_counted(system: System, who: Person, least: float) -> bool:
    rows = await system.sql("edge", "SELECT level FROM bucket WHERE key = $1", f"reads {who.id}")
    return any(row["level"] > least - 0.4 for row in rows)


async def test_a_policy_that_an_admin_sets_is_in_force_at_once(system: System) -> None:
    admin, lea = await system.admin(), await system.client()
    values = {"reads": 7000, "writes": 60, "uploads": 20}
    done(await admin.ask("PUT", "/policies/rate_limits", json={"value": {"client": values}}))
    try:
        await eventually(lambda: told(lea, "q=7000000;"), 2)
    finally:
        done(await admin.ask("PUT", "/policies/rate_limits", json={"value": {}}))
    await eventually(lambda: told(lea, "q=300000;"), 2)


async def told(who: Person, what: str) -> bool:
    return what in (await who.get("/me")).headers["ratelimit-policy"]


@pytest.fixture
async def pool(system: System) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(system.settings.database("edge"), min_size=1, max_size=2) as pool:
        yield pool


def asks(actor: Actor) -> RequestContext:
    call = RequestContext(str(uuid4()), "203.0.113.10", {})
    call.actor = actor
    return call


def takes(limiter: RateLimiter, actor: Actor) -> int:
    """How many it lets through at once."""
    for taken in range(10_000):
        try:
            limiter.take(asks(actor), RequestClass.READS)
        except TooManyRequests:
            return taken
    raise AssertionError("it takes any number")


async def test_what_two_replicas_have_taken_adds_up_and_drains(pool: asyncpg.Pool) -> None:
    lea = Actor(id=uuid4(), role=Role.CLIENT)
    one, other = (RateLimiter(pool, RateLimits, 0.1) for _ in range(2))
    assert takes(one, lea) == 30
    # Nobody has told it yet: as many again, and not one more.
    assert takes(other, lea) == 30
    await one.tell()
    await other.tell()
    call = asks(lea)
    with pytest.raises(TooManyRequests) as refusal:
        other.take(call, RequestClass.READS)
    after = refusal.value.problem.retry_after
    assert 55 <= (after or 0) <= 62, "60 taken at a rate of 30 a minute"
    await pool.execute("UPDATE bucket SET at = at - interval '90 seconds' WHERE key = $1", f"reads {lea.id}")
    fresh = RateLimiter(pool, RateLimits, 0.1)
    fresh.take(asks(lea), RequestClass.READS)
    await fresh.tell()
    assert 13 <= takes(fresh, lea) <= 15


async def test_what_could_not_be_told_is_told_later(pool: asyncpg.Pool, system: System) -> None:
    lea = Actor(id=uuid4(), role=Role.CLIENT)
    away = await asyncpg.create_pool(system.settings.database("edge"), min_size=1, max_size=1)
    limiter = RateLimiter(away, RateLimits, 0.1)
    assert takes(limiter, lea) == 30
    await away.close()
    with pytest.raises(asyncpg.InterfaceError):
        await limiter.tell()
    limiter._pool = pool
    await limiter.tell()
    [row] = await system.sql("edge", "SELECT level FROM bucket WHERE key = $1", f"reads {lea.id}")
    assert row["level"] == 30
    assert takes(limiter, lea) == 0
