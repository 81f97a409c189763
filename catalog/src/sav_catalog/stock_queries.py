"""What moved an article's stock, what to count, and what was counted."""

import csv
import io
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import exists, func, select, tuple_

from sav_catalog.app import catalog
from sav_catalog.model import Article, StockLevel, StockMovement, Stocktake, StocktakeLine
from sav_catalog.pages import place
from sav_chassis.marks import mark
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.stock_report import FindStockMovements, MovementLine, StockMovements
from sav_contracts.catalog.stocktake import (
    CountLine,
    CountSheet,
    GetCountSheet,
    GetStocktakeCounts,
    SheetLine,
    StocktakeCounts,
)

RESERVING = ("reserve", "release")
# What spreadsheets take for the beginning of a formula, or skip before one (OWASP, CSV injection).
FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


@catalog.query(FindStockMovements)
async def find_stock_movements(query: FindStockMovements, tx: Tx, by: Actor) -> StockMovements:
    """The movements of an article, each with the level that it left."""
    article = await tx.read(Article, query.article_id, by)
    moved = (
        select(
            StockMovement,
            func.sum(StockMovement.quantity)
            .over(order_by=(StockMovement.at, StockMovement.id))
            .label("level"),
        )
        .where(StockMovement.article_id == article.id)
        .subquery()
    )
    chosen = select(moved).order_by(moved.c.at.desc(), moved.c.id.desc()).limit(query.limit + 1)
    if after := place(query.after, "at", AwareDatetime, UUID):
        chosen = chosen.where(tuple_(moved.c.at, moved.c.id) < tuple_(*after))
    rows = (await tx.session.execute(chosen)).all()
    items = [MovementLine.model_validate(row, from_attributes=True) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return StockMovements(
        items=items, next=mark("at", items[-1].at.isoformat(), str(items[-1].id)) if more else None
    )


@catalog.query(GetCountSheet)
async def get_count_sheet(query: GetCountSheet, tx: Tx, by: Actor) -> CountSheet:
    """Articles to count, by reference."""
    reserved = (
        select(func.coalesce(-func.sum(StockMovement.quantity), 0))
        .where(StockMovement.article_id == Article.id, StockMovement.movement.in_(RESERVING))
        .scalar_subquery()
    )
    there = (StockLevel.level > 0) | (reserved > 0)
    chosen = select(Article).join(StockLevel, StockLevel.article_id == Article.id)
    chosen = chosen.where((Article.status != "retired") | there)
    if query.family:
        chosen = chosen.where(Article.family == query.family)
    if query.in_stock is not None:
        chosen = chosen.where(there if query.in_stock else ~there)
    if query.not_counted_since:
        chosen = chosen.where(~_counted_since(query.not_counted_since))
    if after := place(query.after, "reference", str):
        chosen = chosen.where(Article.reference > after[0])
    found = list(await tx.session.scalars(chosen.order_by(Article.reference).limit(query.limit + 1)))
    items = [
        SheetLine(
            article_id=article.id,
            reference=article.reference,
            gtin=article.gtin,
            name=article.name,
            brand=article.brand,
            family=article.family,
        )
        for article in found[: query.limit]
    ]
    more = len(found) > query.limit
    return CountSheet(
        counted_at=tx.now,
        items=items,
        csv=_csv(items),
        next=mark("reference", items[-1].reference) if more else None,
    )


def _csv(items: Iterable[SheetLine]) -> str:
    """Semicolons, and a mark that it is UTF-8: what Excel reads in France."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, delimiter=";")
    rows.writerow(["Référence", "Code-barres", "Désignation", "Marque", "Compté"])
    for item in items:
        cells = item.reference, item.gtin or "", item.name, item.brand, ""
        rows.writerow([f"'{cell}" if FORMULA.match(cell) else cell for cell in cells])
    return "\ufeff" + text.getvalue()


def _counted_since(moment: datetime) -> Any:
    return exists().where(StocktakeLine.article_id == Article.id, StocktakeLine.counted_at >= moment)


@catalog.query(GetStocktakeCounts)
async def get_stocktake_counts(query: GetStocktakeCounts, tx: Tx, by: Actor) -> StocktakeCounts:
    """The lines of a stocktake, by reference."""
    stocktake = await tx.read(Stocktake, query.stocktake_id, by)
    chosen = (
        select(StocktakeLine, Article)
        .join(Article, Article.id == StocktakeLine.article_id)
        .where(StocktakeLine.stocktake_id == stocktake.id)
        .order_by(Article.reference)
    )
    return StocktakeCounts(
        items=[
            CountLine(
                article_id=article.id,
                reference=article.reference,
                name=article.name,
                counted=line.counted,
                expected=line.expected,
                difference=line.counted - line.expected,
                value=(line.counted - line.expected) * line.price,
                currency=line.currency,
            )
            for line, article in await tx.session.execute(chosen)
        ]
    )
