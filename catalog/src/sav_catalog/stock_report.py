"""The stock report, computed from levels and movements."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field
from pydantic_core import from_json
from sqlalchemy import text

from sav_catalog.app import catalog
from sav_catalog.pages import place
from sav_catalog.settings import firm
from sav_chassis.marks import mark
from sav_chassis.periods import period
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.stock_report import GetStockReport, StockLine, StockReport, StockTotal
from sav_contracts.times import FIRST_DAY

DAY = timedelta(days=1)
Pieces = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Figure = Annotated[Decimal, Field(max_digits=40, decimal_places=10)]


class Sort(NamedTuple):
    """What a page is sorted by, in SQL, with a value for articles without one; its types there and here."""

    key: str
    sql: str
    form: Any


SORTS = {
    "reference": Sort("c.reference", "text", str),
    "value": Sort("c.value", "numeric", Figure),
    "on_hand": Sort("c.on_hand", "bigint", Pieces),
    "consumed": Sort("c.consumed", "bigint", Pieces),
    "turnover": Sort("coalesce(c.turnover, -1)", "numeric", Figure),
    "last_outflow": Sort(f"coalesce(c.last_outflow, '{FIRST_DAY}')", "date", date),
}

# One statement, so that all figures are from the same moment. `:since` is the first moment of the period, `:until` the
# first one after it. A movement counts as many days as it was there for at their ends: `:midnights` are the ends of the
# days of the period that have begun, `:days` their number.
REPORT = """
WITH held AS (
    SELECT article_id, -sum(quantity) AS reserved FROM stock_movement
    WHERE movement IN ('reserve', 'release') GROUP BY article_id),
moved AS (
    SELECT article_id,
        coalesce(sum(quantity) FILTER (WHERE at >= :until), 0) AS later,
        coalesce(sum(quantity) FILTER (WHERE movement = 'receive' AND at < :until), 0) AS received,
        coalesce(sum(quantity) FILTER (WHERE movement = 'return' AND at < :until), 0) AS returned,
        coalesce(-sum(quantity) FILTER (WHERE movement = 'consume' AND at < :until), 0) AS consumed,
        coalesce(sum(quantity) FILTER (WHERE movement = 'adjust' AND at < :until), 0) AS adjusted,
        sum(quantity * (CAST(:days AS integer) - width_bucket(at, CAST(:midnights AS timestamptz[])))) AS piece_days
    FROM stock_movement
    WHERE at >= :since AND movement NOT IN ('reserve', 'release') GROUP BY article_id),
counted AS (
    SELECT a.id AS article_id, a.reference, a.name, a.family, a.status, a.price, a.currency, s.minimum_stock,
        s.level AS free, coalesce(held.reserved, 0) AS reserved, s.level + coalesce(held.reserved, 0) AS on_hand,
        s.level < s.minimum_stock AS below_minimum, coalesce(moved.later, 0) AS later,
        coalesce(moved.received, 0) AS received, coalesce(moved.returned, 0) AS returned,
        coalesce(moved.consumed, 0) AS consumed, coalesce(moved.adjusted, 0) AS adjusted,
        coalesce(moved.piece_days, 0) AS piece_days, (last.at AT TIME ZONE :zone)::date AS last_outflow
    FROM stock_level s JOIN article a ON a.id = s.article_id
    LEFT JOIN held ON held.article_id = a.id LEFT JOIN moved ON moved.article_id = a.id
    LEFT JOIN LATERAL (
        SELECT m.at FROM stock_movement m WHERE m.article_id = a.id AND m.movement = 'consume'
        ORDER BY m.at DESC LIMIT 1) last ON true
    WHERE (a.status <> 'retired' OR s.level + coalesce(held.reserved, 0) <> 0)
        AND (CAST(:family AS text) IS NULL OR a.family = CAST(:family AS text))
        AND (CAST(:below_minimum AS boolean) IS NULL
            OR (s.level < s.minimum_stock) = CAST(:below_minimum AS boolean))),
lines AS (
    SELECT *, on_hand * price AS value,
        on_hand - later AS closing,
        on_hand - later - received - returned + consumed - adjusted AS opening
    FROM counted),
averaged AS (
    SELECT *, opening * CAST(:days AS integer) + piece_days AS total_days,
        on_hand > 0 AND coalesce(coalesce(last_outflow, (
            SELECT (min(at) AT TIME ZONE :zone)::date FROM stock_movement m WHERE m.article_id = lines.article_id
        )) <= :idle_since, false) AS slow
    FROM lines),
chosen AS (
    SELECT *, round(total_days / nullif(CAST(:days AS integer), 0)::numeric, 2) AS average_on_hand,
        round(consumed * CAST(:days AS integer) / nullif(total_days, 0)::numeric, 2) AS turnover
    FROM averaged WHERE CAST(:slow AS boolean) IS NULL OR slow = CAST(:slow AS boolean)),
page AS (
    SELECT * FROM chosen c WHERE {beyond} ORDER BY {key} {direction}, c.article_id {direction} LIMIT :limit + 1)
SELECT
    (SELECT coalesce(json_agg(t), '[]')::text FROM (
        SELECT currency, count(*) AS articles, sum(on_hand) AS on_hand, sum(value)::text AS value,
            count(*) FILTER (WHERE below_minimum) AS below_minimum, count(*) FILTER (WHERE slow) AS slow,
            coalesce(sum(value) FILTER (WHERE slow), 0.00)::text AS slow_value
        FROM chosen GROUP BY currency ORDER BY currency) t) AS totals,
    (SELECT coalesce(json_agg(l), '[]')::text FROM (
        SELECT {shown} FROM page c ORDER BY {key} {direction}, c.article_id {direction}) l) AS items"""
# JSON has no exact decimals. Sorted by `c.value`, since `value` would mean this text.
DECIMALS = {"price", "value", "average_on_hand", "turnover"}
SHOWN = ", ".join(f"{name}::text AS {name}" if name in DECIMALS else name for name in StockLine.model_fields)


@catalog.query(GetStockReport)
async def get_stock_report(query: GetStockReport, tx: Tx, by: Actor) -> StockReport:
    """Levels, value, turnover and slow movers of the articles that the filters choose; a page of them, and the sums."""
    zone = firm().zone
    today = tx.now.astimezone(zone).date()
    start, end = period(query.start, query.end, today)
    row = (await tx.session.execute(text(statement(query)), parameters(query, start, end, today, zone))).one()
    items = [StockLine.model_validate(item) for item in from_json(row.items)]
    return StockReport(
        start=start,
        end=end,
        zone=zone.key,
        totals=[StockTotal.model_validate(total) for total in from_json(row.totals)],
        items=items[: query.limit],
        next=_next(query.sort, items[query.limit - 1]) if len(items) > query.limit else None,
    )


def statement(query: GetStockReport) -> str:
    """The statement for the order and the place of the page."""
    sort, descending = SORTS[query.sort.removeprefix("-")], query.sort.startswith("-")
    beyond = f"({sort.key}, c.article_id) {'<' if descending else '>'} (CAST(:key AS {sort.sql}), CAST(:id AS uuid))"
    return REPORT.format(
        beyond=beyond if query.after is not None else "true",
        key=sort.key,
        direction="DESC" if descending else "ASC",
        shown=SHOWN,
    )


def parameters(query: GetStockReport, start: date, end: date, today: date, zone: ZoneInfo) -> dict[str, Any]:
    """The parameters of the statement; `NotThisNext` where the place of the page is none."""
    days = max((min(end, today) - start).days + 1, 0)
    until = first_moment(end + DAY, zone)
    marked = place(query.after, query.sort, SORTS[query.sort.removeprefix("-")].form, UUID)
    return {
        "since": first_moment(start, zone),
        "until": until,
        "days": days,
        # One at least: PostgreSQL takes no empty list of bounds.
        "midnights": [first_moment(start + DAY * number, zone) for number in range(1, days + 1)] or [until],
        "zone": zone.key,
        "family": query.family,
        "below_minimum": query.below_minimum,
        "slow": query.slow,
        "idle_since": today - DAY * query.slow_after_days,
        "limit": query.limit,
    } | (dict(zip(("key", "id"), marked, strict=True)) if marked else {})


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins. Where clocks skip midnight, that is when they do; where they repeat it, the first time."""
    return datetime.combine(day, time(), zone)


def _next(sort: str, last: StockLine) -> str:
    name = sort.removeprefix("-")
    missing = {"turnover": Decimal(-1), "last_outflow": FIRST_DAY}
    value = getattr(last, name)
    return mark(sort, str(missing[name] if value is None else value), str(last.article_id))
