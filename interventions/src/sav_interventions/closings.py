"""Closings of the ledger: every day after local midnight, and with its last day each month and year."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from sav_chassis.tx import Tx
from sav_contracts.interventions.closing import MethodTotal, Period, PeriodClosed
from sav_contracts.money import Currency
from sav_interventions.app import interventions
from sav_interventions.archives import archive_closing
from sav_interventions.days import local_day
from sav_interventions.ledger import A_DAY, locked
from sav_interventions.model.invoice import GENESIS
from sav_interventions.model.payment import Closing, Entry, Ledger, MissingEntries
from sav_interventions.settings import billing

# After midnight: commands of the day that are still under way find it open.
CLOSED_AT = time(0, 10)
# Days that are closed in one transaction, where the service was away for long.
AT_ONCE = 31
ZERO = Decimal(0)


class Sums(NamedTuple):
    """The number of entries of a period in one currency, and what was received and paid back by each method."""

    entries: int
    methods: list[MethodTotal]


def next_closing(now: datetime) -> datetime:
    """When the day of this time is closed."""
    return datetime.combine(local_day(now) + A_DAY, CLOSED_AT, ZoneInfo(billing().law.zone))


@interventions.timer
async def close_periods(id: UUID, tx: Tx) -> str | None:
    """Closes every day that is over, and the months and years that end with one."""
    ledger = await locked(tx)
    first = ledger.closed_until + A_DAY if ledger.closed_until else await _first_day(ledger, tx)
    over = local_day(tx.now) - A_DAY
    # Closed before a restore, with entries that are missing here.
    before = await tx.session.scalar(select(func.max(MissingEntries.closed_until)))
    days = [first + timedelta(days=n) for n in range(min((over - first).days + 1, AT_ONCE))]
    for day in days:
        for period, start in ending_with(day):
            await _close(period, start, day, tx, again=before is not None and day <= before)
        ledger.closed_until = day
    more = ledger.closed_until is not None and ledger.closed_until < over
    tx.remind(close_periods, id, tx.now if more else next_closing(tx.now))
    return None if days else "no day is over"


def ending_with(day: date) -> Iterator[tuple[Period, date]]:
    """The periods that end with a day, each with its first day."""
    yield "day", day
    if (day + A_DAY).day == 1:
        yield "month", day.replace(day=1)
        if day.month == 12:
            yield "year", day.replace(month=1, day=1)


async def _first_day(ledger: Ledger, tx: Tx) -> date:
    first = await tx.session.scalar(select(func.min(Entry.entered_on)))
    return first or ledger.day


async def _close(period: Period, start: date, end: date, tx: Tx, *, again: bool) -> None:
    sums = await (sums_of(start, tx) if period == "day" else sums_of_days(start, end, tx))
    last = await _last_entry(end, tx)
    for currency in sorted({billing().law.currency, *sums}):
        before = await _before(period, currency, start, tx)
        its = sums.get(currency, Sums(0, []))
        closing = tx.add(closing_of(period, start, end, currency, its, last, before, again=again))
        closing.id, closing.archive = tx.new_id(), None
        tx.emit(closing, PeriodClosed())
        tx.later(archive_closing, closing.id)
    # The closing after finds this one.
    await tx.flush()


def closing_of(
    period: Period,
    start: date,
    end: date,
    currency: Currency,
    sums: Sums,
    last: Entry | None,
    before: Closing | None,
    *,
    again: bool = False,
) -> Closing:
    """The closing of a period, from its sums, the last entry until its end, and the closing before."""
    received = sum((one.received for one in sums.methods), ZERO)
    paid_back = sum((one.paid_back for one in sums.methods), ZERO)
    closing = Closing(
        period=period,
        first_day=start,
        last_day=end,
        currency=currency,
        entries=sums.entries,
        received=received,
        paid_back=paid_back,
        total=received - paid_back,
        perpetual=(before.perpetual if before else ZERO) + received - paid_back,
        methods=sums.methods,
        last_entry=last.number if last else 0,
        ledger_hash=last.hash if last else GENESIS,
        previous_hash=before.hash if before else GENESIS,
        again=again,
    )
    closing.hash = closing.digest()
    return closing


async def sums_of(day: date, tx: Tx) -> dict[Currency, Sums]:
    """What was received and paid back on a day, by currency."""
    zero, plus, minus = ZERO, Entry.amount > 0, Entry.amount < 0
    rows = await tx.session.execute(
        select(
            Entry.currency,
            Entry.method,
            func.count(),
            func.coalesce(func.sum(Entry.amount).filter(plus), zero),
            func.coalesce(-func.sum(Entry.amount).filter(minus), zero),
        )
        .where(Entry.entered_on == day)
        .group_by(Entry.currency, Entry.method)
        .order_by(Entry.currency, Entry.method)
    )
    found: dict[Currency, Sums] = {}
    for currency, method, entries, received, paid_back in rows:
        so_far = found.get(currency, Sums(0, []))
        total = MethodTotal(method=method, received=received, paid_back=paid_back)
        found[currency] = Sums(so_far.entries + entries, [*so_far.methods, total])
    return found


async def sums_of_days(start: date, end: date, tx: Tx) -> dict[Currency, Sums]:
    """The sums of a longer period: those of its closed days, which nothing enters any more."""
    of_period = Closing.first_day.between(start, end)
    days = await tx.session.scalars(select(Closing).where(Closing.period == "day", of_period))
    found: dict[Currency, Sums] = {}
    for day in days:
        so_far = found.get(day.currency, Sums(0, []))
        methods = {one.method: one for one in so_far.methods}
        for one in day.methods:
            before = methods.get(one.method, MethodTotal(method=one.method, received=ZERO, paid_back=ZERO))
            methods[one.method] = MethodTotal(
                method=one.method,
                received=before.received + one.received,
                paid_back=before.paid_back + one.paid_back,
            )
        found[day.currency] = Sums(
            so_far.entries + day.entries, [methods[method] for method in sorted(methods)]
        )
    return found


async def _last_entry(end: date, tx: Tx) -> Entry | None:
    query = (
        select(Entry).where(Entry.entered_on <= end).order_by(Entry.entered_on.desc(), Entry.number.desc())
    )
    return (await tx.session.scalars(query.limit(1))).first()


async def _before(period: Period, currency: Currency, start: date, tx: Tx) -> Closing | None:
    query = select(Closing).where(
        Closing.period == period, Closing.currency == currency, Closing.first_day < start
    )
    return (await tx.session.scalars(query.order_by(Closing.first_day.desc()).limit(1))).first()
