"""A service of a boiler: its tasks, what is measured, the attestation, and when the next one is due."""

from datetime import date, timedelta
from functools import partial

import pytest
import stories
from eventually import eventually
from papers import text_of
from stories import Json, done, items, refused, voice
from system import Person, System

from sav_ops.demo import journey
from sav_ops.demo.journey import Cast


@pytest.fixture
async def people(system: System, marie: Person) -> tuple[Person, Person]:
    """Léa and Karim."""
    return await system.client(), await system.technician("Karim Haddad")


def cast_of(people: tuple[Person, Person], marie: Person) -> Cast:
    client, technician = people
    manager = voice(marie, "Marie Laurent")
    return Cast(voice(client, "Léa Bernard"), voice(technician, "Karim Haddad"), manager, manager)


async def test_a_service_is_attested_and_its_unit_says_when_the_next_one_is_due(
    system: System, marie: Person, people: tuple[Person, Person]
) -> None:
    client, technician = people
    cast, stranger = cast_of(people, marie), await system.client()
    unit = (await journey.registered(cast, bought=date.today() - timedelta(days=400))).product
    assert unit["next_service_due"] is not None
    visit = await stories.service_planned(cast, unit)
    path = f"/interventions/{visit['id']}"
    assert {"measure_co", "check_flue"} <= {task["code"] for task in visit["tasks"]}

    unmeasured = stories.service_work(visit, readings={"Rendement": "94 %"})
    done(await technician.ask("PUT", f"{path}/work", json=unmeasured | {"tasks": unmeasured["tasks"][1:]}))
    refused(await technician.post(f"{path}/moves", {"to": "completed"}), 409, "tasks_open")
    done(await technician.ask("PUT", f"{path}/work", json=unmeasured))
    refused(await technician.post(f"{path}/moves", {"to": "completed"}), 409, "reading_missing")
    done(await technician.ask("PUT", f"{path}/work", json=unmeasured | {"co_ppm": 12}))
    await stories.move(technician, visit, "completed")
    await eventually(lambda: templates(client, "co_found", visit))

    async def required() -> bool:
        return (await technician.get(f"{path}/attestation")).status_code == 200

    await eventually(required)
    refused(await client.get(f"{path}/attestation"), 404, "not_found")
    await reported(technician, marie, visit)
    made = await stories.attested(cast.client, visit)
    paper = await client.get(f"{path}/attestation.pdf")
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    said = text_of(paper.content)
    for words in ("Attestation d’entretien", unit["serial"], "12 ppm", "94 %", "Karim Haddad"):
        assert words in said, said
    for who in (technician, marie):
        assert (await who.get(f"{path}/attestation.pdf")).content == paper.content
    refused(await stranger.get(f"{path}/attestation.pdf"), 404, "not_found")
    refused(await (await system.technician()).get(f"{path}/attestation.pdf"), 404, "not_found")

    async def serviced() -> Json | None:
        found = done(await client.get(f"/products/{unit['id']}"))
        return found if found["serviced_on"] else None

    found = await eventually(serviced)
    assert found
    assert found["serviced_on"] == made["serviced_on"]
    assert found["next_service_due"] == made["attested"]["next_service_due"]
    assert "AttestationMade" in await lines(client, unit)
    # A visit without a réclamation has its history too.
    history = await items(client, f"{path}/timeline")
    assert "Les travaux sont terminés" in [one["text"] for one in history]
    refused(await stranger.get(f"{path}/timeline"), 404, "not_found")
    await eventually(lambda: templates(client, "attestation_available", made))


async def test_much_carbon_monoxide_stops_the_appliance_and_is_told_at_once(
    marie: Person, people: tuple[Person, Person]
) -> None:
    client, technician = people
    cast = cast_of(people, marie)
    unit = (await journey.registered(cast, bought=date.today() - timedelta(days=400))).product
    visit = await stories.service_planned(cast, unit)
    path = f"/interventions/{visit['id']}"
    done(await technician.ask("PUT", f"{path}/work", json=stories.service_work(visit, co_ppm=80)))
    for who, template in ((client, "co_found"), (marie, "co_dangerous")):
        await eventually(partial(templates, who, template, visit))
    refused(await technician.post(f"{path}/moves", {"to": "completed"}), 409, "air_is_dangerous")
    other = {"to": "incomplete", "cause": "parts"}
    refused(await technician.post(f"{path}/moves", other), 409, "air_is_dangerous")
    done(await technician.post(f"{path}/moves", {"to": "incomplete", "cause": "stopped_for_safety"}))
    assert {"CarbonMonoxideFound", "InterventionMoved"} <= set(await lines(client, unit))

    [again] = await items(technician, "/interventions", product_id=unit["id"], status="planned")
    await stories.move(technician, again, "accepted", "en_route", "on_site", "in_progress")
    sealed = stories.service_work(visit, co_not_measured="sealed")
    done(await technician.ask("PUT", f"/interventions/{again['id']}/work", json=sealed))
    moves = f"/interventions/{again['id']}/moves"
    refused(await technician.post(moves, {"to": "completed"}), 409, "measure_again")
    done(
        await technician.ask(
            "PUT", f"/interventions/{again['id']}/work", json=stories.service_work(visit, co_ppm=2)
        )
    )
    done(await technician.post(moves, {"to": "completed"}))


async def reported(technician: Person, manager: Person, visit: Json) -> None:
    path = f"/interventions/{visit['id']}"
    written = {"findings": "Encrassée", "work_done": "Nettoyée", "recommendations": "Purger les radiateurs."}
    done(await technician.ask("PUT", f"{path}/report", json=written))
    done(await technician.post(f"{path}/report/sign", {"refused": "absent"}))
    done(await technician.post(f"{path}/report/submit"))
    done(await manager.post(f"{path}/report/validate"))


async def templates(who: Person, template: str, about: Json) -> bool:
    """Whether they were told this of the record."""
    told = await items(who, "/notifications", about_id=about["id"], user_id=who.id)
    return any(one["template"] == template for one in told)


async def lines(who: Person, unit: Json) -> list[str]:
    found = await items(who, f"/products/{unit['id']}/timeline", limit=200)
    return [one["type"].split(".")[1] for one in found]
