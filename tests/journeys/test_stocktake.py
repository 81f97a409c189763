"""A stocktake as a manager makes one: a sheet, the counts, and what everybody reads then."""

import asyncio
from typing import Any

from stories import done, items
from system import System
from uuid_utils.compat import uuid7

from sav_contracts.catalog.stocktake import MOST_COUNTS
from sav_ops.demo.journey import BOILER


async def test_a_sheet_goes_out_and_its_counts_come_in(system: System) -> None:
    manager, technician = await system.manager(), await system.technician()
    name = f"INVENTORIED {str(uuid7())[-12:]}".upper()

    async def article(number: int) -> Any:
        told = BOILER | {"reference": f"{name} {number:03}", "family": "sanitary", "price": "2.50"}
        return done(await manager.post("/articles", told), 201)

    articles = []
    for first in range(0, MOST_COUNTS, 20):
        articles += await asyncio.gather(*(article(number) for number in range(first, first + 20)))
    ids = {article["id"] for article in articles}

    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        sheet = done(await manager.get("/stock/count-sheet", family="sanitary", in_stock="false", **after))
        found += [line for line in sheet["items"] if line["article_id"] in ids]
        if sheet["next"] is None:
            break
        after = {"after": sheet["next"]}
    assert {line["article_id"] for line in found} == ids
    counts = [{"reference": line["reference"].lower(), "counted": 4} for line in found]
    sent = {"counted_at": sheet["counted_at"], "counts": counts, "note": "Premier inventaire"}
    answer = await manager.post("/stock/stocktakes", sent)
    stocktake = done(answer, 201)
    assert (stocktake["adjusted"], stocktake["surplus"]) == (MOST_COUNTS, 4 * MOST_COUNTS)
    assert stocktake["value"] == [{"currency": "EUR", "amount": f"{10 * MOST_COUNTS}.00"}]

    # At once, for whoever wrote it and for everybody.
    path = f"/stock/stocktakes/{stocktake['id']}"
    assert answer.headers["location"] == f"/api{path}"
    assert done(await manager.get(path)) == stocktake
    assert await items(manager, "/stock/stocktakes", reference=stocktake["reference"].lower()) == [stocktake]
    assert len(done(await manager.get(f"{path}/counts"))["items"]) == MOST_COUNTS
    one = f"/articles/{articles[0]['id']}"
    assert done(await technician.get(f"{one}/stock"))["level"] == 4
    assert done(await technician.get(one))["in_stock"]
    [moved] = done(await manager.get(f"{one}/stock-movements"))["items"]
    assert (moved["reference"], moved["level"]) == (stocktake["reference"], 4)
    report = done(await manager.get("/stock/report", family="sanitary", sort="reference", limit=200))
    assert report["totals"][0]["on_hand"] >= 4 * MOST_COUNTS
    # A second manager's copy of the same sheet corrects nothing again.
    again = await (await system.manager()).post("/stock/stocktakes", sent)
    assert again.status_code == 422
    assert len(again.json()["errors"]) == 100
