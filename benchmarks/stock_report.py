"""The stock report over very many movements, beside the same statement sent by hand, and beside SQL as one writes it first."""

import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from people import token
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from uuid_utils.compat import uuid7

from sav_catalog import stock_report
from sav_catalog.app import catalog
from sav_catalog.model import stock_id
from sav_chassis.commands.client import CommandEnvelope
from sav_chassis.commands.server import CommandServer
from sav_chassis.database import Database
from sav_chassis.migrate import migrate
from sav_chassis.settings import Settings
from sav_contracts.actor import Role
from sav_contracts.catalog.stock_report import GetStockReport

SEED = 20260302
ARTICLES, MOVEMENTS = 20_000, 1_000_000
YEARS = 5
ASKED = 12
PARIS = ZoneInfo("Europe/Paris")
SORTS = ("-value", "-turnover", "last_outflow", "reference")
MONTH, WHOLE = "30 days, p50 ms", f"{YEARS} years, p50 ms"
SAME, FIRST = "the same statement by asyncpg", "SQL as one writes it first"
AIMS = [Aim(figure, 1.2, "most", against) for figure in (MONTH, WHOLE) for against in (SAME, FIRST)]

# Everything that ever moved is added up for each article; the page and the sums are two statements.
BY_HAND = """
SELECT a.id, a.reference, a.name, a.family, a.status, a.price, a.currency, s.minimum_stock, s.level AS free,
    s.level < s.minimum_stock AS below_minimum, m.*, m.on_hand * a.price AS value,
    m.piece_days / nullif($3, 0)::numeric AS average, m.consumed * $3 / nullif(m.piece_days, 0)::numeric AS turnover,
    m.on_hand > 0 AND coalesce(m.last_outflow, m.first_day) <= $4 AS slow
FROM article a JOIN stock_level s ON s.article_id = a.id
LEFT JOIN (
    SELECT article_id, min(day) AS first_day, max(day) FILTER (WHERE movement = 'consume') AS last_outflow,
        -sum(quantity) FILTER (WHERE movement IN ('reserve', 'release')) AS reserved,
        sum(quantity) FILTER (WHERE movement NOT IN ('reserve', 'release')) AS on_hand,
        sum(quantity) FILTER (WHERE movement NOT IN ('reserve', 'release') AND day < $1) AS opening,
        sum(quantity) FILTER (WHERE movement = 'receive' AND day BETWEEN $1 AND $2) AS received,
        sum(quantity) FILTER (WHERE movement = 'return' AND day BETWEEN $1 AND $2) AS returned,
        -sum(quantity) FILTER (WHERE movement = 'consume' AND day BETWEEN $1 AND $2) AS consumed,
        sum(quantity) FILTER (WHERE movement = 'adjust' AND day BETWEEN $1 AND $2) AS adjusted,
        sum(quantity * ($2 - greatest(day, $1) + 1)) FILTER (
            WHERE movement NOT IN ('reserve', 'release') AND day <= $2) AS piece_days
    FROM (SELECT *, (at AT TIME ZONE 'Europe/Paris')::date AS day FROM stock_movement) dated
    GROUP BY article_id) m ON m.article_id = a.id
WHERE a.status <> 'retired' OR m.on_hand <> 0"""
BY_HAND_PAGE = BY_HAND + " ORDER BY {order} LIMIT 50"
BY_HAND_SUMS = f"""
SELECT currency, count(*), sum(on_hand), sum(value), count(*) FILTER (WHERE below_minimum),
    count(*) FILTER (WHERE slow), sum(value) FILTER (WHERE slow) FROM ({BY_HAND}) lines GROUP BY currency"""
ORDERS = {
    "-value": "value DESC, a.id DESC",
    "-turnover": "turnover DESC NULLS LAST, a.id DESC",
    "last_outflow": "m.last_outflow NULLS FIRST, a.id",
    "reference": "a.reference, a.id",
}


async def measure(settings: Settings, rounds: int, movements: int = MOVEMENTS) -> Measured:
    """Milliseconds for the first page of a report with its sums, over a month and over everything."""
    async with filled(settings, movements) as mine:
        measured = await interleaved(
            f"Stock report over {movements:,} movements",
            [
                Contender("SAV", partial(ours, mine)),
                Contender(SAME, partial(the_same, mine)),
                Contender(FIRST, partial(by_hand, mine)),
            ],
            AIMS,
            rounds,
        )
    measured.notes.append(
        f"{ARTICLES:,} articles, movements of {YEARS} years; {ASKED} reports each ({len(SORTS)} by the last), sorted by {', '.join(SORTS)} in turn. Ours "
        "goes through the service: token, role, shape, transaction, the page checked and written as JSON. Beside it the same "
        "statement by asyncpg alone, and SQL that adds up everything that ever moved, in a statement for the page and another "
        "for the sums, each with the day of every movement; it reads the same table with the same indexes."
    )
    return measured


def days(whole: bool) -> dict[str, date]:
    today = datetime.now(PARIS).date()
    return {"start": today - timedelta(days=365 * YEARS + 1 if whole else 29), "end": today}


async def ours(settings: Settings) -> Figures:
    database = Database(settings, "catalog")
    await database.open()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    server = CommandServer(catalog.load(), database, settings, lambda _: None)
    mine = token(settings, UUID(int=1), Role.MANAGER)

    async def ask(sort: str, whole: bool) -> None:
        query = GetStockReport.model_validate(days(whole) | {"sort": sort})
        id = uuid7()
        envelope = CommandEnvelope(
            id=id,
            type=query.type_name(),
            body=query.wire(),
            deadline=time.time() + 60,
            token=mine,
            correlation_id=id,
        )
        reply = await server.answer(envelope)
        assert reply.body, reply.problem

    try:
        return await figures(ask)
    finally:
        await database.close()


async def the_same(settings: Settings) -> Figures:
    connection = await asyncpg.connect(settings.database("catalog"))

    async def ask(sort: str, whole: bool) -> None:
        query = GetStockReport.model_validate(days(whole) | {"sort": sort})
        today = days(whole)["end"]
        marked = stock_report.parameters(query, **days(whole), today=today, zone=PARIS)
        compiled = text(stock_report.statement(query)).compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call]
        values = [marked[name] for name in compiled.positiontup or ()]
        # Not `fetchrow`: PostgreSQL lets nobody help where only so many rows are wanted.
        await connection.fetch(str(compiled), *values)

    try:
        return await figures(ask)
    finally:
        await connection.close()


async def by_hand(settings: Settings) -> Figures:
    connection = await asyncpg.connect(settings.database("catalog"))

    async def ask(sort: str, whole: bool) -> None:
        period = days(whole)
        start, end = period["start"], period["end"]
        known = start, end, (end - start).days + 1, end - timedelta(days=180)
        await connection.fetch(BY_HAND_PAGE.format(order=ORDERS[sort]), *known)
        await connection.fetch(BY_HAND_SUMS, *known)

    try:
        return await figures(ask, len(SORTS))
    finally:
        await connection.close()


async def figures(ask: Callable[[str, bool], Awaitable[None]], times: int = ASKED) -> Figures:
    found: Figures = {}
    for figure, whole in ((MONTH, False), (WHOLE, True)):
        taken = []
        for number in range(times):
            began = time.perf_counter()
            await ask(SORTS[number % len(SORTS)], whole)
            taken.append((time.perf_counter() - began) * 1000)
        found[figure] = percentile(taken, 0.5)
    return found


@asynccontextmanager
async def filled(settings: Settings, movements: int) -> AsyncIterator[Settings]:
    """The catalogue with its stock; levels are the sums of their movements."""
    mine = settings.model_copy(update={"database_prefix": f"stock_{movements}"})
    await migrate(mine, "catalog")
    connection = await asyncpg.connect(mine.database("catalog"))
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM article)"):
            await fill(connection, movements)
    finally:
        await connection.close()
    yield mine


async def fill(connection: "asyncpg.Connection[Any]", movements: int) -> None:
    chance = random.Random(SEED)
    moved = moves(chance, movements)
    levels = [0] * ARTICLES
    for number, _, quantity, _ in moved:
        levels[number] += quantity
    now = datetime.now(UTC)
    ids = [UUID(int=chance.getrandbits(128)) for _ in range(ARTICLES)]
    await copy(connection, "article", articles(chance, ids, levels, now))
    await copy(
        connection,
        "stock_level",
        (
            {
                **{"id": stock_id(id), "version": 1, "created_at": now, "updated_at": now, "article_id": id},
                **{"reference": f"ART-{number:06}", "level": levels[number], "minimum_stock": number % 9},
            }
            for number, id in enumerate(ids)
        ),
    )
    by = UUID(int=1)
    await copy(
        connection,
        "stock_movement",
        (
            {
                **{"id": UUID(int=chance.getrandbits(128)), "article_id": ids[number], "movement": movement},
                **{"quantity": quantity, "reason": None, "reference": "BL-88213", "by_id": by, "at": at},
            }
            for number, movement, quantity, at in moved
        ),
    )
    await connection.execute("VACUUM ANALYZE", timeout=600)


def moves(chance: random.Random, number: int) -> list[tuple[int, str, int, datetime]]:
    """Movements in the order of time: a few articles move all day, most of them rarely; nothing falls below zero."""
    began, seconds = datetime.now(UTC) - timedelta(days=365 * YEARS), 365 * YEARS * 86_400
    weights = [1 / (place + 50) for place in range(ARTICLES)]
    free, reserved = [0] * ARTICLES, [0] * ARTICLES
    done: list[tuple[int, str, int, datetime]] = []
    for place, article in enumerate(chance.choices(range(ARTICLES), weights, k=number)):
        at = began + timedelta(seconds=seconds * place / number)
        draw = chance.random()
        if reserved[article] and draw < 0.5:
            movement, quantity = "release", 1
        elif free[article] == 0 or draw < 0.1:
            movement, quantity = "receive", chance.randint(1, 40)
        elif draw < 0.6:
            movement, quantity = "consume", -1
        elif draw < 0.95:
            movement, quantity = "reserve", -1
        else:
            movement, quantity = ("return", 1) if draw < 0.98 else ("adjust", -1)
        free[article] += quantity
        reserved[article] -= quantity if movement in ("reserve", "release") else 0
        done.append((article, movement, quantity, at))
    return done


def articles(
    chance: random.Random, ids: list[UUID], levels: list[int], now: datetime
) -> Iterator[dict[str, Any]]:
    for number, id in enumerate(ids):
        yield {
            **{"id": id, "version": 1, "created_at": now, "updated_at": now, "reference": f"ART-{number:06}"},
            **{"name": f"Circulateur {number}", "brand": "Lumea", "family": ("part", "heating")[number % 2]},
            **{"description": "à haut rendement", "price": Decimal(chance.randrange(100, 90_000)) / 100},
            **{"currency": "EUR", "vat_class": "standard", "warranty_parts_months": 24},
            **{"warranty_labour_months": 24, "compatible_parts": [], "minimum_stock": number % 9},
            **{"in_stock": levels[number] > 0, "status": "retired" if number % 20 == 0 else "active"},
        }


async def copy(connection: "asyncpg.Connection[Any]", table: str, rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows)
    await connection.copy_records_to_table(
        table,
        records=(tuple(row.values()) for row in (first, *rows)),
        columns=list(first),
        timeout=600,
    )
