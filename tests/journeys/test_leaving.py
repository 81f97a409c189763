"""A technician who takes no visits any more, over HTTP: what is freed, who decides, and when clients are told."""

from datetime import datetime
from typing import Any

from eventually import eventually
from stories import PLACE, Json, assign, at_work, done, items, move, qualified, refused, reported, visit_of
from system import Person, System


async def given_a_time(marie: Person, claim: Json, technician: Person, slot: Json) -> Json:
    """Its visit, which is in the calendar."""
    wanted = {"technician_id": technician.id, "slot": slot}
    done(await marie.post(f"/reclamations/{claim['id']}/assign", wanted))
    visit = await visit_of(technician, claim)
    await eventually(lambda: standing(technician))
    return visit


async def standing(technician: Person) -> list[Json]:
    """What is booked with them."""
    return await items(technician, "/appointments", status="booked")


async def free(marie: Person, technician: Person) -> Json:
    """A time of theirs that is some days ahead."""
    slots = done(await marie.get("/slots", technician_id=technician.id))["items"]
    return {"start": slots[-1]["start"], "end": slots[-1]["end"]}


async def told(who: Person, template: str) -> list[Json]:
    found = await items(who, "/notifications", user_id=who.id, limit=50)
    return [one for one in found if one["template"] == template]


async def conflict_of(marie: Person, claim: Json, **wanted: Any) -> Json:
    async def there() -> Json | None:
        found = await items(marie, "/conflicts", reclamation_id=claim["id"], **wanted)
        return found[0] if found else None

    return await eventually(there)


async def test_who_is_set_inactive_keeps_no_visit_and_clients_are_told_once_it_is_settled(
    system: System, marie: Person
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    await eventually(lambda: marie.get(f"/technicians/{karim.id}/hours"))
    claim = await qualified(lea, marie)
    slot = await free(marie, karim)
    visit = await given_a_time(marie, claim, karim, slot)
    await eventually(lambda: told(lea, "appointment_booked"), 30)

    path = f"/technicians/{karim.id}"
    off = done(await marie.ask("PATCH", path, json={"active": False, "skills": ["gas", "heating"]}))
    assert (off["active"], off["skills"]) == (False, ["heating", "gas"])
    conflict = await conflict_of(marie, claim, status="open")
    assert (conflict["problem"], conflict["intervention_id"]) == ("technician_left", visit["id"])
    assert datetime.fromisoformat(conflict["wanted"]["start"]) == datetime.fromisoformat(slot["start"])
    assert karim.id not in {one["technician_id"] for one in conflict["alternatives"]}
    assert await standing(karim) == []
    assert len(await items(lea, "/appointments", status="booked")) == 1, "as long as nobody has decided"
    await eventually(lambda: told(marie, "technician_left"), 30)
    assert not [one for one in await told(marie, "visit_conflict") if one["about_id"] == conflict["id"]]
    refused(await assign(marie, await qualified(lea, marie), karim), 409, "technician_unavailable")
    refused(await karim.post(f"/interventions/{visit['id']}/moves", {"to": "accepted"}), 409,
            "technician_unavailable")  # fmt: skip

    wanted = {"technician_id": sofia.id, "slot": slot}
    resolved = done(await marie.post(f"/conflicts/{conflict['id']}/resolve", wanted))
    assert resolved["status"] == "resolved"
    await move(sofia, await visit_of(sofia, claim), "accepted")

    async def again() -> bool:
        return len(await standing(sofia)) == 1

    await eventually(again)

    async def told_who_comes() -> bool:
        every = await told(lea, "appointment_booked")
        return [one["status"] for one in every] == ["kept_locally"] * 2

    await eventually(told_who_comes, 30)
    [booked] = await items(lea, "/appointments", status="booked")
    assert booked["technician_id"] == sofia.id


async def test_who_is_set_active_again_has_their_visit_as_before(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    await eventually(lambda: marie.get(f"/technicians/{karim.id}/hours"))
    claim = await qualified(lea, marie)
    await given_a_time(marie, claim, karim, await free(marie, karim))
    path = f"/technicians/{karim.id}"
    done(await marie.ask("PATCH", path, json={"active": False}))
    await conflict_of(marie, claim, status="open")
    assert await standing(karim) == []
    done(await marie.ask("PATCH", path, json={"active": True}))
    await conflict_of(marie, claim, status="moot")
    await eventually(lambda: standing(karim))
    assert len(await items(lea, "/appointments", status="booked")) == 1
    assert await told(lea, "appointment_cancelled") == []


async def test_a_visit_without_a_reclamation_goes_to_whom_a_manager_chooses(
    system: System, marie: Person
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    await eventually(lambda: marie.get(f"/technicians/{karim.id}/hours"))
    service = {
        "client_id": lea.id,
        "purpose": "maintenance",
        "article": "Chaudière",
        "place": PLACE,
        "technician_id": karim.id,
        "slot": await free(marie, karim),
    }
    visit = done(await marie.post("/interventions", service), 201)
    await eventually(lambda: standing(karim))
    await eventually(lambda: told(lea, "appointment_booked"), 30)
    done(await marie.ask("PATCH", f"/technicians/{karim.id}", json={"active": False}))
    [conflict] = await eventually(
        lambda: items(marie, "/conflicts", intervention_id=visit["id"], status="open")
    )
    assert (conflict["problem"], conflict["reclamation_id"]) == ("technician_left", None)
    assert await standing(karim) == []
    wanted = {"technician_id": sofia.id, "slot": service["slot"]}
    done(await marie.post(f"/conflicts/{conflict['id']}/resolve", wanted))
    [theirs] = await eventually(lambda: items(sofia, "/interventions", status="planned"))
    assert (theirs["purpose"], theirs["reference"]) == ("maintenance", visit["reference"])
    await eventually(lambda: standing(sofia))
    [booked] = await items(lea, "/appointments", status="booked")
    assert booked["technician_id"] == sofia.id


async def finished(marie: Person, visit: Json) -> None:
    """Somebody writes its report in place of its technician, and a manager validates it."""
    path = f"/interventions/{visit['id']}/report"
    done(await marie.ask("PUT", path, json={"findings": "joint usé", "work_done": "joint changé"}))
    done(await marie.post(f"{path}/sign", {"refused": "rédigé après le départ du technicien"}))
    done(await marie.post(f"{path}/submit"))
    done(await marie.post(f"{path}/validate"))


async def test_what_a_deactivated_technician_left_behind_is_finished_and_billed(
    system: System, marie: Person
) -> None:
    lea, karim, sofia, alex = (
        await system.client(),
        await system.technician(),
        await system.technician(),
        await system.admin(),
    )
    over = await reported(lea, marie, karim)
    begun = await at_work(await system.client(), marie, karim)
    path = f"/interventions/{over['id']}"
    refused(await marie.post(f"{path}/report/submit"), 409, "technician_writes")
    done(await alex.post(f"/users/{karim.id}/deactivate"))
    await eventually(lambda: is_inactive(marie, karim))

    refused(await sofia.ask("PUT", f"{path}/report", json={"findings": "?"}), 404, "not_found")
    refused(await lea.ask("PUT", f"{path}/report", json={"findings": "?"}), 403, "not_allowed")
    await finished(marie, over)
    report = done(await marie.get(f"{path}/report"))
    assert (report["status"], report["written_by_id"]) == ("validated", None), "Karim had written the same"
    paid = {"parts": 0, "labour": 0, "travel": 0, "reason": "hors garantie"}
    done(await marie.post(f"{path}/warranty", paid))
    await eventually(lambda: items(marie, "/invoices", intervention_id=over["id"]))

    ends = {"to": "incomplete", "cause": "technician_unavailable"}
    done(await marie.post(f"/interventions/{begun['id']}/moves", ends))
    follow_ups = await eventually(lambda: items(marie, "/interventions", follows_id=begun["id"]))
    [conflict] = await eventually(
        lambda: items(marie, "/conflicts", intervention_id=follow_ups[0]["id"], status="open")
    )
    way = next(one for one in conflict["alternatives"] if one["technician_id"] != karim.id)
    chosen = {
        "technician_id": way["technician_id"],
        "slot": {"start": way["start"], "end": way["end"]},
    }
    done(await marie.post(f"/conflicts/{conflict['id']}/resolve", chosen))

    async def another_goes() -> bool:
        claim = done(await marie.get(f"/reclamations/{begun['reclamation_id']}"))
        return bool(claim["technician_id"] == way["technician_id"])

    await eventually(another_goes, 30)


async def is_inactive(marie: Person, technician: Person) -> bool:
    return not done(await marie.get(f"/technicians/{technician.id}"))["active"]


async def test_only_managers_and_admins_change_a_technician(system: System, marie: Person) -> None:
    karim, admin = await system.technician(), await system.admin()
    path = f"/technicians/{karim.id}"
    refused(await karim.ask("PATCH", path, json={"active": False}), 403, "not_allowed")
    assert done(await admin.ask("PATCH", path, json={"zone": ["69"]}))["zone"] == ["69"]
    done(await marie.ask("PATCH", path, json={"skills": ["gas"]}))
    assert karim.id in {one["id"] for one in await items(marie, "/technicians", skills="gas", limit=200)}
