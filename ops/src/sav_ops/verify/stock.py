"""Stock: levels, the movements that make them up, what was counted, the events of these, and reservations."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from sav_chassis.views import RecordedEvent
from sav_contracts.catalog.stock import StockMoved
from sav_contracts.catalog.stocktake import StocktakeRecorded
from sav_contracts.messages import Event
from sav_ops.verify.moment import BATCH, Snapshot, said

UNBALANCED = """
SELECT reference, level, moved FROM (
    SELECT s.reference, s.level, coalesce(sum(m.quantity), 0) AS moved
    FROM stock_level s LEFT JOIN stock_movement m USING (article_id) GROUP BY s.id) counted
WHERE level <> moved ORDER BY reference"""
# What is said of the pieces that are reserved, and of those that are waited for.
RESERVED = """
SELECT * FROM (
    SELECT s.reference, s.reserved, s.back_ordered,
        (SELECT coalesce(-sum(m.quantity), 0) FROM stock_movement m
            WHERE m.article_id = s.article_id AND m.movement IN ('reserve', 'release')) AS moved,
        coalesce(sum(r.quantity - r.used) FILTER (WHERE r.status = 'reserved'), 0) AS held,
        coalesce(sum(r.quantity - r.used) FILTER (WHERE r.status = 'back_ordered'), 0) AS awaited
    FROM stock_level s LEFT JOIN reservation r USING (article_id) GROUP BY s.id) counted
WHERE reserved <> moved OR reserved <> held OR back_ordered <> awaited ORDER BY reference"""
# By the copies of the repair that it is for, and of the order; `public`, since `read_sides` has a temporary table of
# that name. What a technician has received for a repair stays reserved until the work, or until the repair is over.
LEFT_BEHIND = """
SELECT r.reference, r.for_reference, r.quantity - r.used AS rest, r.status
FROM reservation r
WHERE r.status IN ('reserved', 'back_ordered') AND EXISTS (
    SELECT FROM public.view v
    WHERE NOT v.open AND (
        v.kind = 'reclamation' AND v.id = r.repair_id
        OR v.kind = 'order' AND v.id = r.for_id AND (r.repair_id IS NULL OR v.doc ->> 'status' <> 'received')))
ORDER BY r.for_reference, r.reference"""
TOLD = "CREATE TEMP TABLE told ON COMMIT DROP AS SELECT {columns} FROM {table} WHERE false"
DIFFER = """
SELECT '{what}' AS what, * FROM (
    SELECT {columns} FROM {this} EXCEPT ALL SELECT {columns} FROM {other}) unequal
ORDER BY {last}"""


class Kept(NamedTuple):
    """A table whose rows follow from events: its columns, and what one event puts into them."""

    table: str
    columns: tuple[str, ...]
    event: type[Event]
    rows: Callable[[RecordedEvent], Iterator[tuple[Any, ...]]]


def _movement(recorded: RecordedEvent) -> Iterator[tuple[Any, ...]]:
    envelope, event = recorded
    if isinstance(event, StockMoved):
        facts = event.movement, event.quantity, event.reason, event.reference
        yield event.state.article_id, *facts, envelope.actor_id, envelope.at


def _lines(recorded: RecordedEvent) -> Iterator[tuple[Any, ...]]:
    _, event = recorded
    if isinstance(event, StocktakeRecorded):
        for one in event.counts:
            yield event.state.id, one.article_id, one.counted, one.expected, event.state.counted_at


MOVEMENTS = Kept(
    "stock_movement",
    ("article_id", "movement", "quantity", "reason", "reference", "by_id", "at"),
    StockMoved,
    _movement,
)
COUNTS = Kept(
    "stocktake_line",
    ("stocktake_id", "article_id", "counted", "expected", "counted_at"),
    StocktakeRecorded,
    _lines,
)


async def stock(moment: Snapshot) -> AsyncIterator[str]:
    """Check that every level is the sum of its movements, and that events, movements, counts and reservations agree."""
    database = moment.databases["catalog"]
    moment.checked["stock movements"] = await database.fetchval("SELECT count(*) FROM stock_movement")
    async for row in database.cursor(UNBALANCED, prefetch=BATCH):
        yield f"catalog: the stock of {row['reference']} is {row['level']}, its movements make {row['moved']}"
    moment.checked["reservations"] = await database.fetchval("SELECT count(*) FROM reservation")
    async for row in database.cursor(RESERVED, prefetch=BATCH):
        yield (
            f"catalog: {row['reserved']} of {row['reference']} are reserved, {row['moved']} by its movements,"
            f" {row['held']} by its reservations; {row['back_ordered']} are back-ordered, {row['awaited']} by these"
        )
    async for row in database.cursor(LEFT_BEHIND, prefetch=BATCH):
        yield f"catalog: {row['for_reference']} is over, and {row['rest']} of {row['reference']} are {row['status']} for it"
    async for row in _differing(database, MOVEMENTS):
        yield f"catalog: the movement of {row['quantity']} of article {row['article_id']} at {_time(row['at'])}, {row['movement']} for {row['reference'] or row['reason'] or 'nothing'}, is {row['what']}"
    async for row in _differing(database, COUNTS):
        yield f"catalog: the count of {row['counted']} of article {row['article_id']} at {_time(row['counted_at'])}, in stocktake {row['stocktake_id']}, is {row['what']}"


async def _differing(database: "asyncpg.Connection[Any]", kept: Kept) -> "AsyncIterator[asyncpg.Record]":
    """Yield the rows of no event, and those that are missing."""
    columns = ", ".join(kept.columns)
    await database.execute(TOLD.format(columns=columns, table=kept.table))
    async for events in said(database, kept.event):
        rows = [row for one in events for row in kept.rows(one)]
        await database.copy_records_to_table("told", records=rows, columns=kept.columns)
    for what, this, other in (("of no event", kept.table, "told"), ("missing", "told", kept.table)):
        query = DIFFER.format(what=what, columns=columns, this=this, other=other, last=kept.columns[-1])
        async for row in database.cursor(query, prefetch=BATCH):
            yield row
    await database.execute("DROP TABLE told")


def _time(moment: datetime) -> str:
    return f"{moment:%F %T}"
