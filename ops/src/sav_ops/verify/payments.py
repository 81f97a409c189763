"""Payments: a ledger without a gap, each entry chained to the one before; closings that are its sums; balances that fit."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_interventions.closings import ending_with
from sav_interventions.lost_entries import missing_entries
from sav_interventions.model.invoice import GENESIS
from sav_interventions.model.payment import Closing, Entry, Ledger, MissingEntries
from sav_ops.verify.aggregates import session
from sav_ops.verify.moment import BATCH, Snapshot

ZERO = Decimal(0)
# What the ledger must say of each payment: what was received for it, less what was paid back or is disputed.
PAYMENTS = """
SELECT p.id, expected, coalesce(entered, 0) AS entered FROM (
    SELECT id, CASE WHEN status IN ('initiated', 'failed', 'expired') THEN 0
        ELSE CASE WHEN client_credit_id IS NULL THEN amount ELSE 0 END - refunded - disputed END AS expected
    FROM payment) p
LEFT JOIN (SELECT payment_id, sum(amount) AS entered FROM ledger_entry GROUP BY 1) e ON e.payment_id = p.id
WHERE expected <> coalesce(entered, 0) ORDER BY 1"""
CREDITS = """
SELECT c.id, expected, coalesce(entered, 0) AS entered FROM (
    SELECT id, CASE WHEN origin = 'on_account' THEN amount ELSE 0 END - refunded - disputed AS expected
    FROM client_credit) c
LEFT JOIN (SELECT client_credit_id, sum(amount) AS entered FROM ledger_entry GROUP BY 1) e ON e.client_credit_id = c.id
WHERE expected <> coalesce(entered, 0) ORDER BY 1"""
# What is left of a credit is what no invoice used and nobody got back.
LEFT_OVER = """
SELECT c.id, c.remaining, c.amount - c.refunded - coalesce(used, 0) AS expected FROM client_credit c
LEFT JOIN (SELECT client_credit_id, sum(amount) AS used FROM payment GROUP BY 1) u ON u.client_credit_id = c.id
WHERE c.remaining <> c.amount - c.refunded - coalesce(used, 0) ORDER BY 1"""
SUMS = """
SELECT c.id, c.period, c.first_day, c.currency, c.entries, c.total, c.received, count(e.number) AS counted,
    coalesce(sum(e.amount), 0) AS found, coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0) AS found_received
FROM closing c LEFT JOIN ledger_entry e
    ON e.entered_on BETWEEN c.first_day AND c.last_day AND e.currency = c.currency
GROUP BY c.id
HAVING count(e.number) <> c.entries OR coalesce(sum(e.amount), 0) <> c.total
    OR coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0) <> c.received
ORDER BY 2, 3"""


# Of each method, what a closing says and what the ledger has.
METHODS = """
WITH said AS (
    SELECT c.id, m.* FROM closing c, json_to_recordset(c.methods) AS m (method text, received numeric, paid_back numeric)),
found AS (
    SELECT c.id, e.method, coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0),
        coalesce(-sum(e.amount) FILTER (WHERE e.amount < 0), 0)
    FROM closing c JOIN ledger_entry e ON e.entered_on BETWEEN c.first_day AND c.last_day AND e.currency = c.currency
    GROUP BY 1, 2)
SELECT DISTINCT c.period, c.first_day, c.currency, d.method
FROM ((TABLE said EXCEPT TABLE found) UNION (TABLE found EXCEPT TABLE said)) d JOIN closing c USING (id) ORDER BY 1, 2, 3, 4"""
# Of days that are over, each entry is in the closing of its day.
IN_NO_CLOSING = """
SELECT e.number, e.entered_on FROM ledger_entry e, ledger l WHERE e.entered_on <= l.closed_until AND NOT EXISTS (
    SELECT FROM closing c WHERE c.period = 'day' AND c.first_day = e.entered_on AND c.currency = e.currency) ORDER BY 1"""
UNGUARDED = """
SELECT t FROM unnest(ARRAY['ledger_entry', 'closing']) AS t WHERE (
    SELECT count(*) FROM pg_trigger WHERE tgrelid = t::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A')
        AND tgname = ANY (ARRAY['keep_entries', 'keep_entries_whole', 'refuse_late_entries', 'keep_closings',
            'keep_closings_whole'])) < CASE t WHEN 'ledger_entry' THEN 3 ELSE 2 END"""


async def payments(moment: Snapshot) -> AsyncIterator[str]:
    """Check the ledger's chain, its closings, and that payments and credits are what it says."""
    database = moment.databases["interventions"]
    async with session(moment.settings, "interventions") as opened:
        hashes: dict[int, str] = {0: GENESIS}
        closings = list(
            await opened.scalars(
                select(Closing).order_by(Closing.currency, Closing.period, Closing.first_day)
            )
        )
        wanted = {closing.last_entry for closing in closings}
        async for line in chain(opened, moment, hashes, wanted):
            yield f"interventions: {line}"
        head = (await opened.scalars(select(Ledger))).one_or_none()
        for line in (*closed(closings, hashes), *unclosed(closings, head.closed_until if head else None)):
            yield f"interventions: {line}"
        moment.checked["closings"] += len(closings)
    for what, statement in (("payment", PAYMENTS), ("client_credit", CREDITS)):
        async for row in database.cursor(statement, prefetch=BATCH):
            yield (
                f"interventions: {what} {row['id']}: the ledger says {row['entered']}, and it must be {row['expected']}"
            )
    async for row in database.cursor(LEFT_OVER, prefetch=BATCH):
        yield f"interventions: client_credit {row['id']}: {row['remaining']} is left, and it must be {row['expected']}"
    async for row in database.cursor(SUMS, prefetch=BATCH):
        yield (
            f"interventions: the closing of the {row['period']} {row['first_day']} says {row['entries']} entries and"
            f" {row['total']} {row['currency']}, and there are {row['counted']} and {row['found']}"
        )
    async for row in database.cursor(METHODS, prefetch=BATCH):
        yield (
            f"interventions: the closing of the {row['period']} {row['first_day']} says other sums of {row['method']} in"
            f" {row['currency']} than the ledger"
        )
    async for row in database.cursor(IN_NO_CLOSING, prefetch=BATCH):
        yield f"interventions: entry {row['number']} of the ledger is in no closing of {row['entered_on']}"
    for row in await database.fetch(UNGUARDED):
        yield f"interventions: the triggers that keep {row['t']} as it is are off"


async def chain(
    opened: AsyncSession, moment: Snapshot, hashes: dict[int, str], wanted: set[int]
) -> AsyncIterator[str]:
    """Yield what is wrong with the entries; `hashes` gets those of the numbers that are wanted."""
    last, before, day, entered = 0, GENESIS, None, False
    missing = {one.first: one for one in await missing_entries(opened)}
    entries = await opened.stream_scalars(
        select(Entry).order_by(Entry.number).execution_options(yield_per=BATCH)
    )
    async for entry in entries:
        moment.checked["ledger entries"] += 1
        while entry.number != last + 1 and (gap := missing.pop(last + 1, None)):
            for line in bridged(gap, before):
                yield line
            last, before = gap.last, gap.hash
        if entry.number != last + 1:
            yield f"entry {entry.number} of the ledger follows {last}"
        if entry.previous_hash != before:
            yield f"entry {entry.number} of the ledger does not stand on the one before"
        if entry.hash != entry.digest():
            yield f"entry {entry.number} of the ledger is not what was entered: its hash differs"
        if day and entry.entered_on < day:
            yield f"entry {entry.number} of the ledger is of an earlier day than the one before"
        last, before, day, entered = entry.number, entry.hash, entry.entered_on, True
        if entry.number in wanted:
            hashes[entry.number] = entry.hash
        opened.expunge(entry)
    while gap := missing.pop(last + 1, None):
        for line in bridged(gap, before):
            yield line
        last, before = gap.last, gap.hash
    for gap in missing.values():
        yield f"{gap}: they are recorded as missing, and follow no entry"
    head = (await opened.scalars(select(Ledger))).one_or_none()
    if (head.last, head.hash) != (last, before) if head else entered:
        yield f"the ledger is at {head.last if head else 0}, and its entries end at {last}"


def bridged(gap: MissingEntries, before: str) -> Iterator[str]:
    """Yield what is wrong with a record of missing entries that stands on this hash."""
    if gap.previous_hash != before:
        yield f"{gap}: they do not stand on the entry before"
    if gap.hash != gap.digest():
        yield f"{gap}: that is not what was recorded, its hash differs"


def closed(closings: list[Closing], hashes: dict[int, str]) -> Iterator[str]:
    """Yield what is wrong with the closings themselves: a hash, a gap, a total."""
    before: Closing | None = None
    for closing in closings:
        name = f"the closing of the {closing.period} {closing.first_day} ({closing.currency})"
        if before and (before.period, before.currency) != (closing.period, closing.currency):
            before = None
        if closing.hash != closing.digest():
            yield f"{name} is not what was closed: its hash differs"
        if closing.previous_hash != (before.hash if before else GENESIS):
            yield f"{name} does not stand on the one before"
        if closing.perpetual != (before.perpetual if before else ZERO) + closing.total:
            yield f"{name} has another perpetual total than the one before and its own make"
        if hashes.get(closing.last_entry) != closing.ledger_hash:
            yield f"{name} names another last entry than the ledger has"
        if closing.total != closing.received - closing.paid_back:
            yield f"{name} has another total than it received less what it paid back"
        if (closing.period, closing.first_day) not in set(ending_with(closing.last_day)):
            yield f"{name} ends on {closing.last_day}, which is no end of such a period"
        before = closing


def unclosed(closings: list[Closing], until: date | None) -> Iterator[str]:
    """Yield each day, month and year that is over and has no closing; `until`: the day until which the ledger is closed."""
    found = {(closing.period, closing.first_day) for closing in closings}
    days = [first for period, first in found if period == "day"]
    if not days or until is None:
        return
    for n in range((max(*days, until) - min(days)).days + 1):
        for period, first in ending_with(min(days) + timedelta(days=n)):
            if (period, first) not in found:
                yield f"the {period} {first} is over, and has no closing"
    if until < max(days):
        yield f"the ledger is closed until {until}, and there is a closing of {max(days)}"
