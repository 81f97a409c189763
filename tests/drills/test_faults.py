"""Half-sent mail, timers of dead services, events that come twice, a broker in alarm: what people see, what is after."""

import asyncio
import signal
import time
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import httpx
import pytest
from drills.fire import REPLICAS, Fire
from drills.travelling import OLD, people, to_the_end
from eventually import eventually
from stories import PLACE

from sav_chassis import topology
from sav_chassis.commands import client as asking
from sav_ops import rooms
from sav_ops.databases import opened
from sav_ops.demo import journey
from sav_ops.demo.journey import Cast, Json, Player, Story
from sav_ops.launch import rabbitmq, readiness
from sav_ops.replay import event_logs

OPENING = {
    "article": "Chaudière",
    "problem_type": "no_heating",
    "description": "plus de chauffage",
    "place": PLACE,
}
DOWN = [name for name, room in rooms.replicas(REPLICAS).items() if room in ("notifier", "claims", "calendar")]
EDGES = [name for name, room in rooms.replicas(REPLICAS).items() if room == rooms.EDGE]
CLOSED = "SELECT count(*) FROM event_log WHERE subject = $1 AND type = 'claims.ReclamationClosed.v1'"
EXPIRED = 'SELECT count(*) FROM event_log WHERE subject = $1 AND body::text ~ \'"status": ?"expired"\''
ABOUT = "SELECT id, status, attempts FROM notification WHERE about_id = $1 AND channel = 'email'"


async def test_what_is_half_sent_or_falls_due_while_its_services_are_down_is_done_once_after(
    fire: Fire, capsys: pytest.CaptureFixture[str]
) -> None:
    async with fire.hurrying(), people(fire.address()) as (lea, karim, _, marie, alex):
        story = await resolved(Cast(lea, karim, marie, alex))
        held = await time_held(lea, marie)
        fire.post.speaks.clear()
        claim = await lea.does("opens a réclamation", "POST /reclamations", OPENING, status=201)
        mails = await eventually(lambda: in_hand(fire, claim))
        await asyncio.to_thread(fire.kill_all, DOWN)
        await fire.falls_due("claims", story.claim["id"])
        await fire.falls_due("calendar", held["id"])
        await seen_meanwhile(fire, lea, story, held)
        assert [row["status"] for row in await about(fire, claim)] == ["queued"] * len(mails)
        fire.post.speaks.set()
        began = time.monotonic()
        await fire.revive(*DOWN)
        await eventually(lambda: is_now(lea, f"/reclamations/{story.claim['id']}", "closed"), 60)
        await eventually(lambda: is_now(lea, f"/appointments/{held['id']}", "expired"), 60)
        due = time.monotonic() - began
        await eventually(lambda: all_sent(fire, claim), 60)
        sent = time.monotonic() - began
        await asyncio.to_thread(fire.wait_until_whole)
        for room, query, id in (("claims", CLOSED, story.claim["id"]), ("calendar", EXPIRED, held["id"])):
            assert [row["count"] for row in await fire.sql(room, query, UUID(id))] == [1]
        fire.ended(story)
        fire.references += [claim["reference"], held["reclamation_reference"]]
    for id in mails:
        assert len(fire.post.taken[id]) >= 2, "it was in hand when its sender died"
    await fire.expect_truth()
    fire.tell(
        capsys,
        f"{len(DOWN)} processes killed: timers done {due:.1f} s, mails sent {sent:.1f} s after the start",
    )


async def resolved(cast: Cast) -> Story:
    """A whole journey whose client says nothing at the end."""
    story = await journey.registered(cast, bought=date.today() - OLD)
    await journey.reported(cast, story)
    await journey.planned(cast, story)
    await journey.repaired(cast, story)
    await journey.paid(cast, story)
    return story


async def time_held(client: Player, manager: Player) -> Json:
    """A time that a client has chosen, not booked yet."""
    claim = await client.does("opens a réclamation", "POST /reclamations", OPENING, status=201)
    await manager.does("qualifies it", f"POST /reclamations/{claim['id']}/qualify", {"priority": "high"})
    free = await client.does("asks who is free", f"GET /slots?reclamation_id={claim['id']}")
    slot = free["items"][0]
    wanted = {"reclamation_id": claim["id"], "technician_id": slot["technician_id"], "start": slot["start"]}
    return await client.does("holds a time", "POST /appointments/hold", wanted, status=201)


async def seen_meanwhile(fire: Fire, lea: Player, story: Story, held: Json) -> None:
    """Everything can be read; a command is told that nobody answers, and is not done behind anybody's back."""
    await lea.does("reads", f"GET /reclamations/{story.claim['id']}")
    assert await is_now(lea, f"/appointments/{held['id']}", "held")
    claims, calendar = await asyncio.gather(
        told(fire, lea, "POST", "/reclamations", json=OPENING),
        told(fire, lea, "POST", "/appointments", json={"appointment_id": held["id"]}),
    )
    for answer in (claims, calendar):
        assert (answer.status_code, answer.json()["code"]) == (504, "outcome_unknown")
        assert "Idempotency-Key" in answer.headers


async def test_every_event_that_comes_twice_changes_nothing(
    fire: Fire, capsys: pytest.CaptureFixture[str]
) -> None:
    async with people(fire.address()) as (lea, karim, _, marie, alex):
        fire.ended(await to_the_end(Cast(lea, karim, marie, alex), True, asyncio.Lock(), None))
    await fire.expect_truth()
    before, mails, known = await everything(fire), len(fire.post.taken), fire.known_already()
    began = time.monotonic()
    sent, reactions = await all_again(fire)
    await eventually(lambda: all_known(fire, known + reactions), 60)
    took = time.monotonic() - began
    await fire.expect_truth()
    assert await everything(fire) == before
    assert len(fire.post.taken) == mails
    fire.tell(capsys, f"{sent} deliveries and {reactions} reactions again in {took:.1f} s: nothing changed")


async def everything(fire: Fire) -> dict[str, str]:
    """A digest of each table, but of what is counted and noted of requests: looking makes some."""
    found = {}
    async with opened(fire.settings) as databases:
        for room, database in databases.items():
            tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for name in {row["tablename"] for row in tables} - {"request", "bucket"}:
                found[f"{room}.{name}"] = await database.fetchval(
                    f"SELECT count(*) || ' ' || md5(string_agg(t::text, '' ORDER BY t::text)) FROM \"{name}\" t"
                )
    return found


async def all_again(fire: Fire) -> tuple[int, int]:
    """Puts every event of every log into each queue that it is meant for; how many, and for how many reactions."""
    async with opened(fire.settings) as databases:
        logs = [
            event
            for room in rooms.SERVICES
            async for events in event_logs.read(databases[room], None, 1000)
            for event in events
        ]
        done = [await databases[room].fetchval("SELECT count(*) FROM handled") for room in rooms.SERVICES]
    async with await aio_pika.connect(fire.settings.broker_url) as connection:
        publish = (await connection.channel()).default_exchange.publish
        sent = [
            publish(event.to_amqp(), routing_key=queue)
            for queue, types in topology.wanted().items()
            for event in logs
            if event.type in types or "#" in types
        ]
        await asyncio.gather(*sent)
    return len(sent), sum(done)


async def all_known(fire: Fire, number: int) -> bool:
    return fire.known_already() >= number


async def test_in_an_alarm_of_the_broker_reads_go_on_and_commands_are_told_so_at_once(
    fire: Fire, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = []
    async with people(fire.address()) as (lea, *_), fire.travelling() as seen:
        for name in ("memory", "disk"):
            async with fire.alarm(name):
                began = time.monotonic()
                await eventually(lambda: edges_know(fire), 10)
                measured.append(f"{name} alarm known after {time.monotonic() - began:.1f} s")
                slowest = max([await refused(fire, lea) for _ in range(8)])
                ready = await told(fire, lea, "GET", "/../health/ready")
                assert (ready.status_code, ready.json()["broker"]) == (503, False)
                await lea.does("reads", "GET /reclamations")
                await eventually(lambda: relays_wait(fire), 15)
            began = time.monotonic()
            answer = await eventually(lambda: taken(fire, lea), 30)
            fire.references.append(answer["reference"])
            measured.append(
                f"told so within {slowest:.2f} s, flows {time.monotonic() - began:.1f} s after it"
            )
        ended = time.monotonic()
        await asyncio.to_thread(fire.wait_until_whole)
    measured.append(f"everything settled {time.monotonic() - ended:.1f} s later")
    fire.tell(capsys, f"{', '.join(measured)}, {seen}")


async def test_while_the_broker_is_away_or_hangs_commands_are_told_so_at_once(
    fire: Fire, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = []
    ways = {
        "killed": fire.without(rabbitmq.NAME, signal.SIGKILL),
        "frozen": fire.frozen(rabbitmq.NAME),
    }
    async with people(fire.address()) as (lea, *_):
        for name, away in ways.items():
            async with away:
                began = time.monotonic()
                await eventually(lambda: is_told(fire, lea, 503), 15)
                known = time.monotonic() - began
                # Each says so at once; the quickest counts: others have the processors too.
                took = sorted([await refused(fire, lea, "is away") for _ in range(8)])
                await lea.does("reads", "GET /reclamations")
            began = time.monotonic()
            answer = await eventually(lambda: taken(fire, lea), 60)
            fire.references.append(answer["reference"])
            again = time.monotonic() - began
            assert took[0] < 0.2
            assert known < asking.FEEL + asking.CONFIRM_WITHIN + 5
            measured.append(
                f"{name}: known after {known:.1f} s, then told within {took[0]:.3f} to {took[-1]:.3f} s, "
                f"commands work {again:.1f} s after its return"
            )
    await asyncio.to_thread(fire.wait_until_whole)
    await fire.expect_truth()
    fire.tell(capsys, "; ".join(measured))


async def is_told(fire: Fire, who: Player, status: int) -> bool:
    """Whether a command of no effect is answered so."""
    nobody = f"/reclamations/{uuid4()}/moves"
    return (await told(fire, who, "POST", nobody, json={"to": "closed"})).status_code == status


async def edges_know(fire: Fire) -> bool:
    says = [readiness.says(fire.home, name, fire.settings) for name in EDGES]
    return all(one == "not ready: broker" for one in says)


async def relays_wait(fire: Fire) -> bool:
    return fire.said("relay waits: the broker accepts no messages (alarm)") > 0


async def refused(fire: Fire, who: Player, why: str = "alarm") -> float:
    """The seconds in which a command is told that nothing was done and why, and when to come again."""
    began = time.monotonic()
    answer = await told(fire, who, "POST", "/reclamations", json=OPENING)
    took = time.monotonic() - began
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert why in answer.json()["detail"]
    assert "Idempotency-Key" in answer.headers
    assert int(answer.headers["Retry-After"]) > 0
    assert took < 1
    return took


async def taken(fire: Fire, who: Player) -> Json | None:
    answer = await told(fire, who, "POST", "/reclamations", json=OPENING)
    assert answer.status_code in (201, 503), answer.text
    return dict(answer.json()) if answer.status_code == 201 else None


async def told(fire: Fire, who: Player, method: str, path: str, **request: Any) -> httpx.Response:
    """What is answered to somebody who does not insist, by one or the other edge."""
    async with httpx.AsyncClient(base_url=f"{fire.address()}/api", timeout=10) as http:
        return await http.request(method, path, headers=who.headers(), **request)


async def is_now(who: Player, path: str, status: str) -> bool:
    return bool((await who.does("looks", f"GET {path}"))["status"] == status)


async def about(fire: Fire, record: Json) -> list[Any]:
    return await fire.sql("notifier", ABOUT, UUID(record["id"]))


async def in_hand(fire: Fire, claim: Json) -> list[str] | None:
    """The Message-IDs of all mails about it, once the server has each and has said nothing."""
    mails = [f"<{row['id']}@example.com>" for row in await about(fire, claim)]
    return mails if len(mails) == 2 and set(mails) <= fire.post.taken.keys() else None


async def all_sent(fire: Fire, claim: Json) -> bool:
    return all(row["status"] == "sent" and row["attempts"] > 1 for row in await about(fire, claim))
