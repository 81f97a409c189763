"""Estimates between a client without an account at hand, a technician on site and a manager."""

import re
from functools import partial
from typing import Any

import pytest
import stories
from eventually import eventually
from recipes.interventions import linked
from stories import Json, done, items, refused
from system import Person, System

from sav_ops.demo.agreement import ESTIMATED

NOT_COVERED = {"parts": 0, "labour": 0, "travel": 0, "reason": "hors garantie"}
EARLY = {"accept": True, "begins_early": True, "acknowledges_loss": True}


async def on_site(lea: Person, marie: Person, karim: Person) -> Json:
    """A visit of which the client pays everything; its technician is there."""
    _, visit = await stories.assigned(lea, marie, karim)
    done(await marie.post(f"/interventions/{visit['id']}/warranty", NOT_COVERED))
    await stories.move(karim, visit, "accepted", "en_route", "on_site")
    return visit


async def sent(marie: Person, karim: Person, visit: Json) -> Json:
    written = {"nature": "Circulateur à remplacer", "lines": ESTIMATED}
    draft = done(await karim.post(f"/interventions/{visit['id']}/estimates", written), 201)
    return done(await marie.post(f"/estimates/{draft['id']}/validate"))


async def is_now(who: Person, path: str, **expected: Any) -> bool:
    found = done(await who.get(path))
    return all(found[name] == value for name, value in expected.items())


async def mail(who: Person, template: str) -> Json:
    """The message of this kind that has left."""

    async def left() -> Json | None:
        kept = await items(who, "/notifications", user_id=who.id, status="kept_locally", limit=100)
        return next((one for one in kept if one["template"] == template), None)

    return dict(await eventually(left, 30))


async def requested(system: System, token: str) -> list[Any]:
    """The recorded requests in which a token stands."""
    return await system.sql(
        "edge", "SELECT route FROM request WHERE request::text LIKE '%' || $1 || '%'", token
    )


@pytest.fixture
async def people(system: System, marie: Person) -> tuple[Person, Person]:
    return await system.client(), await system.technician("Karim Haddad")


async def test_a_client_accepts_by_the_link_and_the_work_begins(
    system: System, marie: Person, people: tuple[Person, Person]
) -> None:
    lea, karim = people
    visit = await on_site(lea, marie, karim)
    moves = f"/interventions/{visit['id']}/moves"
    refused(await karim.post(moves, {"to": "in_progress"}), 409, "estimate_missing")
    estimate = await sent(marie, karim, visit)
    link = await linked(system, estimate, "estimate", "answer_grant")

    nobody = system.visitor()
    read = done(await nobody.get(f"/estimate/{link['token']}"))
    assert (read["reference"], read["status"]) == (estimate["reference"], "sent")
    assert done(await nobody.post(f"/estimate/{link['token']}", EARLY))["status"] == "accepted"
    refused(await nobody.post(f"/estimate/{link['token']}", {"accept": False}), 410, "link_expired")
    done(await karim.post(moves, {"to": "in_progress"}))
    await mail(lea, "estimate_accepted")
    await mail(karim, "estimate_answered")
    paper = await eventually(lambda: printed(lea, estimate))
    assert paper.startswith(b"%PDF")
    texts = [one["text"] for one in await items(lea, f"/reclamations/{visit['reclamation_id']}/timeline")]
    assert "Le devis est accepté" in texts
    assert await requested(system, link["token"]) == []


async def test_whoever_withdraws_gets_a_receipt_and_the_visit_is_cancelled(
    system: System, marie: Person, people: tuple[Person, Person]
) -> None:
    lea, karim = people
    claim, visit = await stories.assigned(lea, marie, karim)
    estimate = await sent(marie, karim, visit)
    done(await lea.post(f"/estimates/{estimate['id']}/accept"))
    link = await linked(system, estimate, "withdraw", "withdrawal_grant")
    nobody, path = system.visitor(), f"/withdrawal/{link['token']}"
    refused(await nobody.post(path, {"confirm": True}), 409, "withdrawal_not_asked")
    assert done(await nobody.post(path))["status"] == "accepted"
    assert done(await nobody.post(path, {"confirm": True}))["status"] == "withdrawn"
    await eventually(partial(is_now, marie, f"/interventions/{visit['id']}", status="cancelled"))
    await eventually(partial(is_now, marie, f"/reclamations/{claim['id']}", status="qualified"))
    receipt = await mail(lea, "withdrawal_receipt")
    assert estimate["reference"] in receipt["subject"]
    assert re.search("rétractation", receipt["subject"])
    told = await items(lea, "/notifications", user_id=lea.id, limit=100)
    assert "visit_off" not in [one["template"] for one in told], "the receipt says it"


async def test_after_a_refusal_nobody_comes_and_the_client_reads_it_once(
    system: System, marie: Person, people: tuple[Person, Person]
) -> None:
    lea, karim = people
    claim, visit = await stories.assigned(lea, marie, karim)
    done(await marie.post(f"/interventions/{visit['id']}/warranty", NOT_COVERED))
    estimate = await sent(marie, karim, visit)
    done(await lea.post(f"/estimates/{estimate['id']}/refuse", {"reason": "trop cher"}))
    await eventually(partial(is_now, marie, f"/interventions/{visit['id']}", status="cancelled"))
    await eventually(partial(is_now, marie, f"/reclamations/{claim['id']}", status="qualified"))
    assert estimate["reference"] in (await mail(lea, "estimate_refused"))["subject"]
    told = [one["template"] for one in await items(lea, "/notifications", user_id=lea.id, limit=100)]
    assert not {"visit_off", "visit_given_up", "appointment_cancelled"} & set(told)


async def printed(who: Person, estimate: Json) -> bytes | None:
    answer = await who.get(f"/estimates/{estimate['id']}.pdf")
    return answer.content if answer.status_code == 200 else None
