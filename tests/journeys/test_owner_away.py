"""A service that is down: its commands are told so, nothing else stops, and nothing is done behind anybody's back."""

import asyncio
import time

from eventually import eventually
from stories import PLACE, assigned, done, ids, items, move, opened, refused, visit_of
from system import Person, System, in_a_hurry

OPENING = {"article": "Ballon", "problem_type": "no_hot_water", "description": "eau froide", "place": PLACE}


async def test_an_unanswered_command_times_out_and_is_never_done_later(system: System, marie: Person) -> None:
    lea = await system.client()
    known = await opened(lea)
    await system.stop("claims")
    try:
        reading = asyncio.create_task(items(lea, "/reclamations"))
        async with in_a_hurry(system, lea) as hurried:
            started = time.monotonic()
            answer = await hurried.post("/reclamations", OPENING, key="while it was down")
            took = time.monotonic() - started
        assert [claim["id"] for claim in await reading] == [known["id"]]
        assert done(await marie.get(f"/reclamations/{known['id']}"))["reference"] == known["reference"]
    finally:
        await system.start("claims")
    refused(answer, 504, "outcome_unknown")
    assert answer.headers["idempotency-key"] == "while it was down"
    assert 2 <= took < 4

    # Whatever had waited in its queue would have been done before this one.
    later = await opened(lea)
    assert await ids(lea, "/reclamations") == [later["id"], known["id"]]
    logged = await system.sql(
        "claims", "SELECT count(*) AS n FROM event_log WHERE actor_id = $1 AND kind = 'reclamation'", lea.id
    )
    assert logged[0]["n"] == 2


async def test_other_services_work_while_one_is_down_and_it_catches_up(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    await system.stop("claims")
    try:
        await move(karim, visit, "accepted", "en_route", "on_site", "in_progress")
        newcomer = await system.client()
        assert done(await newcomer.get("/me"))["email"] == newcomer.email
        assert done(await lea.get(f"/reclamations/{claim['id']}"))["status"] == "assigned"
    finally:
        await system.start("claims")
    await eventually(lambda: has_status(lea, claim["id"], "in_progress"))
    await eventually(lambda: ids(newcomer, "/clients"))


async def has_status(who: Person, id: str, status: str) -> bool:
    return bool(done(await who.get(f"/reclamations/{id}"))["status"] == status)


async def test_a_technician_is_assigned_while_interventions_is_down(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    first, _ = await assigned(lea, marie, karim)
    claim = await opened(lea)
    done(await marie.post(f"/reclamations/{claim['id']}/qualify", {"priority": "low"}))
    await system.stop("interventions")
    try:
        done(await marie.post(f"/reclamations/{claim['id']}/assign", {"technician_id": karim.id}))
        assert await ids(karim, "/interventions", reclamation_id=claim["id"]) == []
        assert len(await ids(karim, "/interventions", reclamation_id=first["id"])) == 1
    finally:
        await system.start("interventions")
    assert (await visit_of(karim, claim))["client_id"] == lea.id
