"""Entity tags: what the caller holds already is not sent again, and nobody changes what they have not seen."""

import asyncio
from uuid import uuid4

import pytest
from recipes import Scene
from stories import done, opened, refused

from sav_chassis.errors import ChangedSince
from sav_contracts.actor import Actor, Role
from sav_edge import tags


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


def test_a_tag_says_which_version_of_what_in_which_form() -> None:
    id = uuid4()
    staff, client = (tags.tag(id, 7, Actor(role=role)) for role in (Role.MANAGER, Role.CLIENT))
    assert tags.expected(staff) == tags.expected(client) == {f"{id}.7"}
    assert tags.expected(None) == tags.expected(" * ") == frozenset()
    for wrong in ("", "x", '"x"', f"{id}.7", f'"{id}.x"', f'"{id}.{"7" * 19}"'):
        with pytest.raises(ChangedSince):
            tags.expected(wrong)
