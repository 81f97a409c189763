"""Closing a month of very many payments, beside the SQL that one would write by hand."""

import calendar
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from harness import Aim, Contender, Figures, Measured, interleaved
from uuid_utils.compat import uuid7

from sav_chassis.database import Database
from sav_chassis.envelope import Context
from sav_chassis.migrate import migrate
from sav_chassis.settings import Settings
from sav_chassis.tx import transaction
from sav_contracts.actor import NOBODY, Role
from sav_interventions.app import interventions
from sav_interventions.closings import close_periods
from sav_interventions.ledger import LEDGER, NAME

SEED = 20260302
ENTRIES = 100_000
# Entries of months before, which the ledger has too.
EARLIER = 3
METHODS = ("cash", "cheque", "transfer", "card")
FIGURE, BY_HAND = "a month closed, ms", "the SQL by hand"
AIMS = [Aim(FIGURE, 2.0, "most", BY_HAND)]
FIRST = date(2026, 3, 1)
LAST = date(2026, 3, calendar.monthrange(2026, 3)[1])
NEXT_DAY = datetime(2026, 4, 1, 1, tzinfo=UTC)
# A day and a month, as the firm's accountant would store them.
SQL = """
INSERT INTO closing_by_hand
SELECT $3, currency, count(*), sum(amount) FILTER (WHERE amount > 0), -sum(amount) FILTER (WHERE amount < 0), sum(amount),
    sum(amount) + (SELECT coalesce(max(perpetual), 0) FROM closing_by_hand WHERE period = $3), max(number)
FROM ledger_entry WHERE entered_on BETWEEN $1 AND $2 GROUP BY currency"""


async def measure(settings: Settings, rounds: int, entries: int = ENTRIES) -> Measured:
    """Milliseconds to close the last day of a month and the month."""
    async with filled(settings, entries) as mine:
        measured = await interleaved(
            f"Closing a month with {entries:,} payments",
            [Contender("SAV", partial(ours, mine)), Contender(BY_HAND, partial(by_hand, mine))],
            AIMS,
            rounds,
        )
    measured.notes.append(
        f"{entries:,} entries of the ledger in the month, and as many in each of {EARLIER} months before. Ours is the timer: it closes the "
        "last day from its entries and the month from its days, by method and currency, each chained to the one before, with their events, in one "
        "transaction. By hand: an "
        "INSERT … SELECT for the day and one for the month, each on the perpetual total of the one before."
    )
    return measured


async def ours(settings: Settings) -> Figures:
    database = Database(settings, "interventions")
    await database.open()
    try:
        # A trigger keeps closings: only past it one is made anew.
        await database.pool.execute(
            f"SET LOCAL session_replication_role = replica; DELETE FROM closing WHERE last_day = '{LAST}'"
        )
        await database.pool.execute("UPDATE ledger SET closed_until = $1", LAST - timedelta(days=1))
        taken = await closes(settings, database, NEXT_DAY)
        [month] = await database.pool.fetch(
            "SELECT * FROM closing WHERE period = 'month' AND last_day = $1", LAST
        )
        found = "SELECT count(*), sum(amount) FROM ledger_entry WHERE entered_on BETWEEN $1 AND $2"
        [there] = await database.pool.fetch(found, FIRST, LAST)
        assert (month["entries"], month["total"]) == tuple(there)
        return {FIGURE: taken}
    finally:
        await database.close()


async def closes(settings: Settings, database: Database, now: datetime) -> float:
    """Milliseconds in which the timer closes what is over by then."""
    database.clock = lambda: now
    context = Context(actor_id=NOBODY, actor_role=Role.SYSTEM, correlation_id=uuid7())
    began = time.perf_counter()
    async with transaction(database, settings, context, lambda _: None) as tx:
        await close_periods(LEDGER, tx)
    return (time.perf_counter() - began) * 1000


async def by_hand(settings: Settings) -> Figures:
    connection = await asyncpg.connect(settings.database("interventions"))
    try:
        began = time.perf_counter()
        async with connection.transaction():
            await connection.execute(SQL, LAST, LAST, "day")
            await connection.execute(SQL, FIRST, LAST, "month")
        return {FIGURE: (time.perf_counter() - began) * 1000}
    finally:
        await connection.close()


@asynccontextmanager
async def filled(settings: Settings, entries: int) -> AsyncIterator[Settings]:
    """The ledger of some months."""
    mine = settings.model_copy(update={"database_prefix": f"closing_{entries}"})
    interventions.load()
    await migrate(mine, "interventions")
    connection = await asyncpg.connect(mine.database("interventions"))
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM ledger)"):
            rows = list(entered(random.Random(SEED), entries))
            await connection.copy_records_to_table("ledger_entry", records=rows)
            await connection.execute(
                "INSERT INTO ledger VALUES ($1, $2, $3, $4, NULL)", NAME, len(rows), LAST, rows[-1][-1]
            )
            await connection.execute(
                """CREATE TABLE closing_by_hand (period text, currency text, entries bigint, received numeric,
                paid_back numeric, total numeric, perpetual numeric, last_entry bigint)"""
            )
            await connection.execute("VACUUM ANALYZE ledger_entry")
            await closed_before(mine)
    finally:
        await connection.close()
    yield mine


async def closed_before(settings: Settings) -> None:
    """The closings until the last day but one."""
    database = Database(settings, "interventions")
    await database.open()
    try:
        for _ in range(EARLIER + 3):
            await closes(settings, database, NEXT_DAY - timedelta(days=1))
    finally:
        await database.close()


def entered(chance: random.Random, entries: int) -> Iterator[tuple[Any, ...]]:
    """Entries in the order of their days; their hashes prove nothing here."""
    begin = FIRST - timedelta(days=30 * EARLIER)
    days = (LAST - begin).days + 1
    every = entries * (EARLIER + 1)
    for number in range(1, every + 1):
        day = begin + timedelta(days=(number - 1) * days // every)
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        amount = Decimal(chance.randrange(100, 90_000)) / 100
        back = chance.random() < 0.03
        yield (
            *(number, at, day, day, "refunded" if back else "received", -amount if back else amount, "EUR"),
            *(
                chance.choice(METHODS),
                UUID(int=number % 5000),
                UUID(int=number),
                None,
                "FAC-2026-000001",
                None,
            ),
            *(f"{number - 1:064x}", f"{number:064x}"),
        )
