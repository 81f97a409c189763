"""Holding and booking times of visits, beside opening réclamations."""

import asyncio
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from ground import Ground
from harness import Aim, Contender, Figures, Measured, interleaved
from people import OPENING, client_of_claims, reclamation, token
from uuid_utils.compat import uuid7

from sav_chassis.settings import Settings
from sav_chassis.views import show
from sav_contracts.actor import Role
from sav_contracts.interventions.technician import TechnicianView

AT_ONCE = 16
BOOKINGS = 400
# Each has the visits of some days, so that some wait for the same technician; and as many clients open réclamations.
TECHNICIANS = CLIENTS = 20
FIGURE, OPENED = "bookings/s", "POST /api/reclamations"
NOTES = (
    f"{BOOKINGS} times of {TECHNICIANS} technicians, {AT_ONCE} requests at once over HTTP by a manager: each is held "
    "(`POST /api/appointments/hold`), then each is booked (`POST /api/appointments`). A booking a second is one of the "
    f"second kind, a hold of the first. The baseline opens as many réclamations for {CLIENTS} clients: those of one client "
    "wait for one another, as the times of one technician do. Both are the edge and one room, calendar or claims, with RabbitMQ "
    "between them; the answer waits until the read model shows it.",
)


async def measure(settings: Settings, rounds: int) -> Measured:
    """Bookings a second, and réclamations a second, by the same client program."""
    me = UUID(str(uuid7()))
    booking, opening = [await Ground.fresh(settings, name) for name in ("booking", "booking_opened")]
    clients = [UUID(str(uuid7())) for _ in range(CLIENTS)]
    for client in clients:
        await client_of_claims(opening.settings, client)
    bodies = [json.loads(OPENING) | {"client_id": str(clients[n % CLIENTS])} for n in range(BOOKINGS)]

    async def ours() -> Figures:
        wanted = await known(booking.settings, me)
        async with booking.rooms("calendar", "edge"), caller(booking.settings, me, Role.MANAGER) as http:
            held = await sent(http, "/api/appointments/hold", wanted)
            booked = await sent(
                http, "/api/appointments", [{"appointment_id": one["id"]} for one in held.answers]
            )
        return {FIGURE: booked.rate, "holds/s": held.rate}

    async def theirs() -> Figures:
        async with opening.rooms("claims", "edge"), caller(opening.settings, me, Role.MANAGER) as http:
            opened = await sent(http, "/api/reclamations", bodies)
        return {FIGURE: opened.rate}

    contenders = [Contender("SAV", ours), Contender(OPENED, theirs)]
    measured = await interleaved("Booking", contenders, [Aim(FIGURE, 0.8, "least", against=OPENED)], rounds)
    measured.notes += NOTES
    return measured


class Sent:
    """The answers, and how many came in a second."""

    def __init__(self, answers: list[Any], seconds: float) -> None:
        self.answers, self.rate = answers, len(answers) / seconds


async def sent(http: httpx.AsyncClient, path: str, bodies: Iterable[Any]) -> Sent:
    """Each body once, so many at once; every answer must be 201."""
    left, answers = iter(list(bodies)), list[Any]()

    async def line() -> None:
        for body in left:
            answer = await http.post(path, json=body)
            if answer.status_code != 201:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
            answers.append(answer.json())

    began = time.perf_counter()
    await asyncio.gather(*(line() for _ in range(AT_ONCE)))
    return Sent(answers, time.perf_counter() - began)


def caller(settings: Settings, me: UUID, role: Role) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token(settings, me, role)}", "Content-Type": "application/json"}
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{settings.edge_port}", headers=headers, timeout=60, trust_env=False
    )


async def known(settings: Settings, me: UUID) -> list[dict[str, Any]]:
    """Technicians and réclamations that the calendar has copies of, and a time for each: none is too close to another."""
    now = datetime.now(UTC)
    technicians = [
        TechnicianView(
            id=id, version=1, created_at=now, updated_at=now, technician_id=id, name="Karim", active=True
        )
        for id in (UUID(str(uuid7())) for _ in range(TECHNICIANS))
    ]
    claims = [
        reclamation(me, number).model_copy(update={"status": "qualified", "version": 2})
        for number in range(BOOKINGS)
    ]
    async with asyncpg.create_pool(settings.database("calendar"), min_size=1, max_size=1) as pool:
        # Of the round before.
        await pool.execute("DELETE FROM appointment")
        await show(pool, [*technicians, *claims])
    first = now + timedelta(days=1)
    return [
        {
            "reclamation_id": str(claim.id),
            "technician_id": str(technicians[number % TECHNICIANS].id),
            "start": (first + timedelta(hours=3 * (number // TECHNICIANS))).isoformat(),
            "outside_hours": True,
        }
        for number, claim in enumerate(claims)
    ]
