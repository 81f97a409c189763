"""The sheet to count stock with."""

from datetime import datetime
from typing import Any

import world
from given_movements import Moved, Stocked, stocked
from given_stocktakes import HOUR, PIPE, PUMP, VALVE, counted, of, shelves

from sav_chassis.testing import Stage
from sav_contracts.catalog.stocktake import GetCountSheet


async def sheet(stage: Stage, **parameters: Any) -> dict[str, Any]:
    outcome = await stage.when(GetCountSheet.model_validate(parameters), by=world.alex)
    assert outcome.problem is None, outcome.problem
    return outcome.reply


async def test_a_sheet_says_what_to_count_and_not_how_many_there_are(stage: Stage) -> None:
    came = stage.now() - 10 * HOUR
    some = [Moved(came, "receive", 1), Moved(came, "reserve", -1)]
    await stocked(
        stage,
        Stocked(PUMP, some, {"name": '=HYPERLINK("x";"y")', "gtin": "03012345678900", "family": "part"}),
        Stocked(VALVE, some, {"status": "retired"}),
        Stocked(PIPE, [], {"status": "retired"}),
        Stocked(4),
    )
    told = await sheet(stage)
    assert datetime.fromisoformat(told["counted_at"]) <= stage.now()
    assert [line["reference"] for line in told["items"]] == ["ART-0001", "ART-0002", "ART-0004"]
    assert told["items"][0] == {
        **{"article_id": str(of(PUMP)), "reference": "ART-0001", "gtin": "03012345678900"},
        **{"name": '=HYPERLINK("x";"y")', "brand": "Thermo", "family": "part", "counted": None},
    }
    assert told["csv"].split("\r\n") == [
        "\ufeffRéférence;Code-barres;Désignation;Marque;Compté",
        """ART-0001;03012345678900;"'=HYPERLINK(""x"";""y"")";Thermo;""",
        "ART-0002;;Article 2;Thermo;",
        "ART-0004;;Article 4;Thermo;",
        "",
    ]


async def test_a_sheet_chooses_what_to_count(stage: Stage) -> None:
    await shelves(stage)

    async def chosen(**parameters: Any) -> list[str]:
        found: list[str] = []
        after = None
        while True:
            told = await sheet(stage, **parameters, limit=1, after=after)
            found += [line["reference"][-1] for line in told["items"]]
            if (after := told["next"]) is None:
                return found

    assert await chosen() == ["1", "2", "3"]
    assert await chosen(in_stock=True) == ["1", "2"]
    assert await chosen(in_stock=False) == ["3"]
    assert await chosen(family="part") == []
    assert (await counted(stage, (of(PUMP), 10), ago=HOUR)).problem is None
    assert await chosen(not_counted_since=stage.now() - 2 * HOUR) == ["2", "3"]
    assert await chosen(not_counted_since=stage.now() - HOUR / 2) == ["1", "2", "3"]
