"""Shelves with stock, and what is counted on them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_movements import Moved, Stocked, stocked

from sav_chassis.errors import Problem
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.stock import MoveStock
from sav_contracts.catalog.stocktake import RecordStocktake

HOUR = timedelta(hours=1)
PUMP, VALVE, PIPE = 1, 2, 3


def of(number: int) -> UUID:
    return Stocked(number).id


async def shelves(stage: Stage) -> datetime:
    """Ten pumps of which three are reserved, five valves, no pipe; when they came."""
    came = stage.now() - 10 * HOUR
    await stocked(
        stage,
        Stocked(
            PUMP,
            [Moved(came, "receive", 10), Moved(came + HOUR, "reserve", -3)],
            {"price": Decimal("12.35"), "minimum_stock": 4},
        ),
        Stocked(VALVE, [Moved(came, "receive", 5)], {"price": Decimal("4.10")}),
        Stocked(PIPE),
    )
    return came


def counting(stage: Stage, *counts: tuple[Any, int], ago: timedelta = HOUR, **more: Any) -> RecordStocktake:
    lines = [
        {"reference" if isinstance(name, str) else "article_id": name, "counted": counted}
        for name, counted in counts
    ]
    return RecordStocktake.model_validate({"counted_at": stage.now() - ago, "counts": lines} | more)


async def counted(
    stage: Stage, *counts: tuple[Any, int], ago: timedelta = HOUR, by: Actor = world.marie, **more: Any
) -> Outcome:
    return await stage.when(counting(stage, *counts, ago=ago, **more), by=by, seconds=20)


async def moves(stage: Stage, number: int, movement: str, quantity: int) -> Outcome:
    fields = {"article_id": of(number), "movement": movement, "quantity": quantity, "reason": "inventaire"}
    return await stage.when(MoveStock.model_validate(fields), by=world.marie, seconds=20)


async def free(stage: Stage) -> list[int]:
    """What is free of each article, which is the sum of its movements."""
    rows = await stage.database.pool.fetch(
        """SELECT level, (SELECT coalesce(sum(quantity), 0) FROM stock_movement m
            WHERE m.article_id = s.article_id)::int AS moved FROM stock_level s ORDER BY article_id"""
    )
    assert [row["level"] for row in rows] == [row["moved"] for row in rows]
    return [row["level"] for row in rows]


def problem(outcome: Outcome, status: int = 422) -> Problem:
    assert outcome.problem
    assert outcome.problem.status == status, outcome.problem
    assert outcome.events == []
    return outcome.problem


def wrong(outcome: Outcome) -> dict[str, str]:
    return {error.field: error.message for error in problem(outcome).errors or []}
