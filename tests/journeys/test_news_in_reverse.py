"""News of each record that comes to a service in the opposite order: applied, ignored as obsolete, or waited for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from eventually import eventually
from stories import assign, assigned, closed, done, ids, move, qualified, visit_of
from system import SERVICES, Person, System

from sav_chassis.envelope import Envelope
from sav_ops.databases import opened
from sav_ops.verify import verification
from sav_ops.verify.moment import snapshot
from sav_ops.verify.read_sides import read_side_tables

Json = dict[str, Any]


@asynccontextmanager
async def hearing_backwards(system: System, *names: str) -> AsyncIterator[None]:
    """These services are away, and then hear everything that happened meanwhile from its end."""
    for name in names:
        await system.stop(name)
    try:
        yield
        await eventually(lambda: all_published(system))
        for name in names:
            await turn_round(system, name)
    finally:
        for name in names:
            await system.start(name)
    await eventually(lambda: nothing_waits(system, names), 20)


async def all_published(system: System) -> bool:
    return not [room for room in SERVICES if await system.sql(room, "SELECT FROM outbox")]


async def turn_round(system: System, name: str) -> None:
    """What is in the service's queues stands there in the opposite order."""
    queues = [queue for queue in SERVICES[name].bindings() if not queue.endswith(".commands")]
    async with await aio_pika.connect(system.settings.broker_url) as connection:
        channel = await connection.channel()
        for queue in queues:
            waiting = await taken(channel, queue)
            assert waiting or queue.endswith(".views"), f"{queue} has nothing to turn round"
            for message in reversed(waiting):
                again = Envelope.from_amqp(message).to_amqp()
                await channel.default_exchange.publish(again, routing_key=queue)
                await message.ack()


async def taken(channel: AbstractChannel, name: str) -> list[AbstractIncomingMessage]:
    """What is in a queue, in hand; one with a single active consumer gives nothing out otherwise."""
    queue = await channel.declare_queue(name, passive=True)
    held: list[AbstractIncomingMessage] = []

    async def hold(message: AbstractIncomingMessage) -> None:
        held.append(message)

    async def all_held() -> bool:
        return len(held) == queue.declaration_result.message_count

    tag = await queue.consume(hold)
    await eventually(all_held)
    await queue.cancel(tag)
    return held


async def nothing_waits(system: System, names: tuple[str, ...]) -> bool:
    """Nothing is in the queues or parked, also what only had to wait for other news."""
    async with opened(system.settings) as databases:
        waiting = [line async for line in verification.under_way(system.settings, databases)]
    return not [line for line in waiting if any(line.startswith((f"{n}:", f"queue {n}")) for n in names)]


async def stale_copies(system: System, name: str, *records: str) -> list[str]:
    """What the service holds of these records, or of what belongs to them, and their owners tell otherwise."""
    async with snapshot(system.settings) as now:
        found = [line async for line in read_side_tables(now) if line.startswith(f"{name}:")]
    return [line for line in found if any(record in line for record in records)]


async def closes(technician: Person, manager: Person, visit: Json) -> None:
    """From a planned visit to its validated report."""
    await move(technician, visit, "accepted", "en_route", "on_site", "in_progress")
    path = f"/interventions/{visit['id']}"
    work = {"solution": "joint changé", "labour": [{"description": "Pose du joint", "minutes": 30}]}
    done(await technician.ask("PUT", f"{path}/work", json=work))
    await move(technician, visit, "completed")
    report = {"findings": "joint usé", "work_done": "joint changé"}
    done(await technician.ask("PUT", f"{path}/report", json=report))
    done(await technician.post(f"{path}/report/sign", {"refused": "le client était parti"}))
    done(await technician.post(f"{path}/report/submit"))
    done(await manager.post(f"{path}/report/validate"))


async def test_a_visit_that_ended_before_it_began_resolves_its_reclamation(
    system: System, marie: Person
) -> None:
    lea, karim = await system.client(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    async with hearing_backwards(system, "claims"):
        await closes(karim, marie, visit)
    assert await stale_copies(system, "claims", visit["id"], karim.id) == []
    assert done(await lea.get(f"/reclamations/{claim['id']}"))["status"] == "resolved"


async def test_who_was_assigned_last_has_the_visit(system: System, marie: Person) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician("Sofia")
    claim = await qualified(lea, marie)
    async with hearing_backwards(system, "interventions"):
        for technician in (karim, sofia):
            done(await assign(marie, claim, technician))
    assert (await visit_of(sofia, claim))["technician_id"] == sofia.id
    assert await ids(karim, "/interventions", reclamation_id=claim["id"], status="planned") == []
    assert await stale_copies(system, "interventions", claim["id"], lea.id) == []


async def test_a_visit_by_hand_that_was_declined_before_it_was_heard_of_assigns_nobody(
    system: System, marie: Person
) -> None:
    lea, karim = await system.client(), await system.technician()
    claim = await qualified(lea, marie)
    async with hearing_backwards(system, "claims"):
        asked = {"reclamation_id": claim["id"], "technician_id": karim.id}
        visit = done(await marie.post("/interventions", asked), 201)
        await move(karim, visit, "declined", reason="malade")

    async def waits() -> bool:
        found = done(await marie.get(f"/reclamations/{claim['id']}"))
        return (found["status"], found["technician_id"]) == ("qualified", None)

    await eventually(waits)
    assert await ids(marie, "/interventions", reclamation_id=claim["id"]) == [visit["id"]]


async def test_whoever_only_listens_ends_with_the_same_records(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    listeners = ("calendar", "notifier", "reporting")
    async with hearing_backwards(system, *listeners):
        visit = await closed(lea, marie, karim)
    for name in listeners:
        assert await stale_copies(system, name, visit["id"], visit["reclamation_id"], lea.id) == []
    told = [one["template"] for one in done(await lea.get("/notifications", limit=50))["items"]]
    for template in ("reclamation_received", "technician_assigned", "report_available", "feedback_invited"):
        assert told.count(template) == 1, told
    assert len(await ids(lea, "/feedback", intervention_id=visit["id"])) == 1
    assert await ids(lea, "/appointments", reclamation_id=visit["reclamation_id"]) == []
