"""200 acts of a technician's day in one batch, and as 200 calls."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from ground import Ground
from harness import Aim, Contender, Figures, Measured, interleaved
from people import connection, token
from uuid_utils.compat import uuid7

from sav_chassis.settings import Settings
from sav_contracts.actor import Role

VISITS = 25
SINGLE = "200 single calls, one after the other"
VISIT = """
INSERT INTO intervention (id, version, created_at, updated_at, client_id, technician_id, reclamation_id,
    reclamation_reference, status, assignment, reported_at)
VALUES ($1, 1, $2, $2, $3, $4, $5, $6, 'planned', 1, $2)"""
WORK = {
    "solution": "Circulateur remplacé, circuit purgé, remis en pression.",
    "labour": [{"description": "Remplacement du circulateur et purge", "minutes": 75}],
    "travel_km": "12.5",
    "readings": {"Pression": "1,5 bar", "Température de départ": "58 °C"},
}
REPORT = {
    "findings": "Circulateur bloqué, pas de circulation dans le circuit de chauffage.",
    "work_done": "Circulateur remplacé, circuit purgé et remis en pression.",
}
REFUSED = {"refused": "La cliente veut d'abord relire le rapport."}
# Of one visit: the name in a batch, the call, what is sent.
STEPS: list[tuple[str, str, dict[str, Any]]] = [
    *(("move", "POST /moves", {"to": to}) for to in ("accepted", "en_route", "on_site", "in_progress")),
    ("work", "PUT /work", WORK),
    ("move", "POST /moves", {"to": "completed"}),
    ("report", "PUT /report", REPORT),
    ("sign", "POST /report/sign", REFUSED),
]


async def measure(settings: Settings, rounds: int) -> Measured:
    """Seconds until all is done, over HTTP, with RabbitMQ and the read model."""
    me = UUID(str(uuid7()))
    ground = await Ground.fresh(settings, "offline")
    headers = {
        "Authorization": f"Bearer {token(settings, me, Role.TECHNICIAN)}",
        "Content-Type": "application/json",
    }

    async def run(batch: bool) -> Figures:
        visits = await planned(ground.settings, me)
        async with ground.rooms("interventions", "edge"):
            base = f"http://127.0.0.1:{ground.settings.edge_port}/api/interventions"
            async with httpx.AsyncClient(base_url=base, timeout=60, headers=headers) as http:
                acts = day(visits)
                began = time.perf_counter()
                done = await (at_once(http, acts) if batch else one_by_one(http, visits))
                lasted = time.perf_counter() - began
        if done != len(acts):
            raise RuntimeError(f"only {done} of {len(acts)} acts were done")
        return {"acts/s": done / lasted, "s": lasted}

    async def ours() -> Figures:
        return await run(batch=True)

    async def single() -> Figures:
        return await run(batch=False)

    measured = await interleaved(
        "A day's acts from a phone",
        [Contender("SAV, one batch", ours), Contender(SINGLE, single)],
        [Aim("acts/s", 3, "least", against=SINGLE)],
        rounds,
    )
    measured.notes.append(
        "`POST /api/interventions/batch` of 200 acts, 8 of each of 25 visits, each in a savepoint of one transaction, "
        "against the call of each act on one connection. The answer waits until the read model shows everything."
    )
    return measured


async def planned(settings: Settings, technician: UUID) -> list[UUID]:
    """New visits of this technician."""
    now, ids = datetime.now(UTC), [UUID(str(uuid7())) for _ in range(VISITS)]
    async with connection(settings, "interventions") as rows:
        for number, id in enumerate(ids):
            claim = UUID(str(uuid7()))
            await rows.execute(VISIT, id, now, claim, technician, claim, f"REC-2026-{number:06}")
    return ids


def day(visits: list[UUID]) -> list[dict[str, Any]]:
    """The acts of all visits, one visit after the other."""
    began = datetime.now(UTC) - timedelta(hours=8)
    steps = [(visit, name, fields) for visit in visits for name, _, fields in STEPS]
    return [
        {
            "id": str(uuid7()),
            "at": (began + timedelta(minutes=2 * number)).isoformat(),
            name: {"intervention_id": str(visit)} | fields,
        }
        for number, (visit, name, fields) in enumerate(steps)
    ]


async def at_once(http: httpx.AsyncClient, acts: list[dict[str, Any]]) -> int:
    """How many of them were done."""
    answer = await http.post("/batch", json={"acts": acts})
    answer.raise_for_status()
    return sum(act["outcome"] == "done" for act in answer.json()["acts"])


async def one_by_one(http: httpx.AsyncClient, visits: list[UUID]) -> int:
    done = 0
    for visit in visits:
        for _, call, fields in STEPS:
            method, path = call.split(" ")
            answer = await http.request(method, f"/{visit}{path}", json=fields)
            answer.raise_for_status()
            done += 1
    return done
