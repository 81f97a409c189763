"""200 réclamations qualified by one command, and by 200 commands."""

import time
from uuid import UUID, uuid4

import httpx
from ground import Ground
from harness import Aim, Contender, Figures, Measured, interleaved
from people import OPENING, client_of_claims, token
from uuid_utils.compat import uuid7

from sav_chassis.settings import Settings
from sav_contracts.actor import Role

NUMBER = 200
SINGLE = "200 single commands, one after the other"


async def measure(settings: Settings, rounds: int) -> Measured:
    """Seconds until all are qualified, over HTTP, with RabbitMQ and the read model."""
    me = UUID(str(uuid7()))
    ground = await Ground.fresh(settings, "triage")
    await client_of_claims(ground.settings, me)
    clients, managers = token(settings, me), token(settings, uuid4(), Role.MANAGER)

    async def opened(http: httpx.AsyncClient) -> list[str]:
        ids = []
        for _ in range(NUMBER):
            answer = await http.post("/api/reclamations", content=OPENING, headers=_by(clients))
            answer.raise_for_status()
            ids.append(answer.json()["id"])
        return ids

    async def run(bulk: bool) -> Figures:
        async with ground.rooms("claims", "edge"):
            base = f"http://127.0.0.1:{ground.settings.edge_port}"
            async with httpx.AsyncClient(base_url=base, timeout=60) as http:
                ids = await opened(http)
                began = time.perf_counter()
                if bulk:
                    items = [{"qualify": {"reclamation_id": id, "priority": "low"}} for id in ids]
                    answer = await http.post(
                        "/api/reclamations/bulk", json={"items": items}, headers=_by(managers)
                    )
                    answer.raise_for_status()
                    done = [item["status"] for item in answer.json()["items"]]
                else:
                    done = []
                    for id in ids:
                        answer = await http.post(
                            f"/api/reclamations/{id}/qualify", json={"priority": "low"}, headers=_by(managers)
                        )
                        done.append(answer.json().get("status"))
                lasted = time.perf_counter() - began
        if done != ["qualified"] * NUMBER:
            raise RuntimeError(f"not all were qualified: {set(done)}")
        return {"réclamations/s": NUMBER / lasted, "s": lasted}

    async def ours() -> Figures:
        return await run(bulk=True)

    async def single() -> Figures:
        return await run(bulk=False)

    measured = await interleaved(
        "Bulk triage",
        [Contender("SAV, one command", ours), Contender(SINGLE, single)],
        [Aim("réclamations/s", 3, "least", against=SINGLE)],
        rounds,
    )
    measured.notes.append(
        "`POST /api/reclamations/bulk` of 200 items, each in a savepoint of one transaction, against `POST …/qualify` for "
        "each on one connection. The answer waits until the read model shows everything."
    )
    return measured


def _by(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
