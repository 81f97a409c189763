"""How a réclamation comes to where a test begins, over HTTP."""

from typing import Any

from eventually import eventually
from system import Person

Json = dict[str, Any]


async def opened(client: Person, **fields: Any) -> Json:
    """A réclamation as its client gets it."""
    usual = {"article": "Chaudière", "problem_type": "no_heating", "description": "plus de chauffage"}
    return done(await client.post("/reclamations", usual | fields), 201)


async def qualified(client: Person, manager: Person) -> Json:
    """One that a manager may assign, as staff see it."""
    claim = await opened(client)
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
    """Takes the visit through these states."""
    for step in steps:
        done(
            await who.post(
                f"/interventions/{visit['id']}/moves", {"to": step} | ({"reason": reason} if reason else {})
            )
        )


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
