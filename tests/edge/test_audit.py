"""Who asked for what: found again by admins, for as long as it is kept."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from eventually import eventually
from pydantic_core import from_json
from recipes import Scene
from stories import Json, done, refused, wrong_fields
from structlog.testing import capture_logs
from system import PASSWORD, System

from sav_chassis.settings import Settings
from sav_contracts.actor import ANYONE
from sav_contracts.edge import FindRequests
from sav_edge import audit_log
from sav_edge.audit_log import AT_MOST, Audit
from sav_edge.request_context import RequestContext


async def kept(scene: Scene, **wanted: Any) -> list[Json]:
    found: list[Json] = done(await scene.admin.get("/audit", **wanted))["items"]
    return found


async def test_a_request_is_found_by_its_id_with_who_made_it_and_what_came_of_it(scene: Scene) -> None:
    lea, id = scene.near.client, str(uuid4())
    before = datetime.now(UTC)
    await lea.ask(
        "GET",
        f"/reclamations/{scene.near.records['reclamation']}",
        headers={"X-Request-ID": id},
        extensions={"address": "203.0.113.20"},
    )
    [found] = await eventually(lambda: kept(scene, request_id=id))
    assert found.pop("ms") > 0
    assert before <= datetime.fromisoformat(found.pop("at")) <= datetime.now(UTC)
    assert found == {
        "id": id,
        "user_id": lea.id,
        "role": "client",
        "route": "GET /reclamations/{reclamation_id}",
        "status": 200,
        "address": "203.0.113.20",
    }


async def test_what_was_refused_is_kept_too(scene: Scene) -> None:
    id, lea, visitor = str(uuid4()), scene.near.client, scene.system.visitor()
    headers = {"X-Request-ID": id}
    await visitor.ask("GET", "/me", headers=headers)
    await lea.ask("GET", "/policies", headers=headers)
    await lea.ask("GET", "/nothing/at/all", headers=headers)
    await lea.ask("POST", "/me", headers=headers)
    await lea.ask("POST", "/reclamations", headers=headers, content=b"x" * 1_100_000)
    await scene.system.http.get("/stream", headers=headers)
    found = await eventually(lambda: at_least(6, scene, request_id=id))
    assert [(one["route"], one["status"], one["user_id"]) for one in reversed(found)] == [
        ("GET /me", 401, None),
        ("GET /policies", 403, lea.id),
        ("none", 404, None),
        ("none", 405, None),
        ("POST /reclamations", 413, lea.id),
        ("GET /stream", 401, None),
    ]


async def at_least(count: int, scene: Scene, **wanted: Any) -> list[Json]:
    found = await kept(scene, **wanted)
    return found if len(found) >= count else []


async def test_requests_are_found_by_each_of_their_parts(scene: Scene) -> None:
    karim, id = scene.near.technician, str(uuid4())
    for path in ("/me", "/policies", "/interventions"):
        await karim.ask("GET", path, headers={"X-Request-ID": id})
    everything = await eventually(lambda: at_least(3, scene, request_id=id))
    refusal = everything[1]
    narrow = {"user_id": karim.id, "request_id": id, "limit": 1}
    assert await kept(scene, **narrow, route="GET /policies", status=403) == [refusal]
    assert await kept(scene, **narrow, route="GET /policies", status=200) == []
    assert await kept(scene, **narrow, **{"from": refusal["at"], "to": everything[0]["at"]}) == [refusal]
    assert await kept(scene, request_id=id, user_id=scene.near.client.id) == []
    backwards = {"from": everything[0]["at"], "to": everything[2]["at"]}
    ends_before = await scene.admin.get("/audit", **backwards)
    assert wrong_fields(ends_before) == {"to"}


async def test_pages_follow_each_other_newest_first(scene: Scene) -> None:
    id = str(uuid4())
    for path in ("/me", "/reclamations", "/products", "/invoices", "/feedback"):
        await scene.manager.ask("GET", path, headers={"X-Request-ID": id})
    everything = await eventually(lambda: at_least(5, scene, request_id=id))
    assert [one["route"] for one in everything] == [
        "GET /feedback",
        "GET /invoices",
        "GET /products",
        "GET /reclamations",
        "GET /me",
    ]
    pages: list[Json] = []
    after: dict[str, str | None] = {}
    for _ in range(3):
        page = done(await scene.admin.get("/audit", request_id=id, limit=2, **after))
        pages += page["items"]
        after = {"after": page["next"]}
    assert (pages, after) == (everything, {"after": None})


async def test_only_admins_look(scene: Scene) -> None:
    for who in (scene.near.client, scene.near.technician, scene.manager):
        refused(await who.get("/audit"), 403, "not_allowed")
    refused(await scene.system.visitor().get("/audit"), 401, "not_signed_in")


async def test_wrong_parameters_are_named(scene: Scene) -> None:
    wrong = {
        "user_id": "x",
        "status": "0",
        "from": "x",
        "after": "-1",
        "limit": "201",
        "route": "\0",
        "colour": "x",
    }
    assert wrong_fields(await scene.admin.get("/audit", **wrong)) == {*wrong}


def requests(output: str) -> list[Json]:
    """The lines of requests among what was logged."""
    lines = [from_json(line) for line in output.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "request"]


async def test_every_request_is_a_line_in_the_log_without_what_it_said(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    lea, id = scene.near.client, str(uuid4())
    secret = {"email": lea.email, "password": PASSWORD}
    headers = {"X-Request-ID": id}
    await lea.ask("POST", "/auth/login", json=secret, headers=headers)
    await lea.ask("GET", "/reclamations", params={"q": "chaudière"}, headers=headers)
    await lea.ask("GET", f"/{uuid4()}", headers=headers)
    mine = [line for line in requests(capfd.readouterr().out) if line["correlation_id"] == id]
    assert [(line["route"], line["status"], line["role"]) for line in mine] == [
        ("POST /auth/login", 200, "client"),
        ("GET /reclamations", 200, "client"),
        ("none", 404, "anyone"),
    ]
    assert [line.get("user") for line in mine] == [lea.id, lea.id, None]
    assert all(line["address"] and line["ms"] >= 0 for line in mine)
    for word in (PASSWORD, lea.email, lea.token, "chaudi"):
        assert word not in str(mine)


@pytest.fixture
async def pool(system: System) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(system.settings.database("edge"), min_size=1, max_size=2) as pool:
        yield pool


def asked(route: str) -> RequestContext:
    call = RequestContext(str(uuid4()), "203.0.113.21", {})
    call.actor, call.route, call.status = ANYONE, route, 200
    return call


async def test_reads_are_forgotten_sooner_than_writes(pool: asyncpg.Pool, settings: Settings) -> None:
    audit = Audit(pool, settings)
    calls = {age: [asked("GET /me"), asked("PATCH /me")] for age in (6, 8, 89, 91)}
    async with audit.running():
        for both in calls.values():
            for call in both:
                audit.note(call, 0.001)
    for age, both in calls.items():
        ids = [call.id for call in both]
        await pool.execute(
            "UPDATE request SET at = at - $1::interval WHERE request_id = ANY($2)", timedelta(age), ids
        )
    await audit.forget()
    left = {age: [call.route for call in both if await is_kept(audit, call)] for age, both in calls.items()}
    assert left == {6: ["GET /me", "PATCH /me"], 8: ["PATCH /me"], 89: ["PATCH /me"], 91: []}


async def is_kept(audit: Audit, call: RequestContext) -> bool:
    return bool((await audit.page(FindRequests(request_id=UUID(call.id)))).items)


async def test_what_waits_is_bounded_and_written_at_the_end(pool: asyncpg.Pool, settings: Settings) -> None:
    audit, one, last = Audit(pool, settings), asked("GET /me"), asked("GET /me")
    async with audit.running():
        # In one go: nothing is written meanwhile.
        audit.note(one, 0.001)
        for _ in range(AT_MOST - 1):
            audit.note(asked("GET /x"), 0.001)
        audit.note(last, 0.001)
    assert (await is_kept(audit, one), await is_kept(audit, last)) == (True, False)
    await pool.execute("DELETE FROM request WHERE route = 'GET /x'")


async def test_a_database_that_is_away_keeps_nobody_waiting(
    settings: Settings, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def note(call: RequestContext) -> list[int]:
        """What is logged of requests that are not kept."""
        with capture_logs() as logs:
            async with asyncio.timeout(2), audit.running():
                audit.note(call, 0.001)
        return [line["requests"] for line in logs if line["event"] == "requests not audited"]

    async with asyncpg.create_pool(system.settings.database("edge"), min_size=1, max_size=1) as pool:
        audit, call = Audit(pool, settings), asked("GET /me")
        assert await note(call) == []
        assert await is_kept(audit, call)
        monkeypatch.setattr(audit_log, "WRITE", 0.2)
        async with pool.acquire():  # its only connection
            assert await note(asked("GET /me")) == [1]
    assert await note(asked("GET /me")) == [1]  # it is closed


async def test_a_fault_of_ours_has_its_line_with_the_id_that_the_caller_got(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    http = scene.system.http
    checks, http.event_hooks = http.event_hooks, {}
    await scene.system.sql("edge", "ALTER TABLE request RENAME TO request_elsewhere")
    try:
        answer = await http.get("/api/audit", headers=scene.admin.headers())
    finally:
        await scene.system.sql("edge", "ALTER TABLE request_elsewhere RENAME TO request")
        http.event_hooks = checks
    refused(answer, 500, "internal")
    assert "request" not in answer.json()["detail"]
    [line] = [line for line in requests(capfd.readouterr().out) if line["status"] == 500]
    assert (line["route"], line["correlation_id"]) == ("GET /audit", answer.headers["x-request-id"])
