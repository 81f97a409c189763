"""After a restore: entries that the backup lacks are links of the chain, and days closed since then say so."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import world
from given_billing import client
from given_closings import alters, found
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.testing import Stage
from sav_contracts.interventions.client_credit import RecordOnAccount
from sav_contracts.interventions.closing import PeriodClosed
from sav_interventions import lost_entries
from sav_interventions.numbering import NumbersUnclear

PARIS = ZoneInfo("Europe/Paris")
NUMBERS = "SELECT number, previous_hash, hash FROM ledger_entry ORDER BY number"


async def receives(stage: Stage, amount: str = "10.00") -> None:
    await stage.knows(client())
    message: Any = RecordOnAccount(client_id=world.lea.id, method="card", amount=Decimal(amount))
    assert (await stage.when(message, by=world.marie)).problem is None


async def restored(stage: Stage, last: int | None, ahead: int = 1000) -> str | None:
    """What is recorded as missing where this is the last entry that is known outside."""
    async with AsyncSession(stage.database.engine, expire_on_commit=False) as session, session.begin():
        missing = await lost_entries.go_on_after(session, last, ahead)
        return str(missing) if missing else None


def today() -> str:
    return f"{datetime.now(PARIS).date()}"


async def test_the_next_entry_follows_the_last_one_known_outside(stage: Stage) -> None:
    await receives(stage)
    told = f"entries 2 to 5 of the ledger of payments; days until {today()} are closed again without them"
    assert await restored(stage, 5) == told
    await receives(stage)
    first, second = await stage.database.pool.fetch(NUMBERS)
    assert second["number"] == 6
    assert second["previous_hash"] != first["hash"]
    [missing] = await stage.database.pool.fetch("SELECT * FROM ledger_missing")
    assert (missing["previous_hash"], second["previous_hash"]) == (first["hash"], missing["hash"])
    assert await found(stage) == []


async def test_nothing_is_missing_where_the_backup_has_the_last_one(stage: Stage) -> None:
    await receives(stage)
    assert await restored(stage, 1) is None
    await receives(stage)
    assert [row["number"] for row in await stage.database.pool.fetch(NUMBERS)] == [1, 2]


async def test_where_nobody_knows_the_last_one_numbers_are_left_out(stage: Stage) -> None:
    await receives(stage)
    told = await restored(stage, None)
    assert told
    assert told.startswith("entries 2 to 1001 of the ledger of payments, if they were made; ")
    assert await found(stage) == []
    await receives(stage)
    assert [row["number"] for row in await stage.database.pool.fetch(NUMBERS)] == [1, 1002]
    assert await found(stage) == []


async def test_a_backup_from_before_the_first_payment_goes_on_too(stage: Stage) -> None:
    assert await restored(stage, None) is None
    assert await restored(stage, 3) is not None
    assert await found(stage) == []
    await receives(stage)
    assert [row["number"] for row in await stage.database.pool.fetch(NUMBERS)] == [4]
    assert await found(stage) == []


async def test_an_entry_that_is_here_is_not_given_again(stage: Stage) -> None:
    await receives(stage)
    await receives(stage)
    with pytest.raises(NumbersUnclear, match="entry 2 of the ledger is here already"):
        await restored(stage, 1)


async def test_a_day_that_was_closed_since_is_not_closed_again_silently(stage: Stage) -> None:
    await receives(stage)
    await restored(stage, 3)
    closings = [
        one.state for one in (await stage.passes(timedelta(days=3))).events if isinstance(one, PeriodClosed)
    ]
    days = [one for one in closings if one.period == "day"]
    # Yesterday and today may have been closed before; the days after that were not.
    assert [one.again for one in days] == [True, True, *[False] * (len(days) - 2)]
    assert len(days) >= 4
    assert await found(stage) == []
    await alters(stage, "UPDATE closing SET again = false", rehashed=False)
    assert any("is not what was closed: its hash differs" in line for line in await found(stage))


@pytest.mark.parametrize(
    ("altered", "finding"),
    [
        ("UPDATE ledger_missing SET last = 4", "its hash differs"),
        ("UPDATE ledger_missing SET previous_hash = 'x'", "they do not stand on the entry before"),
        ("DELETE FROM ledger_missing", "entry 6 of the ledger follows 1"),
        ("UPDATE ledger_missing SET first = 3", "they are recorded as missing, and follow no entry"),
    ],
)
async def test_what_is_recorded_as_missing_is_part_of_the_chain(
    stage: Stage, altered: str, finding: str
) -> None:
    await receives(stage)
    await restored(stage, 5)
    await receives(stage)
    await alters(stage, altered, rehashed=False)
    assert any(finding in line for line in await found(stage)), await found(stage)
