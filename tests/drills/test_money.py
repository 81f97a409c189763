"""kill -9 of the room that invoices, in the middle of hundreds of issues and payments at once."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from itertools import pairwise

import pytest
from drills.fire import Fire
from drills.travelling import Insisting, people

from sav_ops.demo import journey
from sav_ops.demo.journey import Json, Player
from sav_ops.launch import processes

# Drafts of several cases: those of one wait for each other.
VISITS, DRAFTS = 10, 25
# In flight at once.
AT_ONCE = 40
REPLICAS = ("interventions", "interventions-2")
# After so many answers these are killed; the last ones that are there at once.
KILLS = ((80, 1), (220, 2), (400, 1))
DEPOSIT: Json = {
    "percent": 30,
    "lines": [
        {
            "kind": "fixed",
            "description": "Entretien",
            "unit": "flat",
            "unit_price": "140.35",
            "vat_class": "standard",
        }
    ],
}
OF_OURS = """
SELECT i.id, i.number, i.status, i.paid, i.net + i.tax AS total, count(p.id) AS payments, sum(p.amount) AS received,
    count(p.credited) FILTER (WHERE p.credited > 0) AS beyond
FROM invoice i LEFT JOIN payment p ON p.invoice_id = i.id WHERE i.id = ANY($1) GROUP BY i.id"""
ENTRIES = """
SELECT e.number, e.previous_hash, e.hash, p.invoice_id FROM ledger_entry e
LEFT JOIN payment p ON p.id = e.payment_id ORDER BY e.number"""


async def test_money_survives_kill_9_of_its_room(
    fire: Fire, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance, insisting = random.Random(seed), Insisting()
    async with fire.hurrying(), people(fire.address(), insisting) as (lea, karim, _, marie, _):
        drafts = await drafted(lea, karim, marie)
        answers: list[Json] = []
        gate = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as working:
            working.create_task(killed(fire, chance, answers))
            for draft in drafts:
                working.create_task(issued_and_paid(marie, draft, gate, answers))
        began = time.monotonic()
        await asyncio.to_thread(processes.poll, lambda: is_back(fire), 90, "interventions is not back")
        recovered = time.monotonic() - began
        assert insisting.faults == []
        await expect_each_once(fire, drafts, answers)
        await fire.expect_truth()
    fire.tell(
        capsys,
        f"{len(drafts)} invoices issued and paid under {sum(n for _, n in KILLS)} kills, {insisting.repeats} requests "
        f"repeated, the slowest answered after {insisting.slowest:.1f} s, whole again within {recovered:.1f} s",
    )


async def drafted(lea: Player, karim: Player, marie: Player) -> list[Json]:
    """Drafts of deposit invoices, of several visits."""
    about: Json = {"client_id": lea.id, "technician_id": karim.id, "purpose": "maintenance"}
    about |= {"article": "Chaudière", "place": journey.PLACE}
    visits = [await marie.does("plans", "POST /interventions", about, status=201) for _ in range(VISITS)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def draft(visit: Json) -> Json:
        async with gate:
            return await marie.does(
                "drafts", f"POST /interventions/{visit['id']}/deposits", DEPOSIT, status=201
            )

    return await asyncio.gather(*(draft(visit) for visit in visits for _ in range(DRAFTS)))


async def issued_and_paid(marie: Player, draft: Json, gate: asyncio.Semaphore, answers: list[Json]) -> None:
    """Each is issued, then paid; what is not answered is asked again under its key."""
    path = f"/invoices/{draft['id']}"
    async with gate:
        answers.append(issued := await marie.does("issues", f"POST {path}/issue"))
    async with gate:
        payment = {"method": "transfer", "amount": issued["balance"]}
        answers.append(await marie.does("is paid", f"POST {path}/payments", payment, status=201))


async def killed(fire: Fire, chance: random.Random, answers: list[Json]) -> None:
    """One replica or both, while others are in the middle of something; the keeper brings them back."""
    for after, how_many in KILLS:
        while len(answers) < after:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for name in chance.sample(REPLICAS, how_many):
            if pid := processes.running(fire.home, name):
                os.kill(pid, signal.SIGKILL)


def is_back(fire: Fire) -> bool:
    """Whether both replicas work, without a hand."""
    return all(processes.running(fire.home, name) and fire.is_ready(name) for name in REPLICAS)


async def expect_each_once(fire: Fire, drafts: list[Json], answers: list[Json]) -> None:
    """Each has the number that was answered, no two the same, and was paid once, to the cent."""
    ids = [draft["id"] for draft in drafts]
    rows = {str(row["id"]): row for row in await fire.sql("interventions", OF_OURS, ids)}
    told = {answer["id"]: answer["number"] for answer in answers if "number" in answer}
    assert {id: row["number"] for id, row in rows.items()} == told
    assert len(set(told.values())) == len(drafts)
    for row in rows.values():
        assert (row["status"], row["payments"], row["beyond"]) == ("paid", 1, 0), row
        assert row["paid"] == row["received"] == row["total"], row
    entries = await fire.sql("interventions", ENTRIES)
    assert [entry["number"] for entry in entries] == list(range(1, len(entries) + 1))
    assert all(after["previous_hash"] == before["hash"] for before, after in pairwise(entries))
    ours = Counter(str(entry["invoice_id"]) for entry in entries if str(entry["invoice_id"]) in told)
    assert ours == dict.fromkeys(ids, 1)
