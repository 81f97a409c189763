"""A client chooses when somebody comes, and thereby who."""

import asyncio
from typing import Any

from eventually import eventually
from stories import done, ids, items, qualified, refused
from system import Person, System

Json = dict[str, Any]


async def slot_of(who: Person, claim: Json, technician: Person) -> Json:
    """The first time of this technician that is free."""

    async def look() -> Json | None:
        answer = await who.get("/slots", reclamation_id=claim["id"], technician_id=technician.id)
        return next(iter(done(answer)["items"]), None)

    return await eventually(look)


async def hold(who: Person, claim: Json, slot: Json) -> Any:
    wanted = {"reclamation_id": claim["id"], "technician_id": slot["technician_id"], "start": slot["start"]}
    return await who.post("/appointments/hold", wanted)


async def test_booking_a_time_assigns_its_technician_and_plans_one_visit(
    system: System, marie: Person
) -> None:
    lea, karim = await system.client(), await system.technician("Karim Haddad")
    claim = await qualified(lea, marie)
    slot = await slot_of(lea, claim, karim)
    held = done(await hold(lea, claim, slot), 201)
    assert (held["status"], held["technician_id"]) == ("held", karim.id)
    booked = done(await lea.post("/appointments", {"appointment_id": held["id"]}), 201)
    assert (booked["id"], booked["status"]) == (held["id"], "booked")

    async def timed() -> list[Json]:
        visits = await items(karim, "/interventions", reclamation_id=claim["id"])
        return [one for one in visits if one["slot"]]

    [visit] = await eventually(timed)
    assert visit["slot"]["start"] == slot["start"]

    async def linked() -> bool:
        return bool(done(await lea.get(f"/appointments/{held['id']}"))["intervention_id"] == visit["id"])

    await eventually(linked)
    assert await ids(marie, "/appointments", reclamation_id=claim["id"]) == [held["id"]]
    assert done(await lea.get(f"/reclamations/{claim['id']}"))["technician_id"] == karim.id


async def test_of_many_who_want_one_time_one_gets_it_and_the_others_are_told(
    system: System, marie: Person
) -> None:
    karim = await system.technician("Karim Haddad")
    people = [await system.client() for _ in range(5)]
    claims = [await qualified(who, marie) for who in people]
    slot = await slot_of(people[0], claims[0], karim)
    answers = await asyncio.gather(
        *(hold(who, claim, slot) for who, claim in zip(people, claims, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "slot_taken")


async def test_nobody_plans_for_what_is_not_theirs_or_not_qualified(system: System, marie: Person) -> None:
    lea, paul, karim = await system.client(), await system.client(), await system.technician()
    claim = await qualified(lea, marie)
    slot = await slot_of(lea, claim, karim)
    refused(await paul.get("/slots", reclamation_id=claim["id"]), 404, "not_found")
    refused(await hold(paul, claim, slot), 404, "not_found")
    refused(await hold(karim, claim, slot), 403, "not_allowed")
    held = done(await hold(lea, claim, slot), 201)
    refused(await paul.post("/appointments", {"appointment_id": held["id"]}), 404, "not_found")
    assert await ids(paul, "/appointments") == []
