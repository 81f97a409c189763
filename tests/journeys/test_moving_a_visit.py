"""A visit that was booked is moved, called off, and given to another technician: everybody concerned reads the same."""

from functools import partial
from typing import Any

from eventually import eventually
from stories import done, items, qualified, refused
from system import Person, System

Json = dict[str, Any]


async def free(who: Person, technician: Person, nth: int = -1) -> str:
    """A time of this technician that is free, one of the last that can be chosen."""

    async def look() -> list[Json]:
        return list(done(await who.get("/slots", technician_id=technician.id))["items"])

    start: str = (await eventually(look))[nth]["start"]
    return start


async def booked(system: System, lea: Person, marie: Person, karim: Person) -> Json:
    """Léa's appointment with Karim, whose visit is planned."""
    claim = await qualified(lea, marie)
    start = await free(marie, karim)
    wanted = {"reclamation_id": claim["id"], "technician_id": karim.id, "start": start}
    held = done(await lea.post("/appointments/hold", wanted), 201)
    done(await lea.post("/appointments", {"appointment_id": held["id"]}), 201)

    async def linked() -> Json | None:
        found: Json = done(await lea.get(f"/appointments/{held['id']}"))
        return found if found["intervention_id"] else None

    return await eventually(linked)


async def visit(who: Person, claim: str, status: str = "planned") -> Json | None:
    [*found] = await items(who, "/interventions", reclamation_id=claim, status=status)
    return found[0] if found else None


async def test_a_visit_follows_its_appointment(system: System, marie: Person) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    appointment = await booked(system, lea, marie, karim)
    claim, path = appointment["reclamation_id"], f"/appointments/{appointment['id']}"

    # She moves it.
    later = await free(marie, karim, -20)
    moved = done(await lea.post(f"{path}/reschedule", {"start": later}))
    assert (moved["id"], moved["uid"], moved["sequence"]) == (appointment["id"], appointment["uid"], 1)

    async def at(start: str, who: Person) -> bool:
        found = await visit(who, claim)
        return bool(found and found["slot"] and found["slot"]["start"] == start)

    await eventually(partial(at, later, karim))

    # A manager gives it to Sofia.
    given = {"start": later, "technician_id": sofia.id, "reason": "Karim est en formation."}
    done(await marie.post(f"{path}/reschedule", given))
    await eventually(partial(at, later, sofia))
    assert await eventually(partial(visit, karim, claim, "cancelled"))
    assert done(await lea.get(f"/reclamations/{claim}"))["technician_id"] == sofia.id

    async def hers() -> bool:
        found = done(await marie.get(path))
        return bool(found["technician_id"] == sofia.id and found["intervention_id"])

    await eventually(hers)
    refused(await karim.post(f"{path}/cancel", {"reason": "Congé."}), 404, "not_found")

    # She calls it off: the visit waits for another time.
    done(await lea.post(f"{path}/cancel", {}))

    async def without_time() -> bool:
        found = await visit(sofia, claim)
        return found is not None and found["slot"] is None

    await eventually(without_time)
    texts = {line["text"] for line in await items(lea, f"/reclamations/{claim}/timeline")}
    assert {"Le rendez-vous est déplacé", "Le rendez-vous est annulé"} <= texts
