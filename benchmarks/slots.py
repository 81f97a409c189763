"""Free slots of many technicians in the calendar, beside nested loops over all pairs of a start and a visit."""

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from news import empty, prepared, same
from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from sav_calendar.hours import VISIT, starts
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.hours import WorkingHours
from sav_calendar.queries import find_free_slots
from sav_calendar.work import recorded_work
from sav_chassis.database import Database, opened
from sav_chassis.envelope import Context
from sav_chassis.settings import Settings
from sav_chassis.tx import Tx, transaction
from sav_chassis.views import show
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.slots import FindFreeSlots, FreeSlot
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import ReclamationView, Safety
from sav_contracts.interventions.technician import TechnicianView

ROOM = "calendar"
SEED = 20260302
MANAGER = Actor(id=UUID(int=2), role=Role.MANAGER)
RECLAMATION = UUID(int=100)
TECHNICIANS, VISITS, DAYS = 50, 5_000, 30
POSTCODES = ("69003", "69008", "38200", "42000")
ASKED = 30
P50, P99 = "p50 ms", "p99 ms"
NESTED = "nested loops over all pairs"


async def measure(settings: Settings, rounds: int) -> Measured:
    """Milliseconds of the query's transaction in the calendar."""
    settings = await filled(settings, TECHNICIANS, VISITS)
    since = datetime.now(UTC) + timedelta(hours=1)
    until = since + timedelta(days=DAYS)

    async def ours(order: str) -> Figures:
        query = FindFreeSlots.model_validate(
            {"reclamation_id": RECLAMATION, "from": since, "to": until, "order": order}
        )
        times = []
        async with opened(settings, ROOM) as rows:
            for _ in range(ASKED):
                began = time.perf_counter()
                async with reading(rows, settings) as tx:
                    found = await find_free_slots(query, tx, MANAGER)
                times.append((time.perf_counter() - began) * 1000)
                same(len(found.items), 200, "slots")
        return {P50: percentile(times, 0.5), P99: percentile(times, 0.99)}

    async def nested() -> Figures:
        async with opened(settings, ROOM) as rows:
            began = time.perf_counter()
            found = await by_pairs(rows, settings, since, until)
            took = (time.perf_counter() - began) * 1000
            same(len(found), 200, "slots")
        return {P50: took, P99: took}

    async def earliest() -> Figures:
        return await ours("earliest")

    async def best() -> Figures:
        return await ours("best")

    measured = await interleaved(
        f"The first 200 free slots: {TECHNICIANS} technicians, {DAYS} days, {VISITS:,} visits",
        [Contender("SAV", earliest), Contender("SAV, the best 200", best), Contender(NESTED, nested)],
        [Aim(P50, 50, "most"), Aim(P50, 0.1, "most", against=NESTED)],
        rounds,
    )
    measured.notes.append(
        f"{ASKED} questions of a manager about a réclamation; the loops once a round. All read the same rows. Ours ranks what "
        "it answers by the places of all visits of those days, which the loops do not."
    )
    return measured


async def by_pairs(rows: Database, settings: Settings, since: datetime, until: datetime) -> list[FreeSlot]:
    """As one writes it first: each start beside each visit. The transaction is over by then: the loops take too long for it."""
    async with reading(rows, settings) as tx:
        technicians = [one.id for one in await tx.copies(TechnicianView).where(active=True).all()]
        works = await recorded_work(tx, technicians, since, until)
        visits = (
            await tx.session.execute(select(Appointment.technician_id, Appointment.start, Appointment.end))
        ).all()
    travel = Buffers().travel
    free = [
        FreeSlot(
            technician_id=id,
            start=start,
            end=start + VISIT,
            arrival_from=start,
            arrival_until=start + VISIT / 2,
        )
        for id, work in works.items()
        for start in starts(work, since, until)
        if not any(
            whose == id and start < end + travel and begin < start + VISIT + travel
            for whose, begin, end in visits
        )
    ]
    return sorted(free, key=lambda slot: (slot.start, slot.technician_id))[:200]


@asynccontextmanager
async def reading(rows: Database, settings: Settings) -> AsyncIterator[Tx]:
    context = Context(
        actor_id=SYSTEM.id, actor_role=Role.SYSTEM, correlation_id=uuid7(), causation_id=uuid7()
    )
    async with transaction(rows, settings, context, lambda _: None) as tx:
        yield tx


async def filled(settings: Settings, technicians: int, visits: int) -> Settings:
    """The calendar of these technicians: each has as many visits of an hour, on the hours of the next thirty days."""
    settings = await prepared(settings, ROOM)
    await empty(settings, ROOM, "appointment", "working_hours", "absence", "view")
    chance = random.Random(SEED)
    ids = [UUID(int=1000 + number) for number in range(technicians)]
    now = datetime.now(UTC)
    stamp = {"version": 1, "created_at": now, "updated_at": now}
    first = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [first + timedelta(days=day, hours=hour) for day in range(DAYS) for hour in range(6, 19)]
    async with opened(settings, ROOM) as rows:
        async with rows.engine.begin() as connection:
            for id in ids:
                usual = WorkingHours.usual(id)
                names = ("id", "technician_id", "zone", "holidays", "shifts", "planned")
                await connection.execute(
                    insert(WorkingHours).values({name: getattr(usual, name) for name in names} | stamp)
                )
                taken = [_visit(id, start) | stamp for start in chance.sample(hours, visits // technicians)]
                await connection.execute(insert(Appointment), taken)
                cases = [
                    _reclamation(one["reclamation_id"], chance.choice(POSTCODES), stamp) for one in taken
                ]
                await show(rows.pool, cases)
        await show(rows.pool, [_technician(id, chance, stamp) for id in ids])
        await show(rows.pool, [_reclamation(RECLAMATION, POSTCODES[0], stamp)])
        async with rows.engine.connect() as connection:
            await connection.exec_driver_sql("ANALYZE")
            await connection.commit()
    return settings


def _visit(technician: UUID, start: datetime) -> dict[str, Any]:
    end = start + timedelta(hours=1)
    return {
        "id": uuid7(),
        "client_id": uuid4(),
        "technician_id": technician,
        "reclamation_id": uuid4(),
        "reclamation_reference": "REC-2026-000001",
        "intervention_id": None,
        "start": start,
        "end": end,
        "travel": Buffers().travel,
        # Some follow one another with no time for the way, as those that were planned before it was kept.
        "busy_until": end,
        "closer": None,
        "place": None,
        "missed_by": None,
        "offered_for": None,
        "confirmed_start": None,
        "zone": "Europe/Paris",
        "status": "booked",
        "held_until": None,
        "uid": str(uuid7()),
        "sequence": 0,
        "reason": None,
    }


def _technician(id: UUID, chance: random.Random, stamp: dict[str, object]) -> TechnicianView:
    return TechnicianView.model_validate(
        {
            "id": id,
            "technician_id": id,
            "name": f"Technicien {id.int}",
            "active": True,
            "skills": chance.choice([[], ["heating", "gas"]]),
            "zone": chance.choice([[], ["69"], ["38", "42"]]),
            **stamp,
        }
    )


def _reclamation(id: UUID, postcode: str, stamp: dict[str, object]) -> ReclamationView:
    return ReclamationView.model_validate(
        {
            "id": id,
            "reference": "REC-2026-000100",
            "client_id": UUID(int=1),
            "technician_id": None,
            "article": "Chaudière",
            "problem_type": "leak",
            "description": "fuite",
            "safety": Safety(),
            "status": "qualified",
            "coverage": "unknown",
            "priority": "normal",
            "priority_reason": "",
            "place": Place(address="3 rue des Lilas", postcode=postcode, city="Lyon"),
            "skills_needed": ("heating", "gas"),
            **stamp,
        }
    )
