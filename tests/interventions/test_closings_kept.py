"""Closings and the ledger are kept as they were made: the database refuses changes, and `sav verify` names those past it."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import world
from given_billing import client
from given_closings import PAST_TRIGGERS, alters, found
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.testing import Stage
from sav_contracts.interventions.client_credit import RecordOnAccount
from sav_interventions.model.payment import Entry, Ledger

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
async def closed(stage: Stage) -> AsyncIterator[Stage]:
    """Three days at the end of a month, with a payment each, and the two after it."""
    await stage.knows(client())
    for n, method in enumerate(("card", "cash", "transfer")):
        at = datetime(2027, 1, 29 + n, 12, tzinfo=PARIS)
        await stage.passes(at)
        asked = {"client_id": world.lea.id, "method": method, "amount": Decimal(10 + n)}
        message = RecordOnAccount.model_validate(asked)
        assert (await stage.when(message, by=world.marie)).problem is None
    await stage.passes(datetime(2027, 2, 3, 12, tzinfo=PARIS))
    assert await found(stage) == []
    yield stage
    # What was altered past the triggers, or with them.
    for table in ("closing", "ledger_entry"):
        await stage.database.pool.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


class Altered(NamedTuple):
    """What somebody alters, with or without new hashes, and what is said of it."""

    statement: str
    finding: str
    rehashed: bool = True


DAY = "period = 'day' AND first_day = '2027-01-30'"
MONTH = "period = 'month' AND first_day = '2027-01-01'"
ALTERED = {
    "a closing": Altered(f"UPDATE closing SET entries = 2 WHERE {DAY}", "its hash differs", False),
    "its total": Altered(
        f"UPDATE closing SET total = total + 1, received = received + 1 WHERE {DAY}",
        "the closing of the day 2027-01-30 says 1 entries and 12.000 EUR, and there are 1 and 11.000",
    ),
    "its methods": Altered(
        f"UPDATE closing SET methods = replace(methods::text, 'cash', 'card')::json WHERE {DAY}",
        "the closing of the day 2027-01-30 says other sums of cash in EUR than the ledger",
    ),
    "what was paid back": Altered(
        f"UPDATE closing SET paid_back = 1 WHERE {DAY}", "than it received less what it paid back"
    ),
    "a day removed": Altered(
        f"DELETE FROM closing WHERE {DAY}", "the day 2027-01-30 is over, and has no closing"
    ),
    "an empty day removed": Altered(
        "DELETE FROM closing WHERE period = 'day' AND first_day = '2027-02-01'",
        "the day 2027-02-01 is over, and has no closing",
    ),
    "the last day removed": Altered(
        "DELETE FROM closing WHERE period = 'day' AND first_day = '2027-02-02'",
        "the day 2027-02-02 is over, and has no closing",
    ),
    "a day removed without new hashes": Altered(
        f"DELETE FROM closing WHERE {DAY}", "does not stand on the one before", False
    ),
    "a month removed": Altered(
        f"DELETE FROM closing WHERE {MONTH}", "the month 2027-01-01 is over, and has no closing"
    ),
    "a month that is not its days": Altered(
        f"UPDATE closing SET total = total + 1, received = received + 1 WHERE {MONTH}",
        "the closing of the month 2027-01-01 says 3 entries and 34.000 EUR, and there are 3 and 33.000",
    ),
    "the perpetual total": Altered(
        f"UPDATE closing SET perpetual = perpetual + 1 WHERE {DAY}", "has another perpetual total", False
    ),
    "days that are not closed": Altered(
        "UPDATE ledger SET closed_until = closed_until + 1", "the day 2027-02-03 is over, and has no closing"
    ),
    "days that are open again": Altered(
        "UPDATE ledger SET closed_until = closed_until - 1",
        "the ledger is closed until 2027-02-01, and there is a closing of 2027-02-02",
    ),
    "an entry removed": Altered(
        "DELETE FROM ledger_entry WHERE number = 2", "entry 3 of the ledger follows 1"
    ),
    "an entry's amount": Altered("UPDATE ledger_entry SET amount = 9 WHERE number = 2", "its hash differs"),
}


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED.keys())
async def test_what_is_altered_past_the_triggers_is_named(closed: Stage, altered: Altered) -> None:
    await alters(closed, altered.statement, altered.rehashed)
    lines = await found(closed)
    assert any(altered.finding in line for line in lines), lines


@pytest.mark.parametrize("currency", ["EUR", "TND"])
async def test_an_entry_in_a_closed_period_is_refused_and_named(closed: Stage, currency: Any) -> None:
    """Chained as it should be, and with the ledger's head on it."""

    async def enters(*before: str) -> None:
        async with AsyncSession(closed.database.engine) as session, session.begin():
            for statement in before:
                await session.execute(text(statement))
            head = (await session.scalars(select(Ledger))).one()
            last = (await session.scalars(select(Entry).order_by(Entry.number.desc()).limit(1))).one()
            fields = {column.name: getattr(last, column.name) for column in Entry.__table__.columns}
            entry = Entry(**fields | {"number": 4, "previous_hash": last.hash, "currency": currency})
            entry.amount = Decimal(5)
            head.last, head.hash = 4, entry.digest()
            entry.hash = head.hash
            session.add(entry)

    with pytest.raises(Exception, match="nothing is entered in a closed period"):
        await enters()
    assert await found(closed) == []
    await enters(PAST_TRIGGERS)
    lines = await found(closed)
    finding = (
        "is in no closing of 2027-01-31" if currency == "TND" else "the closing of the day 2027-01-31 says"
    )
    assert any(finding in line for line in lines), lines


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (f"UPDATE closing SET total = 1 WHERE {DAY}", "never changed or removed"),
        (f"UPDATE closing SET hash = 'x' WHERE {DAY}", "never changed or removed"),
        (f"DELETE FROM closing WHERE {DAY}", "never changed or removed"),
        ("TRUNCATE closing", "never changed or removed"),
        ("TRUNCATE ledger_entry", "never changed or removed"),
    ],
)
async def test_the_database_refuses_to_change_them(closed: Stage, statement: str, why: str) -> None:
    with pytest.raises(asyncpg.RaiseError, match=why):
        await closed.database.pool.execute(statement)


async def test_an_archive_is_made_once(closed: Stage) -> None:
    for _ in range(3):
        await closed.runs_effects()
    made = await closed.database.pool.fetchval(f"SELECT archive ->> 'sha256' FROM closing WHERE {DAY}")
    assert made
    for other in ("NULL", "replace(archive::text, '.zip', '.rar')::json"):
        with pytest.raises(asyncpg.RaiseError, match="never changed or removed"):
            await closed.database.pool.execute(f"UPDATE closing SET archive = {other} WHERE {DAY}")
    # Told again, as after `./sav refresh`, it is the same closing.
    await closed.database.pool.execute(f"UPDATE closing SET version = version + 1 WHERE {DAY}")


@pytest.mark.parametrize("table", ["closing", "ledger_entry"])
async def test_triggers_that_are_off_are_named(closed: Stage, table: str) -> None:
    await closed.database.pool.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    assert await found(closed) == [f"interventions: the triggers that keep {table} as it is are off"]


async def test_every_day_since_the_first_is_looked_for(closed: Stage) -> None:
    days = await closed.database.pool.fetch("SELECT first_day FROM closing WHERE period = 'day' ORDER BY 1")
    first, last = days[0]["first_day"], days[-1]["first_day"]
    assert last == date(2027, 2, 2)
    assert [row["first_day"] for row in days] == [
        first + timedelta(days=n) for n in range((last - first).days + 1)
    ]
