"""Parts on their way: listed, validated, back-ordered, delivered, built in; and the stock all the while."""

from functools import partial
from typing import Any

import stories
from eventually import eventually
from journeys_parts import agrees, in_stock, shelf, told
from stories import Json, done, items
from system import Person, System
from uuid_utils.compat import uuid7

from sav_ops.demo.journey import PUMP


async def lines(who: Person, claim: Json) -> dict[str, tuple[str, int]]:
    """The state of each line, and how many of it are used, by the name of its article."""
    parts = done(await who.get(f"/reclamations/{claim['id']}"))["parts"]
    return {part["article"]: (part["state"], part["used"]) for part in parts}


async def test_parts_that_were_waited_for_are_built_in(system: System) -> None:
    client, technician, manager = await system.client(), await system.technician(), await system.manager()
    pump, valve = [
        done(
            await manager.post(
                "/articles", PUMP | {"reference": f"{name}-{str(uuid7())[-12:]}", "name": name}
            ),
            201,
        )
        for name in ("pump", "valve")
    ]
    await in_stock(manager, pump, 5)
    visit = await stories.at_work(client, manager, technician)
    claim: Json = {"id": visit["reclamation_id"]}
    path = f"/reclamations/{claim['id']}/parts"
    needs = [{"article_id": one["id"], "quantity": 2} for one in (pump, valve)]
    listed = done(await technician.ask("PUT", path, json={"parts": needs}))
    await eventually(partial(told, manager, "parts_to_validate", claim))
    done(await manager.post(f"{path}/validate", {"edition": listed["parts_edition"]}))

    async def follow(**wanted: tuple[str, int]) -> bool:
        return all([await lines(who, claim) == wanted for who in (client, technician, manager)])

    await eventually(partial(follow, pump=("reserved", 0), valve=("back_ordered", 0)))
    await eventually(partial(shelf, manager, pump, 3, 2, 0))
    await eventually(partial(shelf, manager, valve, 0, 0, 2))
    [waits] = await items(manager, "/reservations", status="back_ordered", article_id=valve["id"])
    assert (waits["for_id"], waits["quantity"]) == (claim["id"], 2)
    assert not await told(technician, "parts_arrived", claim)

    await in_stock(manager, valve, 3)
    await eventually(partial(follow, pump=("reserved", 0), valve=("reserved", 0)))
    await eventually(partial(told, technician, "parts_arrived", claim))

    parts: list[Any] = [{"article_id": one["id"], "quantity": 2, "serial": "S-1"} for one in (pump, valve)]
    await works(technician, manager, visit, [parts[0], parts[1] | {"quantity": 4}])
    await eventually(partial(follow, pump=("used", 2), valve=("used", 2)))
    # Of the valves there was one too few.
    await eventually(partial(shelf, manager, pump, 3, 0, 0))
    await eventually(partial(shelf, manager, valve, 0, 0, 0))

    async def asked_to_count() -> bool:
        alerts = await items(manager, "/notifications", user_id=manager.id, category="alert")
        return any(valve["reference"] in one["subject"] and "compter" in one["subject"] for one in alerts)

    await eventually(asked_to_count)
    timeline = await stories.types(technician, claim)
    assert {"PartsRequested", "PartsValidated", "StockShort", "StockReserved", "StockUsed"} <= set(timeline)
    assert not [one for one in await stories.types(client, claim) if "Stock" in one or "Parts" in one]
    await eventually(partial(agrees, system, pump, valve))


async def works(technician: Person, manager: Person, visit: Json, parts: list[Any]) -> None:
    """The rest of the visit, until its report is validated."""
    path = f"/interventions/{visit['id']}"
    work = {"solution": "remplacé", "labour": [{"description": "Pose", "minutes": 30}], "parts": parts}
    done(await technician.ask("PUT", f"{path}/work", json=work))
    await stories.move(technician, visit, "completed")
    done(await technician.ask("PUT", f"{path}/report", json={"findings": "usé", "work_done": "changé"}))
    done(await technician.post(f"{path}/report/sign", {"refused": "absent"}))
    done(await technician.post(f"{path}/report/submit"))
    done(await manager.post(f"{path}/report/validate"))


async def test_a_claim_that_is_over_holds_no_parts(system: System) -> None:
    client, technician, manager = await system.client(), await system.technician(), await system.manager()
    reference = f"P-{str(uuid7())[-12:]}"
    pump = done(await manager.post("/articles", PUMP | {"reference": reference}), 201)
    await in_stock(manager, pump, 3)
    visit = await stories.at_work(client, manager, technician)
    claim: Json = {"id": visit["reclamation_id"]}
    path = f"/reclamations/{claim['id']}"
    needs = {"parts": [{"article_id": pump["id"], "quantity": 2}]}
    done(await technician.ask("PUT", f"{path}/parts", json=needs))
    done(await manager.post(f"{path}/parts/validate", {"edition": 1}))
    await eventually(partial(shelf, manager, pump, 1, 2, 0))
    await works(technician, manager, visit, [])

    async def resolved() -> bool:
        return bool(done(await manager.get(path))["status"] == "resolved")

    await eventually(resolved)
    assert await shelf(manager, pump, 1, 2, 0)
    done(await client.post(f"{path}/moves", {"to": "closed"}))
    await eventually(partial(shelf, manager, pump, 3, 0, 0))

    async def released() -> bool:
        return await lines(client, claim) == {PUMP["name"]: ("released", 0)}

    await eventually(released)
    await eventually(partial(agrees, system, pump))
