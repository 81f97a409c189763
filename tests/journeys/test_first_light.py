"""A réclamation crosses three services and comes back through the edge."""

from typing import Any

from eventually import eventually
from stories import PLACE
from system import Person, System

CLIENT_READS = [
    "claims.ReclamationCreated.v1",
    "claims.ReclamationQualified.v1",
    "claims.TechnicianAssigned.v1",
    "interventions.InterventionPlanned.v1",
    "interventions.WarrantyDecided.v1",
    "claims.TechnicianAssigned.v1",
    "interventions.InterventionMoved.v1",  # the first visit is cancelled
    "interventions.InterventionPlanned.v1",
    "interventions.WarrantyDecided.v1",
    "interventions.InterventionMoved.v1",  # on the way
    "interventions.InterventionMoved.v1",  # on site
    "interventions.InterventionStarted.v1",
    "claims.ReclamationMoved.v1",
]


async def test_from_sign_up_to_work_in_progress(system: System) -> None:
    lea, marie = await system.client(), await system.manager()
    karim, sofia = await system.technician("Karim Haddad"), await system.technician("Sofia Martin")

    profiles = await eventually(lambda: items(lea, "/clients"))
    assert [profile["id"] for profile in profiles] == [lea.id]

    opened = await lea.post(
        "/reclamations",
        {
            "article": "Chaudière",
            "problem_type": "no_heating",
            "description": "plus de chauffage",
            "place": PLACE,
        },
    )
    assert opened.status_code == 201
    claim = opened.json()
    path = f"/reclamations/{claim['id']}"
    assert opened.headers["location"] == f"/api{path}"

    listed = await items(marie, "/reclamations", status="submitted", client_id=lea.id)
    assert [one["id"] for one in listed] == [claim["id"]]
    assert (await marie.post(f"{path}/qualify", {"priority": "high"})).status_code == 200

    assert (await marie.post(f"{path}/assign", {"technician_id": sofia.id})).status_code == 200
    [first] = await eventually(lambda: items(sofia, "/interventions", status="planned"))
    assert first["reclamation_reference"] == claim["reference"]

    assert (await marie.post(f"{path}/assign", {"technician_id": karim.id})).status_code == 200
    [visit] = await eventually(lambda: items(karim, "/interventions", status="planned"))
    [moved] = await eventually(lambda: items(sofia, "/interventions", status="cancelled"))
    assert moved["id"] == first["id"]
    assert (await sofia.get(path)).status_code == 404
    assert (await sofia.post(f"/interventions/{visit['id']}/moves", {"to": "accepted"})).status_code == 404

    for step in ("accepted", "en_route", "on_site", "in_progress"):
        moved_on = await karim.post(f"/interventions/{visit['id']}/moves", {"to": step})
        assert moved_on.status_code == 200, moved_on.text
        assert (await karim.get(f"/interventions/{visit['id']}")).json()["status"] == step

    await eventually(lambda: has_status(lea, path, "in_progress"))
    assert await types(lea, path) == CLIENT_READS
    accepted_too = [*CLIENT_READS[:9], "interventions.InterventionMoved.v1", *CLIENT_READS[9:]]
    assert await types(marie, path) == accepted_too
    # Karim reads the réclamation's history and his own visit's, not Sofia's.
    assert await types(karim, path) == [
        accepted_too[n] for n in range(len(accepted_too)) if n not in (3, 4, 6)
    ]
    assert (await sofia.get(f"{path}/timeline")).status_code == 404


async def items(who: Person, path: str, **parameters: Any) -> list[Any]:
    answer = await who.get(path, **parameters)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def has_status(who: Person, path: str, status: str) -> bool:
    return bool((await who.get(path)).json()["status"] == status)


async def types(who: Person, path: str) -> list[str]:
    return [entry["type"] for entry in await items(who, f"{path}/timeline")]
