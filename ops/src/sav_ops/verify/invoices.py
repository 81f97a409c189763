"""Invoices: numbers without a gap, each chained to the hash of the one before, and sums that match the lines."""

from collections.abc import AsyncIterator, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from sav_interventions.billing import amount, net_of, rounded
from sav_interventions.model.invoice import GENESIS, Invoice, MissingNumbers
from sav_interventions.numbering import missing_numbers
from sav_ops.verify.aggregates import Unreadable, read, session
from sav_ops.verify.moment import BATCH, Snapshot

ORDERED = """
SELECT id, substring(number FROM '^(.*)-[0-9]+-[0-9]+$') AS series,
    substring(number FROM '-([0-9]+)-[0-9]+$')::numeric AS year, substring(number FROM '-([0-9]+)$')::numeric AS n
FROM invoice ORDER BY series NULLS LAST, year, n, id"""
UNPAID = """
SELECT id, paid, received FROM (
    SELECT i.id, i.paid, coalesce(sum(p.amount) FILTER (WHERE p.status = 'captured'), 0) AS received
    FROM invoice i LEFT JOIN payment p ON p.invoice_id = i.id GROUP BY i.id) counted
WHERE paid <> received ORDER BY id"""
SERIES = "SELECT series, last, hash, extract(year FROM day) AS year FROM invoice_series ORDER BY series"


class Last(NamedTuple):
    """The last number of a series, and its hash."""

    year: int
    n: int
    hash: str


class Chain:
    """How far each series was checked; it crosses the numbers that a restore recorded as missing."""

    def __init__(self, missing: Iterable[MissingNumbers]) -> None:
        self.last: dict[str, Last] = {}
        self._missing = list(missing)
        # What the first invoice of a series may be chained to: nothing, or the record of where the series before ended.
        self._starts = {GENESIS} | {one.hash for one in self._missing if one.last is None}

    def bridge(self, series: str, year: int, n: int) -> Iterator[str]:
        """Cross the missing numbers of this series before that number; yield what is wrong with their records."""
        for one in [m for m in self._missing if m.series == series and (m.year, m.first) <= (year, n)]:
            self._missing.remove(one)
            yield from self.link(series, one.year, one.first, one.previous_hash, str(one))
            if one.hash != one.digest():
                yield f"{one}, which is missing, is not what was recorded: its hash differs"
            self.last[series] = Last(one.year, one.first - 1 if one.last is None else one.last, one.hash)

    def end(self) -> Iterator[str]:
        """Cross the missing numbers after the last invoices; yield what is wrong with their records."""
        for one in list(self._missing):
            yield from self.bridge(one.series, one.year, one.first)

    def link(self, series: str, year: int, n: int, previous_hash: str | None, name: str) -> Iterator[str]:
        """Yield what is wrong between this number and the one before: a gap, or another hash."""
        start = previous_hash if previous_hash in self._starts else GENESIS
        before = self.last.get(series, Last(0, 0, start or GENESIS))
        if n != (before.n + 1 if before.year == year else 1):
            yield f"{name} follows {series}, number {before.n} of {before.year}"
        if previous_hash != before.hash:
            yield f"{name} does not stand on the one before"


async def invoices(moment: Snapshot) -> AsyncIterator[str]:
    """Check that issued invoices are unchanged, sums and payments match, and each series' counter is at its last."""
    database = moment.databases["interventions"]
    cursor = await database.cursor(ORDERED)
    async with session(moment.settings, "interventions") as opened:
        chain = Chain(await missing_numbers(opened))
        opened.expunge_all()
        while rows := await cursor.fetch(BATCH):
            records = {one.id: one for one in await read(opened, Invoice, [row["id"] for row in rows])}
            for row in rows:
                record = records.get(row["id"])
                if record is None or isinstance(record, Unreadable):
                    continue  # `rows` names it
                moment.checked["invoices"] += 1
                for line in sums(record):
                    yield f"interventions: invoice {row['id']}: {line}"
                if row["series"] is None:
                    if record.number is not None:
                        yield f"interventions: invoice {row['id']}: {record.number} is no number of a series"
                    continue
                place = row["series"], int(row["year"]), int(row["n"])
                for line in (
                    *chain.bridge(*place),
                    *chain.link(*place, record.previous_hash, str(record.number)),
                ):
                    yield f"interventions: {line}"
                if record.hash != record.digest(record.previous_hash or ""):
                    yield f"interventions: {record.number} is not what was issued: its hash differs"
                chain.last[row["series"]] = Last(int(row["year"]), int(row["n"]), record.hash or "")
            await opened.rollback()
            opened.expunge_all()
    for line in chain.end():
        yield f"interventions: {line}"
    async for row in database.cursor(UNPAID, prefetch=BATCH):
        yield f"interventions: invoice {row['id']} counts {row['paid']} as paid, and {row['received']} were received"
    series = {
        row["series"]: Last(int(row["year"]), row["last"], row["hash"])
        for row in await database.fetch(SERIES)
        # A new series without an invoice has nothing to compare yet.
        if row["last"] or row["series"] in chain.last
    }
    last = chain.last
    for name in sorted(series.keys() | last.keys()):
        if series.get(name) != last.get(name):
            yield f"interventions: the series {name} is at {at(series.get(name))}, its invoices end at {at(last.get(name))}"


def at(last: Last | None) -> str:
    return f"{last.year}-{last.n:06} ({last.hash[:8]})" if last else "no number"


def sums(invoice: Invoice) -> Iterator[str]:
    """Yield what does not add up, at the rates that stand on the invoice."""
    for number, line in enumerate(invoice.lines, 1):
        if line.amount != amount(line):
            yield f"line {number} amounts to {amount(line)}, not {line.amount}"
    if invoice.net != net_of(invoice.lines):
        yield f"the lines amount to {net_of(invoice.lines)}, not {invoice.net}"
    for rate in invoice.vat:
        base = net_of(line for line in invoice.lines if line.vat_class == rate.vat_class)
        if (rate.base, rate.vat) != (base, rounded(base * rate.rate / 100)):
            yield f"the tax at {rate.rate} % is not that of {base}"
    if {rate.vat_class for rate in invoice.vat} != {line.vat_class for line in invoice.lines}:
        yield "a line is taxed at no rate"
    if invoice.tax != sum((rate.vat for rate in invoice.vat), Decimal("0.00")):
        yield f"the tax is not {invoice.tax}"
