"""What a restore changes before anything runs: no version, reference or number that was known outside comes again."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import asyncpg
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.migrate import engine_for
from sav_chassis.settings import Settings
from sav_contracts.interventions.credit_note import PaperKind
from sav_edge import changes
from sav_interventions import lost_entries, numbering
from sav_interventions.model.invoice import FIRST_SERIES, MissingNumbers
from sav_interventions.model.payment import MissingEntries
from sav_interventions.numbering import Number, NumbersUnclear
from sav_ops import rooms
from sav_ops.databases import connected
from sav_ops.home import OpsError
from sav_ops.statements import LOG_IS_STILL_FOR, RAISE_FLOOR
from sav_ops.terminal.console import out

R = TypeVar("R")
# Gets the last number in the backup (None: there is none) and what it is a number of; returns the last one known
# outside, or NONE.
Ask = Callable[[Number | None, PaperKind], str]

NONE = "none"
# How many numbers of references are left out, plus one for each second since the last event: more than were used
# meanwhile, and not the same after another restore of this backup.
AHEAD = 1000
# The sequences of references. A sequence that belongs to a column numbers rows: it is left out.
REFERENCES = """
SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'S'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype IN ('a', 'i'))"""
AT_WORK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
# Seconds to wait for sessions that are just ending.
LEAVES_WITHIN = 3.0


class Invoices(NamedTuple):
    """How the numbers of invoices and credit notes continue: after these (None: ask), or in new series.

    `entry`: the last one of the ledger of payments that is known outside; None where nobody knows it.
    """

    last: Sequence[Number] | None = None
    series: str | None = None
    entry: int | None = None


def invoices(last: Sequence[str], series: str | None, entry: int | None) -> Invoices:
    """Read the options --last-invoice, --new-series and --last-entry; OpsError if both are given, or a number cannot be read."""
    if last and series:
        raise OpsError("Say --last-invoice or --new-series, not both.")
    return Invoices(numbers(last) if last else None, series, entry)


def numbers(said: Sequence[str]) -> list[Number]:
    try:
        return [Number.read(text) for text in said if text != NONE]
    except NumbersUnclear as unclear:
        raise OpsError(f"The last invoice: {unclear}.") from None


async def jump(settings: Settings, answer: Invoices, ask: Ask) -> None:
    """Raise versions, references and places in the stream well above those used; continue invoices as `answer` says.

    OpsError if another session uses one of the databases. It may be run again.
    """
    ages: list[float] = []
    for room in rooms.ROOMS:
        async with connected(settings, room) as database:
            await expect_no_other_session(database, room)
            ages.append(float(await database.fetchval(LOG_IS_STILL_FOR) or 0))
    ahead = AHEAD + round(min(age for age in ages if age) if any(ages) else 0)
    for line in (
        *await invoices_go_on(settings, answer, ask),
        *await ledger_goes_on(settings, answer.entry, ahead),
    ):
        out.print(line, markup=False, soft_wrap=True)
    for room in rooms.ROOMS:
        async with connected(settings, room) as database, database.transaction():
            await database.execute(RAISE_FLOOR, int(time.time()))
            for (name,) in await database.fetch(REFERENCES):
                await database.execute(f"SELECT setval('{name}', last_value + {ahead}) FROM {name}")
            if room == rooms.EDGE:
                await changes.restored(database)


async def expect_no_other_session(database: "asyncpg.Connection[Any]", room: str) -> None:
    until = time.monotonic() + LEAVES_WITHIN
    while await database.fetchval(AT_WORK):
        if time.monotonic() > until:
            raise OpsError(f"Somebody works on the database of {room}: stop every room first.")
        await asyncio.sleep(0.1)


async def invoices_go_on(settings: Settings, answer: Invoices, ask: Ask) -> list[str]:
    """Continue the invoice numbers, after `ask` if `answer` is empty; return what was recorded as missing, as text."""
    known, series, _ = answer
    if known is None and series is None:
        known = numbers([ask(await last_number(settings, kind), kind) for kind in FIRST_SERIES])

    async def settle(session: AsyncSession) -> list[MissingNumbers]:
        if series:
            return await numbering.begin(session, series)
        return await numbering.continue_after(session, known or [])

    try:
        missing = await interventions(settings, settle)
    except NumbersUnclear as unclear:
        raise OpsError(f"The invoices cannot go on so: {unclear}.") from None
    return [f"Recorded as missing: {each}." for each in missing]


async def ledger_goes_on(settings: Settings, last: int | None, ahead: int) -> list[str]:
    """Continue the ledger of payments after this entry, or after `ahead` numbers where it is not known."""
    try:
        missing = await interventions(
            settings, lambda session: lost_entries.go_on_after(session, last, ahead)
        )
    except NumbersUnclear as unclear:
        raise OpsError(f"The ledger of payments cannot go on so: {unclear}.") from None
    return [f"Recorded as missing: {missing}."] if missing else []


async def last_number(settings: Settings, kind: PaperKind) -> Number | None:
    return await interventions(settings, lambda session: numbering.last_number(session, kind))


def asked(here: Number | None, kind: PaperKind) -> str:
    """Ask the operator for the last number known outside; OpsError if there is no terminal."""
    called = kind.replace("_", " ")
    question = (
        f"The last {called} of the backup: {here or NONE}. Which is the last one that is known outside?"
    )
    if not sys.stdin.isatty():
        raise OpsError(
            f"{question} No number may be given twice, so say it:\n"
            f"  --last-invoice {here or NONE}    where none was issued after the backup; else the last one of each year,"
            " of invoices and of credit notes\n"
            f"  --new-series FAC2               where nobody knows: what is missing is recorded so"
        )
    out.print(
        f"\n{question} (Ctrl-C where nobody knows, then: --new-series FAC2)", markup=False, soft_wrap=True
    )
    return str(typer.prompt(f"Last {called}"))


async def missing_invoices(settings: Settings) -> list[MissingNumbers]:
    """Return the invoice numbers that were issued before a restore and are not in the database."""
    return await interventions(settings, numbering.missing_numbers)


async def missing_entries(settings: Settings) -> list[MissingEntries]:
    """Return the entries of the ledger that were made before a restore and are not in the database."""
    return await interventions(settings, lost_entries.missing_entries)


async def interventions(settings: Settings, work: Callable[[AsyncSession], Awaitable[R]]) -> R:
    engine = engine_for(settings.database("interventions"))
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            return await work(session)
    finally:
        await engine.dispose()
