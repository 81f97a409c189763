"""Papers with numbers: without a gap, each chained to the hash of the one before, and sums that match the lines."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple, TypeVar

from sav_chassis.law.jurisdiction import CLASSES
from sav_contracts.interventions.credit_note import PaperKind
from sav_contracts.money import Currency, as_money, rounded
from sav_interventions.billing import DiscountTooLarge, amount, covered_amount, net_of, shared
from sav_interventions.model import CreditNote
from sav_interventions.model.invoice import GENESIS, Invoice, MissingNumbers
from sav_interventions.numbering import missing_numbers
from sav_ops.verify.aggregates import Unreadable, read, session
from sav_ops.verify.moment import BATCH, Snapshot

P = TypeVar("P", bound=Invoice | CreditNote)

ORDERED = """
SELECT id, substring(number FROM '^(.*)-[0-9]+-[0-9]+$') AS series,
    substring(number FROM '-([0-9]+)-[0-9]+$')::numeric AS year, substring(number FROM '-([0-9]+)$')::numeric AS n
FROM {table} ORDER BY series NULLS LAST, year, n, id"""
UNPAID = """
SELECT id, paid, received FROM (
    SELECT i.id, i.paid, coalesce(sum(p.amount - p.credited - p.refunded - p.disputed)
        FILTER (WHERE p.status IN ('captured', 'partly_refunded', 'refunded', 'disputed')), 0) AS received
    FROM invoice i LEFT JOIN payment p ON p.invoice_id = i.id GROUP BY i.id) counted
WHERE paid <> received ORDER BY id"""
CREDITED = """
SELECT id, credited, given FROM (
    SELECT i.id, i.credited, coalesce(sum(c.net + c.tax + coalesce(c.stamp, 0) - c.deducted), 0) AS given
    FROM invoice i LEFT JOIN credit_note c ON c.invoice_id = i.id GROUP BY i.id) counted
WHERE credited <> given ORDER BY id"""
DEDUCTED = """
SELECT d.id, d.number FROM invoice d LEFT JOIN invoice i ON i.id = d.deducted_in
WHERE d.deducted_in IS NOT NULL AND (NOT d.deposit OR i.status = 'credited'
    OR NOT EXISTS (SELECT FROM json_array_elements(i.deposits) named WHERE named ->> 'invoice_id' = d.id::text))
ORDER BY d.id"""
SERIES = """
SELECT series, last, hash, extract(year FROM day) AS year FROM invoice_series WHERE kind = $1 ORDER BY series"""


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
    """Check that issued invoices are unchanged, sums, payments and credit match, and each series' counter is at its last."""
    async for line in chained(moment, "invoice", Invoice, sums):
        yield line
    database = moment.databases["interventions"]
    async for row in database.cursor(UNPAID, prefetch=BATCH):
        yield f"interventions: invoice {row['id']} counts {row['paid']} as paid, and {row['received']} were received"
    async for row in database.cursor(CREDITED, prefetch=BATCH):
        yield f"interventions: invoice {row['id']} counts {row['credited']} as credited, and {row['given']} were"
    async for row in database.cursor(DEDUCTED, prefetch=BATCH):
        yield f"interventions: deposit {row['id']} is deducted in an invoice that does not name it"


async def credit_notes(moment: Snapshot) -> AsyncIterator[str]:
    """Check that credit notes are unchanged, add up, and that their series' counter is at its last."""
    async for line in chained(moment, "credit_note", CreditNote, credit_sums):
        yield line


async def chained(
    moment: Snapshot, kind: PaperKind, model: type[P], check: Callable[[P], Iterator[str]]
) -> AsyncIterator[str]:
    """Check the numbers and the chain of all series of one kind of paper, and each paper by itself."""
    database, called = moment.databases["interventions"], kind.replace("_", " ")
    cursor = await database.cursor(ORDERED.format(table=kind))
    series = await database.fetch(SERIES, kind)
    ours = {row["series"] for row in series}
    async with session(moment.settings, "interventions") as opened:
        chain = Chain(one for one in await missing_numbers(opened) if one.series in ours)
        opened.expunge_all()
        while rows := await cursor.fetch(BATCH):
            records = {one.id: one for one in await read(opened, model, [row["id"] for row in rows])}
            for row in rows:
                record = records.get(row["id"])
                if record is None or isinstance(record, Unreadable):
                    continue  # `rows` names it
                moment.checked[f"{called}s"] += 1
                for line in check(record):
                    yield f"interventions: {called} {row['id']}: {line}"
                if row["series"] is None:
                    if record.number is not None:
                        yield f"interventions: {called} {row['id']}: {record.number} is no number of a series"
                    continue
                place = row["series"], int(row["year"]), int(row["n"])
                for line in (
                    *chain.bridge(*place),
                    *chain.link(*place, record.previous_hash, str(record.number)),
                ):
                    yield f"interventions: {line}"
                if not is_as_issued(record):
                    yield f"interventions: {record.number} is not what was issued: its hash differs"
                chain.last[row["series"]] = Last(int(row["year"]), int(row["n"]), record.hash or "")
            await opened.rollback()
            opened.expunge_all()
    for line in chain.end():
        yield f"interventions: {line}"
    for line in counters(
        called, chain, [(row["series"], Last(int(row["year"]), row["last"], row["hash"])) for row in series]
    ):
        yield line


def is_as_issued(paper: Invoice | CreditNote) -> bool:
    """Return whether the hash is that of the content. The first invoices of purchases have one without their order."""
    previous = paper.previous_hash or ""
    if paper.hash == paper.digest(previous):
        return True
    return isinstance(paper, Invoice) and paper.hash == paper.digest(previous, with_order=False)


def counters(called: str, chain: Chain, found: Iterable[tuple[str, Last]]) -> Iterator[str]:
    """Yield each series whose counter is not at its last paper."""
    # A new series without a paper has nothing to compare yet.
    series = {name: last for name, last in found if last.n or name in chain.last}
    last = chain.last
    for name in sorted(series.keys() | last.keys()):
        if series.get(name) != last.get(name):
            yield f"interventions: the series {name} is at {at(series.get(name))}, its {called}s end at {at(last.get(name))}"


def at(last: Last | None) -> str:
    return f"{last.year}-{last.n:06} ({last.hash[:8]})" if last else "no number"


def sums(invoice: Invoice) -> Iterator[str]:
    """Yield what does not add up, at the rates that stand on the invoice."""
    currency = invoice.decimals_of
    yield from _of_lines(invoice, currency)
    # In the order in which a discount is shared.
    rates = sorted(invoice.vat, key=lambda rate: CLASSES.index(rate.vat_class))
    whole = [net_of(line for line in invoice.lines if line.vat_class == rate.vat_class) for rate in rates]
    try:
        allowances = shared(invoice.discount, whole, currency)
    except DiscountTooLarge:
        yield f"more is taken off than the {sum(whole)} that the lines amount to"
        return
    net = as_money(sum(whole, Decimal(0)) - sum((one or Decimal(0) for one in allowances), Decimal(0)))
    if invoice.net != net:
        yield f"the lines amount to {net}, not {invoice.net}"
    for rate, amounts, allowance in zip(rates, whole, allowances, strict=True):
        base = as_money(amounts - (allowance or 0))
        tax = rounded(base * rate.rate / 100, currency)
        if (rate.base, rate.vat, rate.allowance) != (base, tax, allowance):
            yield f"the tax at {rate.rate} % is not that of {base}"
    if {rate.vat_class for rate in invoice.vat} != {line.vat_class for line in invoice.lines}:
        yield "a line is taxed at no rate"
    if invoice.tax != sum((rate.vat for rate in invoice.vat), Decimal("0.00")):
        yield f"the tax is not {invoice.tax}"
    if invoice.deducted != sum((deposit.total for deposit in invoice.deposits), Decimal("0.00")):
        yield f"the deposits do not amount to {invoice.deducted}"


def credit_sums(note: CreditNote) -> Iterator[str]:
    """Yield what does not add up. Its shares of discounts and taxes are checked against all notes of its invoice."""
    for rate in note.vat:
        amounts = sum((line.amount for line in note.lines if line.vat_class == rate.vat_class), Decimal(0))
        if rate.base != amounts - (rate.allowance or 0):
            yield f"the base at {rate.rate} % is not what its lines of {amounts} leave"
    if note.net != sum((total.base for total in note.vat), Decimal("0.00")):
        yield f"the bases do not amount to {note.net}"
    if note.tax != sum((total.vat for total in note.vat), Decimal("0.00")):
        yield f"the tax is not {note.tax}"
    if note.deducted != sum((deposit.total for deposit in note.deposits), Decimal("0.00")):
        yield f"the deposits do not amount to {note.deducted}"


def _of_lines(invoice: Invoice, currency: Currency) -> Iterator[str]:
    for number, line in enumerate(invoice.lines, 1):
        if line.amount != (exact := amount(line, currency)):
            yield f"line {number} amounts to {exact}, not {line.amount}"
        if line.minutes and line.quantity != (hours := rounded(Decimal(line.minutes) / 60, "EUR")):
            yield f"line {number} shows {line.quantity} hours of {hours}"
        if line.covered_amount not in (None, covered := covered_amount(line, currency)):
            yield f"a warranty pays {covered} of line {number}, not {line.covered_amount}"
