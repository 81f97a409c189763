"""How a réclamation comes to where a test begins, over HTTP."""

from typing import Any

from eventually import eventually
from system import Person

from sav_ops.demo import agreement
from sav_ops.demo.journey import Act, Cast, Player

Json = dict[str, Any]

PLACE: Json = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon", "access_notes": "Code 42B"}


async def opened(client: Person, **fields: Any) -> Json:
    """A réclamation as its client gets it."""
    usual: Json = {"problem_type": "no_heating", "description": "plus de chauffage"}
    if "product_id" not in fields:
        usual |= {"article": "Chaudière", "place": PLACE}
    return done(await client.post("/reclamations", usual | fields), 201)


async def qualified(client: Person, manager: Person, **fields: Any) -> Json:
    """One that a manager may assign, as staff see it."""
    claim = await opened(client, **fields)
    return done(await manager.post(f"/reclamations/{claim['id']}/qualify", {"priority": "high"}))


async def assigned(client: Person, manager: Person, technician: Person) -> tuple[Json, Json]:
    """One that a technician has, and the visit planned for it."""
    claim = await qualified(client, manager)
    claim = done(await assign(manager, claim, technician))
    return claim, await visit_of(technician, claim)


async def assign(manager: Person, claim: Json, technician: Person) -> Any:
    return await manager.post(f"/reclamations/{claim['id']}/assign", {"technician_id": technician.id})


async def visit_of(technician: Person, claim: Json, status: str = "planned") -> Json:
    """The technician's visit for this réclamation, once it is there."""
    [visit, *_] = await eventually(
        lambda: items(technician, "/interventions", reclamation_id=claim["id"], status=status)
    )
    return dict(visit)


async def move(who: Person, visit: Json, *steps: str, reason: str | None = None) -> None:
    """Takes the visit through these states. Its day may be still to come: then setting out needs a reason."""
    for step in steps:
        why = reason or ("convenu avec le client" if step == "en_route" else None)
        done(
            await who.post(
                f"/interventions/{visit['id']}/moves", {"to": step} | ({"reason": why} if why else {})
            )
        )


async def at_work(client: Person, manager: Person, technician: Person) -> Json:
    """A visit that is under way."""
    _, visit = await assigned(client, manager, technician)
    await move(technician, visit, "accepted", "en_route", "on_site", "in_progress")
    return visit


async def reported(client: Person, manager: Person, technician: Person) -> Json:
    """A visit that is completed, with a report that nobody has signed."""
    visit = await at_work(client, manager, technician)
    path = f"/interventions/{visit['id']}"
    work = {"solution": "joint changé", "labour": [{"description": "Pose du joint", "minutes": 30}]}
    done(await technician.ask("PUT", f"{path}/work", json=work))
    await move(technician, visit, "completed")
    written = {"findings": "joint usé", "work_done": "joint changé"}
    done(await technician.ask("PUT", f"{path}/report", json=written))
    return visit


async def signed(client: Person, manager: Person, technician: Person) -> Json:
    """A visit whose report says why its client did not sign."""
    visit = await reported(client, manager, technician)
    refusing = {"refused": "le client était parti"}
    done(await technician.post(f"/interventions/{visit['id']}/report/sign", refusing))
    return visit


async def submitted(client: Person, manager: Person, technician: Person) -> Json:
    """A visit whose report waits for a manager."""
    visit = await signed(client, manager, technician)
    done(await technician.post(f"/interventions/{visit['id']}/report/submit"))
    return visit


async def closed(client: Person, manager: Person, technician: Person) -> Json:
    """A visit whose report was validated."""
    visit = await submitted(client, manager, technician)
    done(await manager.post(f"/interventions/{visit['id']}/report/validate"))
    return visit


async def drafted(client: Person, manager: Person, technician: Person) -> Json:
    """A draft of an invoice that may be issued."""
    visit = await closed(client, manager, technician)
    nobody = {"parts": 0, "labour": 0, "travel": 0, "reason": "hors garantie"}
    done(await manager.post(f"/interventions/{visit['id']}/warranty", nobody))
    [draft] = await eventually(lambda: items(manager, "/invoices", intervention_id=visit["id"]))
    # A warranty was to pay, so no estimate was accepted.
    said = {"buyer_address": "3 rue des Lilas, 69003 Lyon", "above_estimate": "convenu au téléphone"}
    return done(await manager.ask("PATCH", f"/invoices/{draft['id']}", json=said))


async def unbilled(client: Person, manager: Person, technician: Person) -> Json:
    """A visit of which the draft of the invoice was discarded."""
    draft = await drafted(client, manager, technician)
    done(await manager.post(f"/invoices/{draft['id']}/discard", {"reason": "mauvais client"}))
    return done(await manager.get(f"/interventions/{draft['intervention_id']}"))


async def consented(client: Person, manager: Person, technician: Person, visit: Json) -> None:
    """The client accepts the estimate of a visit, an urgent repair: the work may begin at once."""
    marie = voice(manager, "Marie Laurent")
    cast = Cast(voice(client, "Léa Bernard"), voice(technician, "Karim Haddad"), marie, marie)
    await agreement.accepted(cast, visit)


async def estimated(client: Person, manager: Person, technician: Person) -> Json:
    """The draft of an estimate, of a visit that is planned."""
    _, visit = await assigned(client, manager, technician)
    # At a distance: the same client may pay for something else meanwhile.
    written = {
        "nature": "Circulateur à remplacer",
        "lines": agreement.ESTIMATED,
        "setting": "at_distance",
    }
    return done(await technician.post(f"/interventions/{visit['id']}/estimates", written), 201)


async def offered(client: Person, manager: Person, technician: Person) -> Json:
    """An estimate that its client may answer."""
    draft = await estimated(client, manager, technician)
    return done(await manager.post(f"/estimates/{draft['id']}/validate"))


async def agreed(client: Person, manager: Person, technician: Person) -> Json:
    """An estimate that its client accepted, as the manager sees it."""
    sent = await offered(client, manager, technician)
    done(await client.post(f"/estimates/{sent['id']}/accept"))
    return done(await manager.get(f"/estimates/{sent['id']}"))


async def withdrawing(client: Person, manager: Person, technician: Person) -> Json:
    """An estimate from which its client said that they withdraw."""
    agreement = await agreed(client, manager, technician)
    return done(await client.post(f"/estimates/{agreement['id']}/withdraw"))


async def serviced(cast: Cast, product: Json, **measured: Any) -> Json:
    """A service of a unit from its plan to its validated report; 3 ppm of carbon monoxide, unless it says otherwise."""
    visit = await service_planned(cast, product)
    path = f"/interventions/{visit['id']}"
    await cast.technician.does("describes the service", f"PUT {path}/work", service_work(visit, **measured))
    await cast.technician.does("completes it", f"POST {path}/moves", {"to": "completed"})
    written = {"findings": "Encrassée", "work_done": "Nettoyée", "recommendations": "Purger les radiateurs."}
    await cast.technician.does("writes the report", f"PUT {path}/report", written)
    await cast.technician.does("nobody signs", f"POST {path}/report/sign", {"refused": "absent"})
    await cast.technician.does("submits it", f"POST {path}/report/submit")
    await cast.manager.does("validates it", f"POST {path}/report/validate")
    return visit


async def service_planned(cast: Cast, product: Json) -> Json:
    """A service that is under way, as its technician sees it."""
    wanted = {
        "client_id": product["client_id"],
        "product_id": product["id"],
        "purpose": "maintenance",
        "technician_id": cast.technician.id,
    }
    planned = await cast.manager.does("plans a service", "POST /interventions", wanted, status=201)
    path = f"/interventions/{planned['id']}"
    for to in ("accepted", "en_route", "on_site"):
        visit = await cast.technician.does(f"moves it: {to}", f"POST {path}/moves", {"to": to})
    if visit["warranty"]["decision"] != "covered":
        await agreement.accepted(cast, visit)
    return await cast.technician.does("moves it: in_progress", f"POST {path}/moves", {"to": "in_progress"})


def service_work(visit: Json, **measured: Any) -> Json:
    """What a technician says of a service when every task is done."""
    work: Json = {
        "solution": "Entretien annuel",
        "labour": [{"description": "Entretien", "minutes": 60}],
        "tasks": [{"code": task["code"]} for task in visit["tasks"]],
    }
    return work | (measured or {"co_ppm": 3})


async def attested(who: Player, visit: Json) -> Json:
    """The attestation of a service, once its paper is there."""
    path = f"/api/interventions/{visit['id']}/attestation"

    async def made() -> Json | None:
        answer = await who.http.get(path, headers=who.headers())
        found: Json = answer.json()
        return found if answer.status_code == 200 and found["document"] else None

    found = await eventually(made)
    assert found
    return found


def voice(person: Person, name: str) -> Player:
    """The same person, as one who plays the journey."""
    return Player(person.http, name, person.role, person.id, person.token, _unheard)


async def _unheard(act: Act) -> None:
    """Nobody watches."""


async def items(who: Person, path: str, **parameters: Any) -> list[Json]:
    found: list[Json] = done(await who.get(path, **parameters))["items"]
    return found


async def ids(who: Person, path: str, **parameters: Any) -> list[str]:
    return [item["id"] for item in await items(who, path, **parameters)]


async def types(who: Person, claim: Json) -> list[str]:
    """The events that somebody reads in the timeline, without owner and version."""
    entries = await items(who, f"/reclamations/{claim['id']}/timeline")
    return [entry["type"].split(".")[1] for entry in entries]


async def field(who: Person, path: str, name: str) -> Any:
    return done(await who.get(path))[name]


def done(answer: Any, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    told: Json = answer.json()
    return told


def refused(answer: Any, status: int, code: str) -> Json:
    """The problem document."""
    problem: Json = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    return problem


def wrong_fields(answer: Any) -> set[str]:
    """Which fields or parameters a 422 names."""
    return {error["field"] for error in refused(answer, 422, "invalid")["errors"]}
