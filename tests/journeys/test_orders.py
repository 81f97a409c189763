"""Orders of parts: a test for each branch, through the edge; and the stock all the while."""

import asyncio
from functools import partial
from typing import Any

import pytest
import stories
from eventually import eventually
from journeys_parts import agrees, in_stock, shelf, told
from stories import Json, done, items, refused
from system import Person, System
from uuid_utils.compat import uuid7

from sav_ops.demo.journey import PUMP


async def article(manager: Person, pieces: int = 0) -> Json:
    found = done(await manager.post("/articles", PUMP | {"reference": f"CMD-{str(uuid7())[-12:]}"}), 201)
    if pieces:
        await in_stock(manager, found, pieces)
    return found


async def ordered(who: Person, one: Json, quantity: int = 2, **fields: Any) -> Json:
    lines = [{"article_id": one["id"], "quantity": quantity}]
    return done(await who.post("/orders", {"purpose": "purchase", "lines": lines} | fields), 201)


async def act(who: Person, order: Json, name: str, reason: str | None = None) -> Json:
    body = {"reason": reason} if reason else {}
    return done(await who.post(f"/orders/{order['id']}/{name}", body))


async def refuses(who: Person, order: Json, name: str, status: int, code: str) -> Json:
    body = {"reason": "test"} if name in ("refuse", "cancel") else {}
    return refused(await who.post(f"/orders/{order['id']}/{name}", body), status, code)


async def has(who: Person, order: Json, status: str) -> Json:
    """The order once this person sees it in that state."""

    async def look() -> Json | None:
        found = done(await who.get(f"/orders/{order['id']}"))
        return found if found["status"] == status else None

    return await eventually(look, 20)


async def heard(who: Person, order: Json, *templates: str) -> None:
    """Waits until they were told these, each once."""

    async def look() -> bool:
        return all([len(await told(who, template, order)) == 1 for template in templates])

    await eventually(look, 30)


async def test_a_client_buys_parts(system: System, marie: Person) -> None:
    client, one = await system.client(), await article(marie, 5)
    order = await ordered(client, one)
    assert order["reference"].startswith("CMD-")
    assert (order["net"], order["currency"], order["status"]) == ("372.80", "EUR", "placed")
    await heard(client, order, "order_received")
    await heard(marie, order, "order_to_validate")
    await act(marie, order, "validate")
    kept = await has(client, order, "reserved")
    assert [line["state"] for line in kept["lines"]] == ["reserved"]
    await eventually(partial(shelf, marie, one, 3, 2, 0))
    await heard(client, order, "order_stock")
    await heard(marie, order, "order_to_ship")
    # Neither the client nor another manager takes a step out of turn.
    problem = await refuses(marie, order, "receive", 409, "illegal_move")
    assert problem["moves"] == ["shipped", "cancelled"]
    await act(marie, order, "ship")
    await eventually(partial(shelf, marie, one, 3, 0, 0))
    await heard(client, order, "order_shipped")
    await act(client, order, "receive")
    got = await has(client, order, "received")
    assert [line["state"] for line in got["lines"]] == ["consumed"]
    moves = done(await marie.get(f"/articles/{one['id']}/stock-movements"))["items"]
    assert [(move["movement"], move["quantity"]) for move in moves] == [
        ("consume", -2),
        ("release", 2),
        ("reserve", -2),
        ("receive", 5),
    ]
    assert {move["reference"] for move in moves[:3]} == {order["reference"]}
    await eventually(partial(agrees, system, one))


async def test_an_order_that_a_manager_refuses(system: System, marie: Person) -> None:
    client, one = await system.client(), await article(marie, 5)
    order = await ordered(client, one)
    await act(marie, order, "refuse", "Cette pièce ne va pas sur votre chaudière.")
    found = await has(client, order, "refused")
    assert found["reason"] == "Cette pièce ne va pas sur votre chaudière."
    await heard(client, order, "order_refused")
    problem = await refuses(marie, order, "validate", 409, "illegal_move")
    assert problem["moves"] == []
    assert await shelf(marie, one, 5, 0, 0)


async def test_whoever_ordered_cancels_before_a_manager_has_validated(system: System, marie: Person) -> None:
    client, one = await system.client(), await article(marie, 5)
    order = await ordered(client, one)
    await act(client, order, "cancel")
    await has(marie, order, "cancelled")
    await refuses(marie, order, "validate", 409, "illegal_move")
    validated = await ordered(client, one)
    await act(marie, validated, "validate")
    # From now on only a manager does.
    await refuses(client, validated, "cancel", 403, "not_allowed")


async def test_a_manager_cancels_what_is_reserved_and_the_stock_is_free_again(
    system: System, marie: Person
) -> None:
    client, one = await system.client(), await article(marie, 5)
    order = await ordered(client, one)
    await act(marie, order, "validate")
    await has(marie, order, "reserved")
    await eventually(partial(shelf, marie, one, 3, 2, 0))
    await act(marie, order, "cancel", "Rupture chez le fournisseur.")
    await eventually(partial(shelf, marie, one, 5, 0, 0))
    await heard(client, order, "order_cancelled")
    await eventually(partial(agrees, system, one))


async def test_a_client_withdraws_before_it_is_shipped(system: System, marie: Person) -> None:
    client, one = await system.client(), await article(marie, 5)
    order = await ordered(client, one)
    assert (order["gross"], order["withdrawal"]["days"]) == ("447.36", 14)
    await act(marie, order, "validate")
    await has(marie, order, "reserved")
    await refuses(client, order, "withdraw/confirm", 409, "withdrawal_not_asked")
    await act(client, order, "withdraw")
    await act(client, order, "withdraw/confirm")
    await has(marie, order, "cancelled")
    await eventually(partial(shelf, marie, one, 5, 0, 0))
    await heard(client, order, "order_withdrawal_receipt")
    await heard(marie, order, "order_withdrawn")


async def test_what_is_back_ordered_is_reserved_when_stock_arrives(system: System, marie: Person) -> None:
    client, one = await system.client(), await article(marie, 1)
    order = await ordered(client, one)
    await act(marie, order, "validate")
    await has(client, order, "back_ordered")
    await heard(client, order, "order_stock")
    await eventually(partial(shelf, marie, one, 1, 0, 2))
    await refuses(marie, order, "ship", 409, "illegal_move")
    await in_stock(marie, one, 3)
    await has(client, order, "reserved")
    await eventually(partial(shelf, marie, one, 2, 2, 0))

    async def twice() -> bool:
        return len(await told(client, "order_stock", order)) == 2

    await eventually(twice, 30)


async def test_a_technician_orders_for_a_repair(system: System, marie: Person) -> None:
    client, technician = await system.client(), await system.technician()
    one = await article(marie, 5)
    visit = await stories.at_work(client, marie, technician)
    claim: Json = {"id": visit["reclamation_id"]}
    order = await ordered(technician, one, purpose="repair", reclamation_id=claim["id"])
    assert (order["client_id"], order["technician_id"]) == (client.id, technician.id)
    await act(marie, order, "validate")
    await has(technician, order, "reserved")
    await heard(technician, order, "order_stock")
    await act(marie, order, "ship")
    # Its client sees it, and has nothing to do with it.
    assert (await has(client, order, "shipped"))["reference"] == order["reference"]
    await refuses(client, order, "receive", 403, "not_allowed")
    await act(technician, order, "receive")
    # It is on the shelf's account until the work.
    assert await shelf(marie, one, 3, 2, 0)
    seen = await stories.types(client, claim)
    assert {"OrderPlaced", "OrderValidated", "OrderMoved", "OrderShipped", "OrderReceived"} <= {*seen}
    assert [found["id"] for found in await items(technician, "/orders", reclamation_id=claim["id"])] == [
        order["id"]
    ]
    assert not await told(client, "order_stock", order)
    await eventually(partial(agrees, system, one))


async def test_an_order_ends_with_its_reclamation(system: System, marie: Person) -> None:
    client, technician = await system.client(), await system.technician()
    one = await article(marie, 5)
    visit = await stories.closed(client, marie, technician)
    claim = f"/reclamations/{visit['reclamation_id']}"

    async def is_resolved() -> bool:
        return bool(done(await marie.get(claim))["status"] == "resolved")

    await eventually(is_resolved)
    refused(await technician.post("/orders", _repair(one, visit)), 409, "no_parts_needed")
    # One that was placed while work went on.
    other = await stories.at_work(client, marie, technician)
    order = done(await technician.post("/orders", _repair(one, other)), 201)
    await act(marie, order, "validate")
    await has(marie, order, "reserved")
    await eventually(partial(shelf, marie, one, 3, 2, 0))
    await _finish(technician, marie, other)

    async def closes() -> bool:
        path = f"/reclamations/{other['reclamation_id']}/moves"
        return bool((await client.post(path, {"to": "closed"})).status_code == 200)

    await eventually(closes)
    await has(technician, order, "cancelled")
    await eventually(partial(shelf, marie, one, 5, 0, 0))
    await heard(technician, order, "order_cancelled")
    await heard(marie, order, "order_cancelled")
    await eventually(partial(agrees, system, one))


def _repair(one: Json, visit: Json) -> Json:
    lines = [{"article_id": one["id"], "quantity": 2}]
    return {"purpose": "repair", "reclamation_id": visit["reclamation_id"], "lines": lines}


async def _finish(technician: Person, manager: Person, visit: Json) -> None:
    """The rest of a visit that needed no parts."""
    path = f"/interventions/{visit['id']}"
    work = {"solution": "réglé", "labour": [{"description": "Réglage", "minutes": 30}]}
    done(await technician.ask("PUT", f"{path}/work", json=work))
    await stories.move(technician, visit, "completed")
    done(await technician.ask("PUT", f"{path}/report", json={"findings": "usé", "work_done": "réglé"}))
    done(await technician.post(f"{path}/report/sign", {"refused": "absent"}))
    done(await technician.post(f"{path}/report/submit"))
    done(await manager.post(f"{path}/report/validate"))


async def test_somebody_elses_order_is_not_there(system: System, marie: Person) -> None:
    client, one = await system.client(), await article(marie, 5)
    order = await ordered(client, one)
    for stranger in (await system.client(), await system.technician()):
        refused(await stranger.get(f"/orders/{order['id']}"), 404, "not_found")
        for name in ("receive", "cancel"):
            await refuses(stranger, order, name, 404, "not_found")
        assert await items(stranger, "/orders", reference=order["reference"]) == []
    assert [found["id"] for found in await items(client, "/orders", q=order["reference"])] == [order["id"]]


async def test_who_may_not_do_what_with_orders(system: System, marie: Person) -> None:
    client, technician, admin = await system.client(), await system.technician(), await system.admin()
    one = await article(marie, 5)
    order = await ordered(client, one)
    lines = [{"article_id": one["id"], "quantity": 1}]
    for who in (marie, admin):
        refused(await who.post("/orders", {"purpose": "purchase", "lines": lines}), 403, "not_allowed")
    for name in ("validate", "refuse", "ship"):
        for who in (client, technician, admin):
            await refuses(who, order, name, 403, "not_allowed")
    for name in ("receive", "cancel"):
        await refuses(admin, order, name, 403, "not_allowed")
    assert done(await admin.get(f"/orders/{order['id']}"))["status"] == "placed"


async def test_twenty_orders_for_ten_pieces(system: System, marie: Person) -> None:
    client, one = await system.client(), await article(marie, 10)
    placed = await asyncio.gather(*(ordered(client, one, 1) for _ in range(20)))
    await asyncio.gather(*(act(marie, order, "validate") for order in placed))

    async def settled(reserved: int, awaited: int) -> bool:
        found = await items(marie, "/orders", client_id=client.id, limit=50)
        counted = [order["status"] for order in found]
        return (counted.count("reserved"), counted.count("back_ordered")) == (reserved, awaited)

    await eventually(partial(settled, 10, 10), 40)
    await eventually(partial(shelf, marie, one, 0, 10, 10))
    await in_stock(marie, one, 4)
    await eventually(partial(settled, 14, 6), 40)
    await eventually(partial(agrees, system, one))


@pytest.mark.parametrize("paused", [False, True], ids=["a return visit", "the visit goes on"])
async def test_a_reclamation_waits_for_parts_until_they_are_there(
    system: System, marie: Person, paused: bool
) -> None:
    client, technician = await system.client(), await system.technician()
    one = await article(marie)
    visit = await stories.at_work(client, marie, technician)
    claim: Json = {"id": visit["reclamation_id"]}
    path = f"/reclamations/{claim['id']}"

    async def is_now(status: str) -> bool:
        return bool(done(await marie.get(path))["status"] == status)

    needs = {"parts": [{"article_id": one["id"], "quantity": 2}]}
    done(await technician.ask("PUT", f"{path}/parts", json=needs))
    stops = {"to": "paused" if paused else "incomplete", "cause": "parts"}
    done(await technician.post(f"/interventions/{visit['id']}/moves", stops))
    if not paused:
        await eventually(partial(is_now, "awaiting_parts"))
    done(await marie.post(f"{path}/parts/validate", {"edition": 1}))
    await eventually(partial(shelf, marie, one, 0, 0, 2))
    await in_stock(marie, one, 2)
    await eventually(partial(shelf, marie, one, 0, 2, 0))
    await eventually(partial(is_now, "in_progress" if paused else "assigned"))
    await eventually(partial(told, technician, "parts_arrived", claim), 30)
    if not paused:
        await eventually(partial(told, marie, "return_visit_to_plan", claim), 30)
        # It is planned already, and waits for a time.
        again = await stories.visit_of(technician, claim)
        assert again["follows_id"] == visit["id"]
