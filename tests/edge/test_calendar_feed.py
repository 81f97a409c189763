"""A telephone's calendar reads its person's visits at a secret address, which is kept out of everything that is kept."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from eventually import eventually
from foreign import Reader
from recipes import Scene
from recipes.others import booked
from stories import done


def address(url: str) -> tuple[str, dict[str, str]]:
    path, _, token = url.partition("?token=")
    return path[path.index("/api/") :], {"token": token}


async def test_a_telephone_subscribes_without_signing_in(scene: Scene, ical: Reader) -> None:
    http, lea = scene.system.http, scene.near.client
    visit = await booked(scene, scene.near)
    path, query = address(done(await lea.post("/me/calendar/rotate"))["url"])
    answer = await http.get(path, params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    read = ical.read(answer.text)
    assert visit["uid"] in {event["uid"] for event in read["events"]}
    for known in (answer.headers["etag"], "*"):
        held = await http.get(path, params=query, headers={"If-None-Match": known})
        assert (held.status_code, held.content, held.headers["etag"]) == (304, b"", answer.headers["etag"])
    old = {"If-None-Match": '"' + "x" * 400 + '"'}
    assert (await http.get(path, params=query, headers=old)).status_code == 200
    done(await lea.post("/me/calendar/rotate"))
    ended = await http.get(path, params=query, headers={"Accept-Language": "fr"})
    assert ended.status_code == 410
    assert "changé d’adresse" in ended.text


async def test_the_address_is_in_no_log_no_trace_and_no_audit(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    http = scene.system.http
    path, query = address(done(await scene.near.client.post("/me/calendar/rotate"))["url"])
    id = str(uuid4())
    assert (await http.get(path, params=query, headers={"X-Request-ID": id})).status_code == 200
    assert (await http.get(path, params={"token": query["token"][:-3]})).status_code == 410

    async def audited() -> httpx.Response | None:
        answer = await scene.admin.get("/audit", request_id=id)
        return answer if answer.json()["items"] else None

    said = await eventually(audited)
    [request] = said.json()["items"]
    assert request["route"] == "GET /me/calendar.ics"
    await asyncio.sleep(0.2)
    assert query["token"][:-3] not in said.text + "".join(capfd.readouterr())
