"""Two people act at once: somebody decides, and all services come to say the same."""

import asyncio
from functools import partial

import asyncpg
import pytest
from eventually import eventually
from faults import held, unseen
from stories import Json, assign, assigned, done, items, move, types, visit_of
from system import Person, System


async def claim_of(who: Person, claim: Json) -> Json:
    return done(await who.get(f"/reclamations/{claim['id']}"))


async def test_a_declined_visit_brings_the_reclamation_back_to_be_assigned(
    system: System, marie: Person
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    await move(karim, visit, "declined", reason="pas équipé")
    await eventually(lambda: is_now(marie, claim, "qualified", None))
    # The client reads that it waits again, not why; the technician keeps only the visit.
    assert "pas équipé" not in (await lea.get(f"/reclamations/{claim['id']}/timeline")).text
    assert "pas équipé" in (await marie.get(f"/reclamations/{claim['id']}/timeline")).text
    assert (await karim.get(f"/reclamations/{claim['id']}")).status_code == 404
    assert done(await karim.get(f"/interventions/{visit['id']}"))["status"] == "declined"

    done(await assign(marie, claim, sofia))
    assert (await visit_of(sofia, claim))["id"] != visit["id"]


async def is_now(who: Person, claim: Json, status: str, technician_id: str | None) -> bool:
    now = await claim_of(who, claim)
    return (now["status"], now["technician_id"]) == (status, technician_id)


async def test_a_decline_after_the_reassignment_changes_nothing(system: System, marie: Person) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    async with held(system, "interventions", claim["id"]):
        done(await assign(marie, claim, sofia))
        await move(karim, visit, "declined", reason="trop loin")
    assert (await visit_of(sofia, claim))["status"] == "planned"
    await eventually(lambda: handled(system, "claims", "follow_the_visit", visit["id"]))
    assert await is_now(marie, claim, "assigned", sofia.id)


async def handled(system: System, room: str, reaction: str, subject: str) -> list[asyncpg.Record]:
    """Whether a reaction has done an event about a record that interventions owns."""
    told = await system.sql(
        "interventions",
        "SELECT id FROM event_log WHERE subject = $1 ORDER BY position DESC LIMIT 1",
        subject,
    )
    return await system.sql(
        room, "SELECT outcome FROM handled WHERE handler = $1 AND event_id = $2", reaction, told[0]["id"]
    )


@pytest.mark.parametrize("reached", ["on_site", "in_progress"])
async def test_the_technician_who_is_there_keeps_the_reclamation(
    system: System, marie: Person, reached: str
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    async with unseen(system, "claims", visit["id"]), held(system, "claims", visit["id"]):
        await move(karim, visit, "accepted", "en_route", "on_site")
        if reached == "in_progress":
            await move(karim, visit, "in_progress")
        # Claims does not know yet, and lets the manager reassign.
        assert done(await assign(marie, claim, sofia))["technician_id"] == sofia.id
        await eventually(lambda: refusal(system, visit))
    expected = "in_progress" if reached == "in_progress" else "assigned"
    await eventually(lambda: is_now(marie, claim, expected, karim.id))
    assert await items(sofia, "/interventions", reclamation_id=claim["id"]) == []
    assert (await sofia.get(f"/reclamations/{claim['id']}")).status_code == 404
    assert "AssignmentRefused" in await types(marie, claim)
    assert "AssignmentRefused" not in await types(lea, claim)
    if reached == "on_site":
        await move(karim, visit, "in_progress")
        await eventually(lambda: is_now(lea, claim, "in_progress", karim.id))


async def refusal(system: System, visit: Json) -> list[asyncpg.Record]:
    return await system.sql(
        "interventions",
        "SELECT FROM event_log WHERE subject = $1 AND type LIKE '%AssignmentRefused%'",
        visit["id"],
    )


async def test_whoever_wins_between_start_and_reassignment_all_say_the_same(
    system: System, marie: Person
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    for _ in range(4):
        claim, visit = await assigned(lea, marie, karim)
        await move(karim, visit, "accepted", "en_route", "on_site")
        started, reassigned = await asyncio.gather(
            karim.post(f"/interventions/{visit['id']}/moves", {"to": "in_progress"}),
            assign(marie, claim, sofia),
        )
        assert started.status_code == 200, started.text
        assert reassigned.status_code in (200, 409), reassigned.text
        await eventually(partial(is_now, marie, claim, "in_progress", karim.id))
        visits = await items(marie, "/interventions", reclamation_id=claim["id"])
        assert [(v["technician_id"], v["status"]) for v in visits] == [(karim.id, "in_progress")]


async def test_whoever_wins_between_leaving_and_reassignment_all_say_the_same(
    system: System, marie: Person
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    for _ in range(4):
        claim, visit = await assigned(lea, marie, karim)
        left, reassigned = await asyncio.gather(
            karim.post(f"/interventions/{visit['id']}/moves", {"to": "accepted"}), assign(marie, claim, sofia)
        )
        done(reassigned)
        assert left.status_code in (200, 409), left.text
        await visit_of(sofia, claim)
        assert await is_now(marie, claim, "assigned", sofia.id)
        assert done(await karim.get(f"/interventions/{visit['id']}"))["status"] == "cancelled"


async def test_two_reassignments_at_once_leave_one_technician_with_one_visit(
    system: System, marie: Person
) -> None:
    lea = await system.client()
    karim, sofia, nadia = [await system.technician() for _ in range(3)]
    claim, first = await assigned(lea, marie, karim)
    answers = await asyncio.gather(assign(marie, claim, sofia), assign(marie, claim, nadia))
    for answer in answers:
        done(answer)
    winner = (await claim_of(marie, claim))["technician_id"]
    loser = next(who for who in (sofia, nadia) if who.id != winner)
    assert winner in {sofia.id, nadia.id}

    async def settled() -> bool:
        visits = await items(marie, "/interventions", reclamation_id=claim["id"])
        return {(v["technician_id"], v["status"]) for v in visits} == {
            (karim.id, "cancelled"),
            (loser.id, "cancelled"),
            (winner, "planned"),
        }

    await eventually(settled)
    assert (await loser.get(f"/reclamations/{claim['id']}")).status_code == 404
    assert (await karim.get(f"/interventions/{first['id']}")).status_code == 200


async def test_two_technicians_moves_at_once_are_done_once(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    _, visit = await assigned(lea, marie, karim)
    path = f"/interventions/{visit['id']}/moves"
    answers = await asyncio.gather(
        karim.post(path, {"to": "declined", "reason": "x"}),
        marie.post(path, {"to": "cancelled", "reason": "x"}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    # Planned, its warranty decided, and one of the two moves.
    assert done(await karim.get(f"/interventions/{visit['id']}"))["version"] == 3
