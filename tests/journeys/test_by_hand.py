"""Visits that are planned by hand: of a réclamation, a further one, and maintenance for none."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import stories
from eventually import eventually
from recipes.catalog import registration
from stories import (
    PLACE,
    Json,
    consented,
    done,
    ids,
    items,
    move,
    qualified,
    refused,
    reported,
    service_work,
    wrong_fields,
)
from system import Person, System
from uuid_utils.compat import uuid7

from sav_ops.demo.journey import BOILER

START = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=10)
SLOT = {"start": START.isoformat(), "end": (START + timedelta(hours=2)).isoformat()}


async def plans(who: Person, **asked: Any) -> Json:
    return done(await who.post("/interventions", asked), 201)


async def booked(who: Person, visit: Json) -> Json:
    """The visit's appointment, once the calendar has it."""
    found = partial(items, who, "/appointments", intervention_id=visit["id"], status="booked")
    [one] = await eventually(found)
    return one


async def timed(who: Person, visit: Json) -> Json | None:
    found = done(await who.get(f"/interventions/{visit['id']}"))
    return found if found["slot"] else None


async def told(who: Person, template: str, reference: str) -> bool:
    found = await items(who, "/notifications", user_id=who.id, limit=100)
    return any(one["template"] == template and reference in one["subject"] for one in found)


async def status(who: Person, claim: Json) -> tuple[str, str | None]:
    found = done(await who.get(f"/reclamations/{claim['id']}"))
    return found["status"], found["technician_id"]


async def test_planning_a_visit_by_hand_assigns_its_technician(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician("Karim Haddad")
    claim = await qualified(lea, marie)
    visit = await plans(
        marie, reclamation_id=claim["id"], technician_id=karim.id, slot=SLOT, outside_hours=True
    )
    assert (visit["status"], visit["reclamation_reference"]) == ("planned", claim["reference"])

    async def assigned() -> bool:
        return await status(marie, claim) == ("assigned", karim.id)

    await eventually(assigned)
    assert (await booked(lea, visit))["technician_id"] == karim.id
    await eventually(partial(timed, karim, visit))
    await move(karim, visit, "accepted")
    # The assignment that followed planned no other one.
    assert await ids(marie, "/interventions", reclamation_id=claim["id"]) == [visit["id"]]
    refused(await marie.post("/interventions", {"reclamation_id": claim["id"]}), 409, "visit_open")

    declined = {"to": "cancelled", "reason": "malade"}
    done(await karim.post(f"/interventions/{visit['id']}/moves", declined))

    async def waits() -> bool:
        return await status(marie, claim) == ("qualified", None)

    await eventually(waits)


async def test_a_technician_plans_a_further_visit_and_the_reclamation_waits_for_it(
    system: System, marie: Person
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician("Sofia")
    first = await reported(lea, marie, karim)
    claim = {"id": first["reclamation_id"]}
    refused(await sofia.post("/interventions", {"reclamation_id": claim["id"]}), 404, "not_found")
    further = await plans(karim, reclamation_id=claim["id"], purpose="diagnostic")
    assert (further["technician_id"], further["follows_id"]) == (karim.id, first["id"])
    assert await ids(karim, "/interventions", follows_id=first["id"]) == [further["id"]]

    path = f"/interventions/{first['id']}/report"
    done(await karim.post(f"{path}/sign", {"refused": "le client était parti"}))
    done(await karim.post(f"{path}/submit"))
    done(await marie.post(f"{path}/validate"))

    async def closed() -> bool:
        return "InterventionClosed" in await stories.types(marie, claim)

    await eventually(closed)
    # A manager gives it a time.
    held = {"intervention_id": further["id"], "technician_id": karim.id, "start": START.isoformat()}
    time = done(await marie.post("/appointments/hold", held | {"outside_hours": True}), 201)
    done(await marie.post("/appointments", {"appointment_id": time["id"]}), 201)
    await eventually(partial(timed, karim, further))
    assert await status(marie, claim) == ("in_progress", karim.id), "it waits for the further visit"
    await move(karim, further, "accepted", "en_route", "on_site", "in_progress")


async def test_maintenance_from_its_planning_to_its_invoice(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician("Karim Haddad")
    boiler = BOILER | {"reference": f"LUM-{str(uuid7())[-12:]}"}
    article = done(await marie.post("/articles", boiler), 201)
    unit = registration({"client_id": lea.id, "article_id": article["id"]})
    product = done(await lea.post("/products", {**unit, "client_id": None}), 201)

    asked = {"client_id": lea.id, "purpose": "maintenance", "technician_id": karim.id}
    refused(await lea.post("/interventions", asked | {"product_id": product["id"]}), 403, "not_allowed")
    refused(await karim.post("/interventions", asked | {"product_id": product["id"]}), 403, "not_allowed")
    paul = await system.client()
    others = {**asked, "client_id": paul.id, "product_id": product["id"]}
    assert wrong_fields(await marie.post("/interventions", others)) == {"product_id"}

    visit = await plans(marie, **asked, product_id=product["id"])
    assert (visit["reclamation_id"], visit["article"]) == (None, article["name"])
    assert visit["warranty"]["why"] == "no_fault"
    name = visit["reference"]
    await eventually(partial(told, karim, "visit_planned", name))
    assert [one["id"] for one in await items(lea, "/interventions", purpose="maintenance")] == [visit["id"]]
    assert await ids(marie, "/interventions", reference=name) == [visit["id"]]
    assert await ids(marie, "/interventions", q=name) == [visit["id"]]

    # Its client chooses the time.
    async def free() -> list[Json]:
        found: list[Json] = done(await lea.get("/slots", intervention_id=visit["id"]))["items"]
        return found

    slot, *_ = await eventually(free)
    assert slot["technician_id"] == karim.id
    wanted = {"intervention_id": visit["id"], "technician_id": karim.id, "start": slot["start"]}
    held = done(await lea.post("/appointments/hold", wanted), 201)
    done(await lea.post("/appointments", {"appointment_id": held["id"]}), 201)
    await eventually(partial(timed, karim, visit))
    since = {"from": slot["start"], "to": slot["end"]}
    assert await ids(lea, "/interventions", **since) == [visit["id"]]

    await move(karim, visit, "accepted", "en_route", "on_site")
    path = f"/interventions/{visit['id']}"
    # No contract pays for it.
    refused(await karim.post(f"{path}/moves", {"to": "in_progress"}), 409, "estimate_missing")
    await consented(lea, marie, karim, visit)
    await move(karim, visit, "in_progress")
    work = service_work(done(await karim.get(path)))
    done(await karim.ask("PUT", f"{path}/work", json=work))
    await move(karim, visit, "completed")
    done(await karim.ask("PUT", f"{path}/report", json={"findings": "encrassée", "work_done": "nettoyée"}))
    done(await karim.post(f"{path}/report/sign", {"refused": "le client était parti"}))
    done(await karim.post(f"{path}/report/submit"))
    await eventually(partial(told, marie, "report_to_validate", name))
    done(await marie.post(f"{path}/report/validate"))
    [draft] = await eventually(partial(items, marie, "/invoices", intervention_id=visit["id"]))
    assert (draft["reclamation_id"], draft["status"]) == (None, "draft")
    [asked_how] = await eventually(partial(items, lea, "/feedback", intervention_id=visit["id"]))
    assert asked_how["reclamation_id"] is None
    done(await lea.post(f"{path}/feedback", {"rating": 5}))
    await eventually(partial(told, lea, "report_available", name))
    assert done(await lea.get(f"{path}/report"))["reclamation_id"] is None


async def test_a_closed_door_at_an_installation_is_followed_by_another_visit(
    system: System, marie: Person
) -> None:
    lea, karim = await system.client(), await system.technician()
    visit = await plans(
        marie,
        client_id=lea.id,
        purpose="install",
        article="Ballon thermodynamique 200 L",
        place=PLACE,
        technician_id=karim.id,
        slot=SLOT,
        outside_hours=True,
    )
    await booked(lea, visit)
    await move(karim, visit, "accepted", "en_route", "on_site")
    await move(karim, visit, "no_access", reason="personne")
    [again] = await items(marie, "/interventions", follows_id=visit["id"])
    assert (again["reference"], again["article"]) == (visit["reference"], "Ballon thermodynamique 200 L")
    held = {"intervention_id": again["id"], "technician_id": karim.id, "start": START.isoformat()}

    async def off() -> bool:
        # Nobody had to be there days before the time that they were promised.
        [time] = await items(marie, "/appointments", intervention_id=visit["id"])
        return bool(time["status"] == "cancelled")

    await eventually(off)
    time = done(await marie.post("/appointments/hold", held | {"outside_hours": True}), 201)
    done(await marie.post("/appointments", {"appointment_id": time["id"]}), 201)
    await eventually(partial(timed, lea, again))
