"""Moving stock."""

import asyncio

import pytest
import world
from given_catalog import BOILER, article, stock

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleChanged, ChangeArticle
from sav_contracts.catalog.stock import MoveStock, StockLow, StockMoved


def moving(movement: str, quantity: int, **fields: object) -> MoveStock:
    return MoveStock.model_validate(
        {"article_id": BOILER, "movement": movement, "quantity": quantity, "reason": "inventaire"} | fields
    )


async def level_and_sum(stage: Stage) -> tuple[int, int]:
    """The level, and what the movements sum up to."""
    row = await stage.database.pool.fetchrow(
        """SELECT level, (SELECT coalesce(sum(quantity), 0) FROM stock_movement WHERE article_id = $1) AS moved
        FROM stock_level WHERE article_id = $1""",
        BOILER,
    )
    assert row is not None
    return row["level"], int(row["moved"])


def types(outcome: Outcome) -> list[type]:
    assert outcome.problem is None
    return [type(event) for event in outcome.events]


@pytest.mark.parametrize(
    ("movement", "quantity", "change"),
    [("receive", 4, 4), ("return", 1, 1), ("consume", 3, -3), ("adjust", 2, 2), ("adjust", -2, -2)],
)
async def test_a_movement_changes_the_level(stage: Stage, movement: str, quantity: int, change: int) -> None:
    await stage.given(article(in_stock=True), stock(level=10))
    outcome = await stage.when(moving(movement, quantity, reference="BL 12"), by=world.marie)
    moved = outcome.only(StockMoved)
    assert (moved.movement, moved.quantity, moved.state.level) == (movement, change, 10 + change)
    assert (moved.reason, moved.reference) == ("inventaire", "BL 12")
    assert outcome.reply["level"] == 10 + change


async def test_a_movement_is_kept_with_who_and_why(stage: Stage) -> None:
    await stage.given(article(), stock())
    moved = (await stage.when(moving("receive", 4, reference="BL 12"), by=world.marie)).events[0]
    [row] = await stage.database.pool.fetch("SELECT * FROM stock_movement")
    assert (row["movement"], row["quantity"], row["reason"], row["reference"], row["by_id"], row["at"]) == (
        "receive",
        4,
        "inventaire",
        "BL 12",
        world.marie.id,
        moved.state.updated_at,
    )


async def test_a_movement_after_which_stock_is_low_is_kept_at_the_time_of_its_event(stage: Stage) -> None:
    await stage.given(article(in_stock=True, minimum_stock=4), stock(level=4, minimum=4))
    assert types(await stage.when(moving("consume", 1), by=world.marie)) == [StockMoved, StockLow]
    [row] = await stage.database.pool.fetch("SELECT at FROM stock_movement")
    [told] = await stage.database.pool.fetch("SELECT at FROM event_log WHERE type LIKE '%.StockMoved.%'")
    assert row["at"] == told["at"]


@pytest.mark.parametrize("who", [world.lea, world.karim, world.alex], ids=["client", "technician", "admin"])
async def test_only_a_manager_moves_stock(stage: Stage, who: Actor) -> None:
    await stage.given(article(), stock())
    outcome = await stage.when(moving("receive", 1), by=who)
    assert outcome.problem
    assert outcome.problem.status == 403
    assert await level_and_sum(stage) == (0, 0)


async def test_an_article_that_does_not_exist_has_no_stock(stage: Stage) -> None:
    outcome = await stage.when(moving("receive", 1), by=world.marie)
    assert outcome.problem
    assert outcome.problem.status == 404


@pytest.mark.parametrize(("movement", "quantity"), [("consume", 3), ("adjust", -3)])
async def test_the_level_never_falls_below_zero(stage: Stage, movement: str, quantity: int) -> None:
    await stage.given(article(in_stock=True), stock(level=2))
    outcome = await stage.when(moving(movement, quantity), by=world.marie)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (409, "not_enough_stock")
    assert "the stock is 2" in outcome.problem.detail
    assert outcome.events == []
    assert await level_and_sum(stage) == (2, 0)


async def test_the_article_is_in_stock_while_there_is_one(stage: Stage) -> None:
    await stage.given(article(), stock())
    came = await stage.when(moving("receive", 2), by=world.marie)
    assert types(came) == [StockMoved, ArticleChanged]
    assert type(came.events[1]) is ArticleChanged
    assert came.events[1].state.in_stock

    assert types(await stage.when(moving("consume", 1), by=world.marie)) == [StockMoved]

    gone = await stage.when(moving("consume", 1), by=world.marie)
    assert types(gone) == [StockMoved, ArticleChanged]
    assert type(gone.events[1]) is ArticleChanged
    assert not gone.events[1].state.in_stock


async def test_stock_is_low_once_when_it_falls_below_its_minimum(stage: Stage) -> None:
    await stage.given(article(in_stock=True, minimum_stock=3), stock(level=4, minimum=3))
    told = [types(await stage.when(moving("consume", 1), by=world.marie)) for _ in range(3)]
    assert told == [[StockMoved], [StockMoved, StockLow], [StockMoved]]

    await stage.when(moving("receive", 2), by=world.marie)
    again = await stage.when(moving("consume", 1), by=world.marie)
    assert types(again) == [StockMoved, StockLow]
    assert isinstance(again.events[1], StockLow)
    assert again.events[1].state.level == 2


async def test_without_a_minimum_stock_is_never_low(stage: Stage) -> None:
    await stage.given(article(in_stock=True), stock(level=1))
    assert StockLow not in types(await stage.when(moving("consume", 1), by=world.marie))


async def test_what_is_left_of_a_retired_article_still_moves(stage: Stage) -> None:
    await stage.given(article(status="retired", in_stock=True), stock(level=2))
    assert (await stage.when(moving("consume", 1), by=world.marie)).only(StockMoved).state.level == 1


async def test_a_movement_that_is_repeated_with_its_key_counts_once(stage: Stage) -> None:
    await stage.given(article(), stock())
    first = await stage.when(moving("receive", 5), by=world.marie, key="k")
    again = await stage.when(moving("receive", 5), by=world.marie, key="k")
    assert again.reply == first.reply
    assert await level_and_sum(stage) == (5, 5)


async def test_of_twenty_movements_at_once_none_is_lost(stage: Stage) -> None:
    await stage.given(article(), stock())
    outcomes = await asyncio.gather(
        *(stage.when(moving("receive", n), by=world.marie, seconds=20) for n in range(1, 21))
    )
    assert [outcome.problem for outcome in outcomes] == [None] * 20
    assert await level_and_sum(stage) == (210, 210)
    versions = await stage.database.pool.fetch(
        "SELECT sequence FROM event_log WHERE kind = 'stock_level' ORDER BY position"
    )
    assert [row["sequence"] for row in versions] == list(range(2, 22))


async def test_who_take_the_last_ones_at_once_never_take_more_than_there_are(stage: Stage) -> None:
    await stage.given(article(in_stock=True), stock())
    await stage.when(moving("receive", 5), by=world.marie)
    outcomes = await asyncio.gather(
        *(stage.when(moving("consume", 1), by=world.marie, seconds=20) for _ in range(10))
    )
    codes = [outcome.problem.code if outcome.problem else "taken" for outcome in outcomes]
    assert sorted(codes) == ["not_enough_stock"] * 5 + ["taken"] * 5
    assert await level_and_sum(stage) == (0, 0)


async def test_movements_and_other_minimums_at_once_do_not_wait_in_a_circle(stage: Stage) -> None:
    await stage.given(article(), stock())
    outcomes = await asyncio.gather(
        *(stage.when(moving("receive", 1), by=world.marie, seconds=20) for _ in range(8)),
        *(
            stage.when(ChangeArticle(article_id=BOILER, minimum_stock=n), by=world.marie, seconds=20)
            for n in range(1, 9)
        ),
    )
    assert [outcome.problem for outcome in outcomes] == [None] * 16
    assert await level_and_sum(stage) == (8, 8)
