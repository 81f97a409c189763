"""Stocktakes: counts come in, differences go out, and what moved meanwhile stays as it is."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_catalog import BOILER, JOINT
from given_movements import Moved, Stocked, stocked
from given_stocktakes import (
    HOUR,
    PIPE,
    PUMP,
    VALVE,
    counted,
    counting,
    free,
    moves,
    of,
    problem,
    shelves,
    wrong,
)
from pydantic import ValidationError

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleChanged
from sav_contracts.catalog.stock import StockLow, StockMoved
from sav_contracts.catalog.stocktake import (
    MOST_COUNTS,
    GetStocktakeCounts,
    RecordStocktake,
    StocktakeRecorded,
)


async def test_differences_move_stock_and_equal_counts_are_recorded(stage: Stage) -> None:
    await shelves(stage)
    # On the shelf are the free ones and the reserved ones.
    outcome = await counted(stage, (of(PUMP), 8), ("art-0002", 5), (of(PIPE), 2), note="Fin d’exercice")
    assert outcome.problem is None, outcome.problem
    year = stage.now().year
    reply = outcome.reply
    assert reply["reference"].startswith(f"INV-{year}-")
    assert (reply["by_id"], reply["note"]) == (str(world.marie.id), "Fin d’exercice")
    assert (reply["counted"], reply["adjusted"], reply["surplus"], reply["missing"]) == (3, 2, 2, 2)
    assert reply["value"] == [
        {"currency": "EUR", "amount": f"{2 * Decimal('1290.00') - 2 * Decimal('12.35')}"}
    ]

    assert [type(event) for event in outcome.events] == [
        StocktakeRecorded,
        StockMoved,
        StockMoved,
        ArticleChanged,
    ]
    recorded, pump, pipe, _ = outcome.events
    assert isinstance(recorded, StocktakeRecorded)
    assert [(one.article_id, one.counted, one.expected) for one in recorded.counts] == [
        (of(PUMP), 8, 10),
        (of(VALVE), 5, 5),
        (of(PIPE), 2, 0),
    ]
    for event, quantity in ((pump, -2), (pipe, 2)):
        assert isinstance(event, StockMoved)
        assert (event.movement, event.quantity) == ("adjust", quantity)
        assert (event.reason, event.reference) == ("Fin d’exercice", reply["reference"])
    assert await free(stage) == [5, 5, 2]

    lines = await stage.when(GetStocktakeCounts(stocktake_id=UUID(reply["id"])), by=world.alex)
    assert lines.reply["items"] == [
        {
            **{"article_id": str(of(number)), "reference": f"ART-000{number}", "name": f"Article {number}"},
            **{"counted": found, "expected": expected, "difference": found - expected},
            **{"value": value, "currency": "EUR"},
        }
        for number, found, expected, value in (
            (PUMP, 8, 10, "-24.70"),
            (VALVE, 5, 5, "0.00"),
            (PIPE, 2, 0, "2580.00"),
        )
    ]


async def test_a_movement_is_recorded_at_the_time_of_its_event(stage: Stage) -> None:
    """Also where the stock becomes low by it: that event is later."""
    await shelves(stage)
    outcome = await counted(stage, (of(PUMP), 6))
    _, moved, low = outcome.events
    assert isinstance(low, StockLow)
    [at] = await stage.database.pool.fetch("SELECT at FROM stock_movement WHERE movement = 'adjust'")
    [logged] = await stage.database.pool.fetch("SELECT at FROM event_log WHERE type LIKE '%.StockMoved.%'")
    assert at["at"] == logged["at"]
    assert moved.state.level == 3


@pytest.mark.parametrize("who", [world.lea, world.karim, world.alex], ids=["client", "technician", "admin"])
async def test_only_a_manager_records_one(stage: Stage, who: Actor) -> None:
    await shelves(stage)
    problem(await counted(stage, (of(PUMP), 8), by=who), 403)
    assert await free(stage) == [7, 5, 0]
    assert (await counted(stage, (of(PUMP), 8))).problem is None


async def test_what_moved_since_the_count_is_not_undone(stage: Stage) -> None:
    await shelves(stage)
    before = stage.now()
    assert (await moves(stage, PUMP, "consume", 4)).problem is None
    assert (await moves(stage, VALVE, "receive", 20)).problem is None
    # Nine pumps and five valves were on the shelf before that.
    outcome = await counted(stage, (of(PUMP), 9), (of(VALVE), 5), ago=stage.now() - before)
    assert outcome.problem is None, outcome.problem
    assert await free(stage) == [10 - 3 - 4 - 1, 25, 0]


async def test_reservations_are_on_the_shelf_until_they_are_used(stage: Stage) -> None:
    came = await shelves(stage)
    before = stage.now() - came - 30 * timedelta(minutes=1)
    # When nothing was reserved yet there were ten, too.
    outcome = await counted(stage, (of(PUMP), 10), ago=before)
    assert outcome.reply["adjusted"] == 0
    assert await free(stage) == [7, 5, 0]


async def test_stock_is_low_once_when_a_count_finds_it_so(stage: Stage) -> None:
    await shelves(stage)
    told = [await counted(stage, (of(PUMP), found), ago=ago) for found, ago in ((6, 2 * HOUR), (5, HOUR))]
    kinds = [[type(event) for event in one.events] for one in told]
    assert kinds == [[StocktakeRecorded, StockMoved, StockLow], [StocktakeRecorded, StockMoved]]
    again = await counted(stage, (of(PUMP), 9), ago=HOUR / 2)
    assert StockLow not in [type(event) for event in again.events]
    once_more = await counted(stage, (of(PUMP), 5), ago=HOUR / 4)
    assert StockLow in [type(event) for event in once_more.events]


async def test_an_article_is_in_stock_while_something_is_free(stage: Stage) -> None:
    await shelves(stage)
    gone = await counted(stage, (of(VALVE), 0))
    assert [type(event) for event in gone.events] == [StocktakeRecorded, StockMoved, ArticleChanged]
    assert not gone.events[-1].state.in_stock


async def test_a_retired_article_is_counted_too(stage: Stage) -> None:
    came = stage.now() - 5 * HOUR
    await stocked(stage, Stocked(PUMP, [Moved(came, "receive", 2)], {"status": "retired"}))
    assert (await counted(stage, (of(PUMP), 1))).problem is None
    assert await free(stage) == [1]


async def test_fewer_than_are_reserved_is_refused_and_says_how_many(stage: Stage) -> None:
    await shelves(stage)
    # Three are reserved, so eight missing ones cannot all be free ones.
    outcome = await counted(stage, (of(VALVE), 4), (of(PUMP), 2))
    told = wrong(outcome)
    assert set(told) == {"counts.1.counted"}
    assert "ART-0001: 2 were counted where 10 were expected" in told["counts.1.counted"]
    assert "7 are free and 3 are reserved" in told["counts.1.counted"]
    assert outcome.problem
    assert outcome.problem.french
    assert "3 réservés" in outcome.problem.french.messages[0]
    assert await free(stage) == [7, 5, 0]
    # As many as are reserved are no difficulty: nothing is free then.
    assert (await counted(stage, (of(PUMP), 3))).problem is None
    assert await free(stage) == [0, 5, 0]


async def test_every_line_that_is_wrong_is_named(stage: Stage) -> None:
    await shelves(stage)
    nowhere = UUID(int=7)
    told = wrong(
        await counted(
            stage, (of(PUMP), 1), ("ART-0002", 5), (nowhere, 1), ("=1+1", 1), (of(VALVE), 5), (of(PUMP), 2)
        )
    )
    assert told == {
        "counts.2.article_id": f"There is no article {nowhere}",
        "counts.3.reference": "There is no article =1+1",
        "counts.4": "ART-0002 is counted in counts.1 already: add both counts up",
        "counts.5": "ART-0001 is counted in counts.0 already: add both counts up",
    }
    assert await free(stage) == [7, 5, 0]


@pytest.mark.parametrize(
    ("count", "field"),
    [
        ({"article_id": str(BOILER), "counted": -1}, "counts.0.counted"),
        ({"article_id": str(BOILER), "counted": 1.5}, "counts.0.counted"),
        ({"article_id": str(BOILER)}, "counts.0.counted"),
        ({"counted": 1}, "counts.0"),
        ({"article_id": str(BOILER), "reference": "CH-24", "counted": 1}, "counts.0"),
    ],
)
def test_a_line_says_one_article_and_a_number(count: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        RecordStocktake.model_validate({"counted_at": "2026-03-02T17:30:00Z", "counts": [count]})
    assert [".".join(map(str, error["loc"])) for error in raised.value.errors()] == [field]


@pytest.mark.parametrize(
    ("ago", "taken"), [(-HOUR, False), (timedelta(days=93), False), (timedelta(days=91), True)]
)
async def test_the_moment_of_the_count_is_past_and_not_long_ago(
    stage: Stage, ago: timedelta, taken: bool
) -> None:
    await shelves(stage)
    outcome = await counted(stage, (of(PIPE), 1), ago=ago)
    if taken:
        assert outcome.problem is None
    else:
        assert set(wrong(outcome)) == {"counted_at"}


async def test_a_count_that_is_older_than_another_one_is_refused(stage: Stage) -> None:
    await shelves(stage)
    assert (await counted(stage, (of(PUMP), 8), ago=HOUR)).problem is None
    for ago in (2 * HOUR, 3 * HOUR):
        told = wrong(await counted(stage, (of(VALVE), 4), (of(PUMP), 9), ago=ago))
        assert set(told) == {"counts.1"}
        assert "ART-0001 was counted at" in told["counts.1"]
    assert await free(stage) == [5, 5, 0]
    assert (await counted(stage, (of(VALVE), 4), ago=2 * HOUR)).problem is None


async def test_the_same_count_is_not_taken_twice_even_without_a_key(stage: Stage) -> None:
    await shelves(stage)
    sheet = counting(stage, (of(PUMP), 8))
    assert (await stage.when(sheet, by=world.marie)).problem is None
    assert set(wrong(await stage.when(sheet, by=world.marie))) == {"counts.0"}
    assert await free(stage) == [5, 5, 0]


async def test_a_stocktake_that_is_repeated_with_its_key_counts_once(stage: Stage) -> None:
    await shelves(stage)
    sheet = counting(stage, (of(PUMP), 8))
    first = await stage.when(sheet, by=world.marie, key="k")
    again = await stage.when(sheet, by=world.marie, key="k")
    assert again.reply == first.reply
    assert await free(stage) == [5, 5, 0]


async def test_a_count_between_another_one_and_its_recording_corrects_nothing_twice(stage: Stage) -> None:
    await shelves(stage)
    # Two are missing. One counts, then another; the first sheet is sent before the second one.
    assert (await counted(stage, (of(PUMP), 8), ago=2 * HOUR)).reply["missing"] == 2
    outcome = await counted(stage, (of(PUMP), 8), ago=HOUR)
    assert (outcome.reply["adjusted"], outcome.reply["missing"]) == (0, 0)
    assert await free(stage) == [5, 5, 0]


async def test_as_many_as_a_sheet_has_are_taken_at_once(stage: Stage) -> None:
    came = stage.now() - 10 * HOUR
    numbers = range(MOST_COUNTS)
    largest = [Moved(came, "receive", 1_000_000)]
    await stocked(stage, *(Stocked(number, largest) for number in numbers))
    note = "\N{CJK UNIFIED IDEOGRAPH-20BB7}" * 500
    outcome = await counted(stage, *((of(number), 0) for number in numbers), note=note)
    assert outcome.problem is None, outcome.problem
    assert (outcome.reply["adjusted"], outcome.reply["missing"]) == (MOST_COUNTS, MOST_COUNTS * 1_000_000)
    assert await free(stage) == [0] * MOST_COUNTS


async def test_counts_of_a_stocktake_that_there_is_not_are_not_found(stage: Stage) -> None:
    problem(await stage.when(GetStocktakeCounts(stocktake_id=JOINT), by=world.marie), 404)
