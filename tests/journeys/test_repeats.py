"""The same request again: done once, answered the same."""

import asyncio
from uuid import uuid4

from stories import PLACE, done, ids, opened, refused
from system import Person, System

OPENING = {"article": "Robinet", "problem_type": "leak", "description": "goutte", "place": PLACE}


async def test_a_repeated_command_has_one_effect_and_the_same_answer(system: System) -> None:
    lea, key = await system.client(), str(uuid4())
    answers = [await lea.post("/reclamations", OPENING, key=key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert {answer.headers["location"] for answer in answers} == {answers[0].headers["location"]}
    assert {answer.headers["idempotency-key"] for answer in answers} == {key}
    assert await ids(lea, "/reclamations") == [answers[0].json()["id"]]


async def test_a_command_that_is_sent_several_times_at_once_is_done_once(system: System) -> None:
    lea, key = await system.client(), str(uuid4())
    answers = await asyncio.gather(*(lea.post("/reclamations", OPENING, key=key) for _ in range(6)))
    [id] = {done(answer, 201)["id"] for answer in answers}
    assert await ids(lea, "/reclamations") == [id]


async def test_the_answer_stays_the_same_after_the_record_moved_on(system: System, marie: Person) -> None:
    lea, key = await system.client(), str(uuid4())
    first = await lea.post("/reclamations", OPENING, key=key)
    path = f"/reclamations/{done(first, 201)['id']}"
    done(await marie.post(f"{path}/qualify", {"priority": "low"}))
    again = await lea.post("/reclamations", OPENING, key=key)
    assert again.json() == first.json()
    assert done(await lea.get(path))["status"] == "qualified"


async def test_another_body_under_a_used_key_is_refused(system: System) -> None:
    lea, key = await system.client(), str(uuid4())
    first = await lea.post("/reclamations", OPENING, key=key)
    other = await lea.post("/reclamations", OPENING | {"article": "Évier"}, key=key)
    refused(other, 422, "key_reused")
    assert await ids(lea, "/reclamations") == [first.json()["id"]]


async def test_another_record_under_a_used_key_is_refused(system: System, marie: Person) -> None:
    lea, key = await system.client(), str(uuid4())
    one, two = await opened(lea), await opened(lea)
    done(await marie.post(f"/reclamations/{one['id']}/qualify", {"priority": "low"}, key=key))
    other = await marie.post(f"/reclamations/{two['id']}/qualify", {"priority": "low"}, key=key)
    refused(other, 422, "key_reused")


async def test_a_key_belongs_to_who_sent_it_and_to_one_command(system: System, marie: Person) -> None:
    lea, paul, key = await system.client(), await system.client(), str(uuid4())
    hers = done(await lea.post("/reclamations", OPENING, key=key), 201)
    his = done(await paul.post("/reclamations", OPENING, key=key), 201)
    assert (hers["client_id"], his["client_id"]) == (lea.id, paul.id)
    done(await marie.post(f"/reclamations/{hers['id']}/qualify", {"priority": "low"}, key=key))
    opened_for_her = await marie.post("/reclamations", OPENING | {"client_id": lea.id}, key=key)
    assert done(opened_for_her, 201)["id"] != hers["id"]


async def test_a_refused_command_leaves_its_key_free(system: System, marie: Person) -> None:
    lea, karim, key = await system.client(), await system.technician(), str(uuid4())
    claim = await opened(lea)
    path, body = f"/reclamations/{claim['id']}", {"technician_id": karim.id}
    refused(await marie.post(f"{path}/assign", body, key=key), 409, "illegal_move")
    done(await marie.post(f"{path}/qualify", {"priority": "low"}))
    assert done(await marie.post(f"{path}/assign", body, key=key))["status"] == "assigned"


async def test_a_secret_command_is_not_answered_from_memory(system: System) -> None:
    lea, key = await system.client(), str(uuid4())
    visitor = system.visitor()
    right = {"email": lea.email, "password": "correct horse battery"}
    first = done(await visitor.post("/auth/login", right, key=key))
    second = done(await visitor.post("/auth/login", right, key=key))
    assert first["access_token"] != second["access_token"]
    wrong = await visitor.post("/auth/login", right | {"password": "guessed it"}, key=key)
    refused(wrong, 401, "not_signed_in")
    assert await system.sql("auth", "SELECT FROM answered WHERE key = $1", key) == []
