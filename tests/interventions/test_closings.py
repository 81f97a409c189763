"""Closings of the ledger: every day, month and year; nothing enters a closed one, and each is archived with its proof."""

import hashlib
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import world
from given_billing import client, invoice
from given_payments import pay

from sav_chassis.files import Files
from sav_chassis.testing import Stage
from sav_contracts.files import StoredFile
from sav_contracts.interventions.client_credit import RecordOnAccount
from sav_contracts.interventions.closing import ClosingView, LedgerEntry, PeriodClosed, ReadLedger
from sav_contracts.interventions.payment import RefundPayment
from sav_interventions.closings import ending_with

PARIS = ZoneInfo("Europe/Paris")


def local(stage: Stage) -> date:
    return stage.now().astimezone(PARIS).date()


async def at(stage: Stage, day: date, hour: int = 12) -> None:
    """Moves the clock to an hour of a day in Paris."""
    stage.ahead = datetime(day.year, day.month, day.day, hour, tzinfo=PARIS) - datetime.now(UTC)


async def receive(stage: Stage, amount: str, method: Any = "transfer", **fields: Any) -> None:
    await stage.knows(client())
    message = RecordOnAccount(client_id=world.lea.id, method=method, amount=Decimal(amount), **fields)
    assert (await stage.when(message, by=world.marie)).problem is None


async def closed(stage: Stage, until: date) -> list[ClosingView]:
    """What is closed when the clock moves to noon of that day, without the empty closings before the first entry."""
    events = (await stage.passes(datetime(until.year, until.month, until.day, 12, tzinfo=PARIS))).events
    # Other timers of the room run too.
    return [event.state for event in events if isinstance(event, PeriodClosed) and event.state.last_entry]


def test_a_day_ends_its_month_and_its_year() -> None:
    assert list(ending_with(date(2027, 2, 27))) == [("day", date(2027, 2, 27))]
    assert [period for period, _ in ending_with(date(2028, 2, 28))] == ["day"]
    assert list(ending_with(date(2027, 2, 28)))[1:] == [("month", date(2027, 2, 1))]
    assert list(ending_with(date(2027, 12, 31)))[1:] == [
        ("month", date(2027, 12, 1)),
        ("year", date(2027, 1, 1)),
    ]


async def test_a_day_is_closed_after_its_midnight_with_its_totals(stage: Stage) -> None:
    await at(stage, date(2027, 3, 9))
    await stage.given(invoice("issued"))
    payment = await stage.when(pay("101.88", "card"), by=world.marie)
    await receive(stage, "50.00", "cash")

    refund = RefundPayment(payment_id=UUID(payment.reply["id"]), amount=Decimal("1.88"), reason="un geste")
    await stage.when(refund, by=world.marie)
    [day] = await closed(stage, date(2027, 3, 10))
    assert (day.period, day.first_day, day.last_day, day.currency) == (
        "day",
        date(2027, 3, 9),
        date(2027, 3, 9),
        "EUR",
    )
    assert (day.entries, day.received, day.paid_back) == (3, Decimal("151.88"), Decimal("1.88"))
    assert (day.total, day.perpetual, day.last_entry) == (Decimal("150.00"), Decimal("150.00"), 3)
    assert [(one.method, one.received, one.paid_back) for one in day.methods] == [
        ("card", Decimal("101.88"), Decimal("1.88")),
        ("cash", Decimal("50.00"), Decimal("0.00")),
    ]


async def test_the_closings_begin_with_an_empty_one(stage: Stage) -> None:
    await at(stage, date(2027, 3, 9))
    await receive(stage, "10.00")
    first = (await stage.passes(timedelta(minutes=1))).only(PeriodClosed).state
    assert (first.first_day, first.entries, first.perpetual) == (date(2027, 3, 8), 0, Decimal("0.00"))
    assert first.previous_hash == first.ledger_hash == "0" * 64
    [day] = await closed(stage, date(2027, 3, 10))
    assert day.previous_hash == first.hash


async def test_every_day_is_closed_also_an_empty_one_and_the_perpetual_total_goes_on(stage: Stage) -> None:
    await at(stage, date(2027, 1, 30))
    await receive(stage, "10.00")
    first = await closed(stage, date(2027, 2, 1))
    assert [(one.period, one.first_day, one.total) for one in first] == [
        ("day", date(2027, 1, 30), Decimal("10.00")),
        ("day", date(2027, 1, 31), Decimal("0.00")),
        ("month", date(2027, 1, 1), Decimal("10.00")),
    ]
    await receive(stage, "5.00")
    days = await closed(stage, date(2027, 2, 3))
    assert [(one.total, one.perpetual) for one in days] == [
        (Decimal("5.00"), Decimal("15.00")),
        (Decimal("0.00"), Decimal("15.00")),
    ]
    assert [one.previous_hash for one in days] == [first[1].hash, days[0].hash]


async def test_days_months_and_years_are_closed_after_the_service_was_away_for_long(stage: Stage) -> None:
    await at(stage, date(2026, 11, 20))
    await receive(stage, "10.00")
    found = await closed(stage, date(2027, 2, 2))
    days = [one for one in found if one.period == "day"]
    assert [one.first_day for one in days] == [
        date(2026, 11, 20) + timedelta(days=n) for n in range((date(2027, 2, 2) - date(2026, 11, 20)).days)
    ]
    assert [(one.period, one.first_day) for one in found if one.period != "day"] == [
        ("month", date(2026, 11, 1)),
        ("month", date(2026, 12, 1)),
        ("year", date(2026, 1, 1)),
        ("month", date(2027, 1, 1)),
    ]
    assert {one.perpetual for one in found} == {Decimal("10.00")}


async def test_a_receipt_of_a_closed_day_is_entered_today_with_its_day_of_value(stage: Stage) -> None:
    await at(stage, date(2027, 4, 30))
    await receive(stage, "10.00")
    before = await closed(stage, date(2027, 5, 1))
    await receive(stage, "7.00", received_on=date(2027, 4, 30))
    page = (await stage.when(ReadLedger(after=1), by=world.marie)).reply
    [entry] = [LedgerEntry.model_validate(item) for item in page["items"]]
    assert (entry.entered_on, entry.received_on) == (date(2027, 5, 1), date(2027, 4, 30))
    [day] = await closed(stage, date(2027, 5, 2))
    assert (day.first_day, day.total) == (date(2027, 5, 1), Decimal("7.00"))
    assert [one.total for one in before] == [Decimal("10.00"), Decimal("10.00")]


async def test_nothing_enters_a_closed_day_even_if_the_clock_goes_back(stage: Stage) -> None:
    await at(stage, date(2027, 4, 10))
    await receive(stage, "10.00")
    await closed(stage, date(2027, 4, 12))
    await at(stage, date(2027, 4, 11))
    await receive(stage, "1.00")
    entered = await stage.database.pool.fetchval("SELECT max(entered_on) FROM ledger_entry")
    assert entered == date(2027, 4, 12)


async def test_the_day_is_that_of_the_firm(stage: Stage) -> None:
    await at(stage, date(2027, 6, 30), hour=23)  # the 30th at 21:00 UTC
    await receive(stage, "10.00")
    await at(stage, date(2027, 7, 1), hour=0)  # the 30th at 22:00 UTC
    await receive(stage, "1.00")
    days = await stage.database.pool.fetch("SELECT entered_on FROM ledger_entry ORDER BY number")
    assert [row["entered_on"] for row in days] == [date(2027, 6, 30), date(2027, 7, 1)]


async def test_closings_are_the_sum_of_their_days(stage: Stage) -> None:
    await at(stage, date(2027, 1, 29))
    found: list[ClosingView] = []
    for n, amount in enumerate(("3.10", "4.20", "5.30", "6.40")):
        await receive(stage, amount)
        found += await closed(stage, date(2027, 1, 30) + timedelta(days=n))
    [month] = [one for one in found if one.period == "month"]
    days = [one for one in found if one.period == "day" and one.first_day.month == 1]
    assert month.total == sum(one.total for one in days) == Decimal("12.60")
    assert month.entries == sum(one.entries for one in days) == 3
    assert month.ledger_hash == days[-1].ledger_hash


async def archive(stage: Stage, closing: ClosingView) -> dict[str, bytes]:
    stored = await stage.database.pool.fetchval("SELECT archive FROM closing WHERE id = $1", closing.id)
    assert stored
    kept = await Files(stage.settings.files_url).get(StoredFile.model_validate_json(stored))
    with zipfile.ZipFile(io.BytesIO(kept)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


async def test_an_archive_proves_its_entries_without_this_program(stage: Stage) -> None:
    await at(stage, date(2027, 1, 30))
    await receive(stage, "10.00", reference="VIR é")
    await closed(stage, date(2027, 1, 31))
    await receive(stage, "2.00")
    await receive(stage, "3.00")
    day, month = await closed(stage, date(2027, 2, 1))
    for _ in range(4):  # the archive of the month follows those of its days
        await stage.runs_effects()
    content = await archive(stage, day)
    told = json.loads(content["cloture.json"])
    before = told["starts_after"]
    lines = content["ecritures.tsv"].decode().splitlines()
    assert len(lines) == 2
    for line in lines:
        hash, _, text = line.partition("\t")
        assert hashlib.sha256((before + text).encode()).hexdigest() == hash
        before = hash
    assert before == told["ledger_hash"]
    assert hashlib.sha256((told["previous_hash"] + told["content"]).encode()).hexdigest() == told["hash"]
    days = json.loads((await archive(stage, month))["jours.json"])
    assert [one["first_day"] for one in days] == ["2027-01-29", "2027-01-30", "2027-01-31"]
    assert all(one["archive"]["sha256"] for one in days)
