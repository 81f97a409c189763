"""Entity tags: what the caller holds already is not sent again, and nobody changes what they have not seen."""

import asyncio
from uuid import uuid4

import pytest
from recipes import Scene
from stories import PLACE, done, opened, refused
from system import PASSWORD

from sav_chassis.errors import ChangedSince
from sav_contracts.actor import Actor, Role
from sav_edge import etags

OPENING = {"article": "Évier", "problem_type": "leak", "description": "fuite sous l'évier", "place": PLACE}


async def test_a_record_that_the_caller_holds_is_not_sent_again(scene: Scene) -> None:
    path = f"/reclamations/{scene.near.records['reclamation']}"
    first = await scene.manager.get(path)
    tag = first.headers["etag"]
    assert tag == f'"{first.json()["id"]}.{first.json()["version"]}"'
    for known in (tag, f'"x", W/{tag}', "*"):
        again = await scene.manager.ask("GET", path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-length" not in again.headers
    assert done(await scene.manager.ask("GET", path, headers={"If-None-Match": '"x"'})) == first.json()


async def test_a_client_and_staff_hold_different_forms(scene: Scene) -> None:
    path = f"/reclamations/{scene.near.records['reclamation']}"
    staff, client = await scene.manager.get(path), await scene.near.client.get(path)
    assert staff.headers["etag"] != client.headers["etag"]
    told = await scene.near.client.ask("GET", path, headers={"If-None-Match": staff.headers["etag"]})
    assert done(told) == client.json()
    assert (await scene.near.technician.get(path)).headers["etag"] == staff.headers["etag"]


async def test_what_hangs_on_a_record_has_a_tag_of_its_own(scene: Scene) -> None:
    """The newest report of a visit may be another one in the same version."""
    visit = scene.near.seen["report"]["intervention_id"]
    answer = await scene.manager.get(f"/interventions/{visit}/report")
    assert answer.headers["etag"].startswith(f'"{answer.json()["id"]}.')


async def test_a_record_is_changed_only_in_the_version_that_was_seen(scene: Scene) -> None:
    claim = await opened(scene.near.client)
    path = f"/reclamations/{claim['id']}"
    tag = (await scene.manager.get(path)).headers["etag"]

    async def qualifies(tag: str, **more: str) -> object:
        headers = {"If-Match": tag} | more
        return await scene.manager.ask("POST", f"{path}/qualify", json={"priority": "high"}, headers=headers)

    refused(await qualifies(f'"{claim["id"]}.{claim["version"] + 1}"'), 412, "changed_since")
    refused(await qualifies(f"W/{tag}"), 412, "changed_since")
    refused(await qualifies(f'"{uuid4()}.1"'), 412, "changed_since")
    assert done(await scene.manager.get(path))["status"] == "submitted"
    seen = done(await qualifies(f'"x", {tag}', **{"Idempotency-Key": tag}))
    assert seen["status"] == "qualified"
    # It was done, and is no less so when it is repeated.
    assert done(await qualifies(tag, **{"Idempotency-Key": tag})) == seen
    refused(await qualifies(tag), 412, "changed_since")


async def test_any_version_will_do_for_who_says_so(scene: Scene) -> None:
    claim = await opened(scene.near.client)
    answer = await scene.manager.ask(
        "POST",
        f"/reclamations/{claim['id']}/qualify",
        json={"priority": "high"},
        headers={"If-Match": "*"},
    )
    done(answer)


async def test_of_those_who_saw_the_same_version_one_changes_it(scene: Scene) -> None:
    lea = scene.near.client
    tag = (await lea.get("/me")).headers["etag"]
    answers = await asyncio.gather(
        *(
            lea.ask("PATCH", "/me", json={"phone": f"+33 6 12 34 56 7{number}"}, headers={"If-Match": tag})
            for number in range(5)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]


async def test_who_has_changed_a_record_goes_on_with_the_answers_tag(scene: Scene) -> None:
    lea, marie = scene.near.client, scene.manager
    answer = await lea.post("/reclamations", OPENING)
    claim, tag = done(answer, 201), answer.headers["etag"]
    path = f"/reclamations/{claim['id']}"
    held = await lea.ask("GET", path, headers={"If-None-Match": tag})
    assert (held.status_code, held.headers["etag"]) == (304, tag)

    qualify = {"json": {"priority": "high"}, "headers": {"If-Match": tag}}
    qualified = await marie.ask("POST", f"{path}/qualify", **qualify)
    done(qualified)
    assert qualified.headers["etag"] == (await marie.get(path)).headers["etag"]
    again = await marie.ask("POST", f"{path}/qualify", **qualify)
    refused(again, 412, "changed_since")
    assert "etag" not in again.headers


async def test_an_answer_that_is_repeated_has_the_tag_of_what_it_says(scene: Scene) -> None:
    lea, key = scene.near.client, str(uuid4())
    first = await lea.post("/reclamations", OPENING, key=key)
    claim = done(first, 201)
    done(await scene.manager.post(f"/reclamations/{claim['id']}/qualify", {"priority": "high"}))
    again = await lea.post("/reclamations", OPENING, key=key)
    assert done(again, 201)["version"] == claim["version"]
    assert again.headers["etag"] == first.headers["etag"]


async def test_what_is_no_record_has_no_tag(scene: Scene) -> None:
    system = scene.system
    asked = {"email": scene.near.client.email, "password": PASSWORD}
    answers = [
        await system.visitor().post("/auth/login", asked),
        await scene.manager.get("/reports/reclamations"),
        await scene.admin.get("/audit"),
    ]
    for answer in answers:
        done(answer)
        assert "etag" not in answer.headers


@pytest.mark.parametrize("role", [Role.CLIENT, Role.TECHNICIAN, Role.MANAGER])
async def test_a_list_that_has_not_changed_is_not_sent_again(role: Role, scene: Scene) -> None:
    who, client = scene.who(role), scene.near.client
    claim = scene.near.records["reclamation"]
    for path in ("/articles", "/reclamations", f"/reclamations/{claim}/timeline"):
        first = await who.get(path, limit=1)
        tag = first.headers["etag"]
        assert tag.startswith('W/"')
        for known in (tag, f'"x", {tag}', tag.removeprefix("W/")):
            again = await who.ask("GET", path, params={"limit": 1}, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    # Whatever the page differs in: what is asked for, who asks, what has happened.
    held = {"If-None-Match": (await client.get("/reclamations", limit=1)).headers["etag"]}
    more = await client.ask("GET", "/reclamations", params={"limit": 2}, headers=held)
    assert len(done(more)["items"]) == 2
    if role is not Role.CLIENT:
        done(await who.ask("GET", "/reclamations", params={"limit": 1}, headers=held))
    new = await opened(client)
    [item] = done(await client.ask("GET", "/reclamations", params={"limit": 1}, headers=held))["items"]
    assert item["id"] == new["id"]


async def test_the_tag_of_a_list_is_no_version_of_a_record(scene: Scene) -> None:
    lea = scene.near.client
    tag = (await lea.get("/reclamations")).headers["etag"]
    for known in (tag, tag.removeprefix("W/")):
        answer = await lea.ask("PATCH", "/me", json={"locale": "fr"}, headers={"If-Match": known})
        refused(answer, 412, "changed_since")


def test_a_tag_says_which_version_of_what_in_which_form() -> None:
    id = uuid4()
    staff, client = (etags.tag(id, 7, Actor(role=role)) for role in (Role.MANAGER, Role.CLIENT))
    assert etags.expected(staff) == etags.expected(client) == {f"{id}.7"}
    assert etags.expected(None) == etags.expected(" * ") == frozenset()
    for wrong in ("", "x", '"x"', f"{id}.7", f'"{id}.x"', f'"{id}.{"7" * 19}"'):
        with pytest.raises(ChangedSince):
            etags.expected(wrong)
