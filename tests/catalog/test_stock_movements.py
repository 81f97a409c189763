"""What moved an article's stock, for whoever sees a level that is wrong."""

from datetime import timedelta
from typing import Any

import pytest
import world
from given_catalog import JOINT
from given_movements import Moved, Stocked, stocked

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.stock import MoveStock
from sav_contracts.catalog.stock_report import FindStockMovements

HOUR = timedelta(hours=1)


async def asked(stage: Stage, by: Actor = world.marie, **parameters: Any) -> Outcome:
    query = FindStockMovements.model_validate({"article_id": Stocked(1).id} | parameters)
    return await stage.when(query, by=by)


async def some(stage: Stage) -> None:
    """Five movements of one article, two of them at the same moment, and one of another."""
    came = stage.now() - 5 * HOUR
    moved = [
        Moved(came, "receive", 10),
        Moved(came + HOUR, "reserve", -3),
        Moved(came + 2 * HOUR, "release", 1),
        Moved(came + 2 * HOUR, "consume", -1),
        Moved(came + 3 * HOUR, "adjust", -2),
    ]
    await stocked(stage, Stocked(1, moved), Stocked(2, moved[:1]))


async def test_each_movement_shows_the_level_that_it_left(stage: Stage) -> None:
    await some(stage)
    add = {"article_id": Stocked(1).id, "movement": "receive", "quantity": 4, "reference": "BL-1"}
    new = await stage.when(MoveStock.model_validate(add), by=world.marie)
    told = (await asked(stage, by=world.alex)).reply
    shown = [(one["movement"], one["quantity"], one["level"]) for one in told["items"]]
    assert shown[:2] == [("receive", 4, 9), ("adjust", -2, 5)]
    assert shown[4:] == [("reserve", -3, 7), ("receive", 10, 10)]
    # Of two at the same moment either may be the first.
    assert {movement for movement, _, _ in shown[2:4]} == {"release", "consume"}
    assert shown[2][2] == 7
    assert told["next"] is None
    newest = told["items"][0]
    assert (newest["reference"], newest["by_id"]) == ("BL-1", str(world.marie.id))
    assert newest["level"] == new.reply["level"]


async def test_pages_have_every_movement_once(stage: Stage) -> None:
    await some(stage)
    whole = (await asked(stage)).reply["items"]
    for limit in (1, 2, 4, 5):
        found: list[Any] = []
        after = None
        while True:
            told = (await asked(stage, limit=limit, after=after)).reply
            found += told["items"]
            if (after := told["next"]) is None:
                break
        assert found == whole


@pytest.mark.parametrize("after", ["x", "WyJhdCIsIngiLCJ5Il0", "WyJyZWZlcmVuY2UiLCJhIl0"])
async def test_what_is_no_next_is_refused(stage: Stage, after: str) -> None:
    await some(stage)
    problem = (await asked(stage, after=after)).problem
    assert problem
    assert (problem.status, [error.field for error in problem.errors or []]) == (422, ["after"])


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_and_admins_read_them(stage: Stage, who: Actor) -> None:
    await some(stage)
    problem = (await asked(stage, by=who)).problem
    assert problem
    assert problem.status == 403


async def test_an_article_that_there_is_not_has_none(stage: Stage) -> None:
    problem = (await asked(stage, article_id=JOINT)).problem
    assert problem
    assert problem.status == 404
