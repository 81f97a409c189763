"""What every answer tells browsers, and what HEAD is told."""

import re

import httpx
import pytest
from recipes import Scene
from stories import done
from system import door

from sav_contracts.actor import Role
from sav_contracts.surface import SURFACE, EdgeQueryRow, FieldRow, ListRow, OwnRecordRow, RecordRow, Row

PATHS = ["/api/me", "/api/reclamations", "/api/nothing", "/nothing", "/docs", "/openapi.json", "/health/live"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_tells_browsers_to_be_careful(path: str, scene: Scene) -> None:
    for headers in ({}, scene.admin.headers()):
        answer = await scene.system.http.get(path, headers=headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert ("script-src" in policy) == (path == "/docs")
        assert answer.headers["x-request-id"]
        assert "strict-transport-security" not in answer.headers


async def test_browsers_are_kept_to_tls_where_there_is_tls(scene: Scene) -> None:
    public = scene.system.settings.model_copy(update={"public_url": "https://sav.example.com"})
    async with door(public) as http:
        assert (await http.get("/health/live")).headers["strict-transport-security"].startswith("max-age=")


async def test_the_page_to_try_it_on_has_no_script_that_its_policy_forbids(scene: Scene) -> None:
    page = await scene.system.http.get("/docs")
    assert "'unsafe-inline'" not in page.headers["content-security-policy"].split("style-src")[0]
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL)
    assert len(scripts) == 2
    for attributes, text in scripts:
        assert text == ""
        [source] = re.findall(r'src="([^"]+)"', attributes)
        script = await scene.system.http.get(source)
        assert script.status_code == 200
        assert script.headers["content-type"].startswith(("text/javascript", "application/javascript"))


READ = [
    row for row in SURFACE if isinstance(row, ListRow | RecordRow | FieldRow | OwnRecordRow | EdgeQueryRow)
]


@pytest.mark.parametrize("row", READ, ids=lambda row: row.route)
async def test_head_is_answered_as_get_without_a_body(row: Row, scene: Scene) -> None:
    role = next(role for role in (Role.ADMIN, Role.MANAGER, Role.CLIENT) if role in row.roles)
    who, path = scene.who(role), re.sub(r"{\w+}", "018f0000-0000-7000-8000-000000000000", row.path)
    seen, head = await who.get(path), await who.ask("HEAD", path)
    assert (head.status_code, head.content) == (seen.status_code, b"")
    assert head.headers["content-type"] == seen.headers["content-type"]
    assert head.headers["content-length"] == seen.headers["content-length"]


async def test_head_is_no_way_around_anything(scene: Scene) -> None:
    visitor = scene.system.visitor()
    assert (await visitor.ask("HEAD", "/me")).status_code == 401
    assert (await visitor.ask("HEAD", "/auth/login")).status_code == 405
    # It would never end.
    stream: httpx.Response = await scene.system.http.head("/stream", headers=scene.manager.headers())
    assert stream.status_code == 405
    assert done(await scene.manager.get("/me"))["id"] == scene.manager.id
