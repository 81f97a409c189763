"""Every branch of a réclamation's states, over HTTP: who takes it where, what follows, and who is told."""

import asyncio
from collections import Counter
from typing import Any

from eventually import eventually
from faults import unseen
from pictures import picture
from stories import (
    Json,
    assign,
    assigned,
    at_work,
    closed,
    done,
    items,
    move,
    opened,
    qualified,
    refused,
    types,
    visit_of,
)
from system import Person, System


async def moves(who: Person, claim: Json, to: str, **fields: Any) -> Any:
    return await who.post(f"/reclamations/{claim['id']}/moves", {"to": to} | fields)


async def now(who: Person, claim: Json) -> Json:
    return done(await who.get(f"/reclamations/{claim['id']}"))


async def becomes(who: Person, claim: Json, status: str) -> Json:
    async def is_so() -> Json | None:
        found = await now(who, claim)
        return found if found["status"] == status else None

    return await eventually(is_so)


async def is_told(who: Person, template: str) -> None:
    async def told() -> bool:
        found = await items(who, "/notifications", user_id=who.id, limit=50)
        return any(one["template"] == template and one["status"] == "kept_locally" for one in found)

    await eventually(told, 30)


async def visit_is(who: Person, visit: Json, status: str) -> None:
    async def is_so() -> bool:
        return bool(done(await who.get(f"/interventions/{visit['id']}"))["status"] == status)

    await eventually(is_so)


async def resolved(lea: Person, marie: Person, karim: Person) -> tuple[Json, Json]:
    visit = await closed(lea, marie, karim)
    claim = {"id": visit["reclamation_id"]}
    return await becomes(lea, claim, "resolved"), visit


async def test_a_client_cancels_and_nobody_comes(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    assert (await moves(lea, claim, "cancelled")).status_code == 422, "not without a reason"
    assert done(await moves(lea, claim, "cancelled", reason="réparé"))["status"] == "cancelled"
    await visit_is(marie, visit, "cancelled")
    assert done(await marie.get(f"/interventions/{visit['id']}"))["reason"] == "reclamation_cancelled"
    problem = refused(await moves(lea, claim, "reopened", reason="?"), 409, "illegal_move")
    assert problem["moves"] == []
    await is_told(lea, "reclamation_cancelled")
    await is_told(karim, "visit_cancelled")


async def test_a_manager_rejects_and_the_client_reads_why(system: System, marie: Person) -> None:
    lea = await system.client()
    claim = await opened(lea)
    done(await moves(marie, claim, "rejected", reason="vendu par un autre"))
    history = await items(lea, f"/reclamations/{claim['id']}/timeline")
    assert "vendu par un autre" in history[-1]["text"]
    await is_told(lea, "reclamation_rejected")


async def test_a_client_is_asked_and_answers_with_a_photo(system: System, marie: Person) -> None:
    lea = await system.client()
    claim = await qualified(lea, marie)
    done(await moves(marie, claim, "awaiting_client", question="Quel code ?", reason="fiche 12"))
    asked = await now(lea, claim)
    assert (asked["status"], asked["question"]) == ("awaiting_client", "Quel code ?")
    assert "fiche 12" not in (await lea.get(f"/reclamations/{claim['id']}/timeline")).text
    await is_told(lea, "reclamation_question")
    refused(await moves(lea, claim, "closed"), 409, "illegal_move")
    done(await answer(lea, claim), 201)
    assert (await now(lea, claim))["status"] == "qualified"
    assert (await now(lea, claim))["question"] is None


async def answer(lea: Person, claim: Json) -> Any:
    files = {"photos": ("a.jpg", picture())}
    return await lea.ask("POST", f"/reclamations/{claim['id']}/photos", files=files)


async def test_a_manager_resolves_by_advice_and_the_client_accepts(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    done(await moves(marie, claim, "resolved", resolution="advice", reason="robinet fermé"))
    await visit_is(marie, visit, "cancelled")
    is_now = await now(lea, claim)
    assert (is_now["resolution"], bool(is_now["resolved_at"])) == ("advice", True)
    assert done(await moves(lea, claim, "closed"))["closed_at"]


async def test_what_was_repaired_is_reopened_and_goes_to_the_same_technician_again(
    system: System, marie: Person
) -> None:
    lea, karim = await system.client(), await system.technician()
    claim, visit = await resolved(lea, marie, karim)
    done(await moves(lea, claim, "reopened", reason="elle s’arrête encore"))
    again = await now(marie, claim)
    assert (again["status"], again["resolution"], again["technician_id"]) == ("reopened", None, None)
    assert again["earlier_visit_id"] == visit["id"]
    done(await assign(marie, claim, karim))
    second = await visit_of(karim, claim)
    assert second["id"] != visit["id"]
    await move(karim, second, "accepted", "en_route", "on_site", "in_progress")
    await becomes(lea, claim, "in_progress")
    await is_told(lea, "reclamation_reopened")


async def test_one_of_two_reclamations_about_the_same_fault_goes_on(system: System, marie: Person) -> None:
    lea, paul = await system.client(), await system.client()
    danger = await opened(lea, safety={"gas_smell": True})
    target, others = await opened(lea), await opened(paul)
    why = {"reason": "deux fois la même panne"}
    assert (await moves(marie, danger, "merged", target_id=others["id"], **why)).status_code == 422
    done(await moves(marie, danger, "merged", target_id=target["id"], **why))
    kept = await now(marie, target)
    assert (kept["priority"], kept["safety"]["gas_smell"]) == ("critical", True)
    assert (await now(lea, danger))["merged_into_id"] == target["id"]
    # The history of the target tells of it too.
    assert "ReclamationMoved" in await types(lea, target)
    last = (await items(lea, f"/reclamations/{danger['id']}/timeline"))[-1]
    assert target["reference"] in last["text"]
    await is_told(lea, "reclamation_merged")


async def test_nothing_ends_it_while_the_technician_is_there(system: System, marie: Person) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    await move(karim, visit, "accepted", "en_route", "on_site")

    async def known() -> bool:
        return bool((await moves(lea, claim, "cancelled", reason="trop tard")).status_code == 409)

    await eventually(known)
    problem = refused(await moves(lea, claim, "cancelled", reason="trop tard"), 409, "visit_under_way")
    assert problem["moves"] == []
    by_manager = refused(await moves(marie, claim, "qualified", reason="?"), 409, "visit_under_way")
    assert by_manager["moves"] == ["in_progress"]
    refused(await assign(marie, claim, sofia), 409, "visit_under_way")


async def test_what_is_cancelled_just_as_the_technician_arrives_goes_on(
    system: System, marie: Person
) -> None:
    lea, karim = await system.client(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    async with unseen(system, "claims", visit["id"]):
        await move(karim, visit, "accepted", "en_route", "on_site")
        done(await moves(lea, claim, "cancelled", reason="trop tard"))
    await becomes(marie, claim, "assigned")
    assert (await now(marie, claim))["technician_id"] == karim.id
    await is_told(marie, "ending_refused")
    told = await items(lea, "/notifications", user_id=lea.id, limit=50)
    assert not [
        one for one in told if one["template"] == "reclamation_cancelled" and one["status"] == "kept_locally"
    ]
    await move(karim, visit, "in_progress")
    await becomes(lea, claim, "in_progress")


async def test_it_is_taken_from_its_technician(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    done(await moves(marie, claim, "qualified", reason="Karim est malade"))
    await visit_is(marie, visit, "cancelled")
    assert (await karim.get(f"/reclamations/{claim['id']}")).status_code == 404
    assert "Karim est malade" not in (await lea.get(f"/reclamations/{claim['id']}/timeline")).text
    assert "Karim est malade" in (await marie.get(f"/reclamations/{claim['id']}/timeline")).text


async def test_a_technician_waits_for_parts_and_goes_on(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    visit = await at_work(lea, marie, karim)
    claim = {"id": visit["reclamation_id"]}
    await becomes(lea, claim, "in_progress")
    done(await moves(karim, claim, "awaiting_parts"))
    problem = refused(await moves(karim, claim, "submitted"), 409, "illegal_move")
    assert problem["moves"] == ["in_progress"]
    done(await moves(karim, claim, "in_progress"))


async def test_what_a_technician_who_leaves_had_waits_on_a_list_until_it_is_settled(
    system: System, marie: Person
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    claim, _ = await assigned(lea, marie, karim)
    admin = await system.admin()
    done(await admin.post(f"/users/{karim.id}/deactivate"))

    async def listed() -> bool:
        found = await items(marie, "/reclamations", needs_technician="true", client_id=lea.id)
        return [one["id"] for one in found] == [claim["id"]]

    await eventually(listed)
    assert (await lea.get("/reclamations", needs_technician="true")).status_code == 422, "for staff only"
    await is_told(marie, "technician_left")
    done(await assign(marie, claim, sofia))
    assert await items(marie, "/reclamations", needs_technician="true", client_id=lea.id) == []
    await visit_of(sofia, claim)
    await is_told(lea, "technician_changed")


async def test_twenty_managers_move_one_reclamation_at_once(system: System, marie: Person) -> None:
    lea = await system.client()
    claim = await qualified(lea, marie)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("awaiting_client", {"question": "Quel code ?"}),
        ("qualified", {}),
        ("resolved", {"resolution": "advice"}),
        ("reopened", {"reason": "encore"}),
        ("closed", {}),
    ]
    for to, fields in steps:
        answers = await asyncio.gather(*(moves(marie, claim, to, **fields) for _ in range(20)))
        assert Counter(one.status_code for one in answers) == {200: 1, 409: 19}, to
        for one in answers:
            if one.status_code == 409:
                assert to not in refused(one, 409, "illegal_move")["moves"]
    history = await items(marie, f"/reclamations/{claim['id']}/timeline")
    assert len(history) == 2 + len(steps)
