"""`sav verify`: whether logs, inboxes, rows, read models, files, invoices, stock and access of the whole system agree."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from sav_chassis import topology
from sav_chassis.settings import Settings
from sav_chassis.telemetry import metrics
from sav_ops import queues, rooms
from sav_ops.databases import Databases, opened
from sav_ops.parked.skip import SKIPPED, describe_skip
from sav_ops.statements import GIVEN_UP
from sav_ops.verify.access import access
from sav_ops.verify.effects import promised_effects
from sav_ops.verify.event_log import logs
from sav_ops.verify.inbox import inboxes
from sav_ops.verify.invoices import credit_notes, invoices
from sav_ops.verify.moment import Show, Snapshot, in_silence, snapshot
from sav_ops.verify.payments import payments
from sav_ops.verify.read_sides import read_side_tables
from sav_ops.verify.rows import rows
from sav_ops.verify.stock import stock

ERASURES = """
SELECT e.at::date AS day, e.why, count(*), (array_agg(l.id ORDER BY position))[1] AS first
FROM erased e JOIN event_log l USING (position) GROUP BY 1, 2 ORDER BY 1, 2"""
CHECKS: tuple[Callable[[Snapshot], AsyncIterator[str]], ...] = (
    logs, rows, inboxes, read_side_tables, invoices, credit_notes, payments, stock, access, promised_effects,
)  # fmt: skip
# In the order in which it is printed.
COUNTED = (
    "{events} events in {logs} logs ({erased} erased)", "{links} links of their chains", "{rows} rows", "{reactions} reactions", "{copies} copies",
    "{lines of timelines} lines of timelines", "{facts} facts", "{files} files", "{invoices} invoices",
    "{credit notes} credit notes",
    "{ledger entries} ledger entries", "{closings} closings",
    "{stock movements} stock movements", "{reservations} reservations",
    "{sessions} sessions", "{second factors} second factors",
)  # fmt: skip
# Contradictions that are named of each check; further ones are only counted.
NAMED = 1000


class VerificationResult(NamedTuple):
    """Every contradiction as a sentence, and how much of what was checked."""

    contradictions: list[str]
    checked: Counter[str]


def summary(checked: Counter[str]) -> str:
    """Return what was checked, with the number of each."""
    figures = {name: f"{number:,}" for name, number in checked.items()}
    return ", ".join(each.format_map(defaultdict(lambda: "0", figures)) for each in COUNTED)


async def verify(settings: Settings, patience: float) -> list[str]:
    """Return every contradiction as a sentence; first wait up to `patience` seconds for running work to settle."""
    return (await look(settings, patience)).contradictions


async def look(settings: Settings, patience: float, show: Show = in_silence) -> VerificationResult:
    """Verify, and also return what was checked; `show` shows the progress."""
    async with opened(settings) as databases:
        unsettled = await settled(settings, databases, patience)
    found, checked = await contradictions(settings, show)
    if found:
        # Each database is read at a slightly different moment: a contradiction that comes from that does not last.
        await asyncio.sleep(0.2)
        still = set((await contradictions(settings, show)).contradictions)
        found = [line for line in found if line in still]
    return VerificationResult(unsettled + found, checked)


async def contradictions(settings: Settings, show: Show) -> VerificationResult:
    """Return the contradictions in a snapshot of now."""
    found: list[str] = []
    async with snapshot(settings, show) as now:
        for check in CHECKS:
            number = 0
            async for line in check(now):
                number += 1
                if number <= NAMED:
                    found.append(line)
            if number > NAMED:
                found.append(f"{check.__name__}: {number - NAMED:,} more")
    return VerificationResult(found, now.checked)


async def given_up(settings: Settings) -> list[str]:
    """Return what operators have skipped (who, when and why), which is therefore no contradiction."""
    async with opened(settings) as databases:
        return [
            f"{row['handler']} of {row['event_id']} in {room} was {describe_skip(row['outcome'], row['at'])}"
            for room in rooms.SERVICES
            for row in await databases[room].fetch(GIVEN_UP, SKIPPED)
        ]


async def erased(settings: Settings) -> list[str]:
    """Return what was erased from the logs (how much, when and why), which is therefore no contradiction."""
    async with opened(settings) as databases:
        return [
            f"{row['count']} event(s) of {room} had their bodies erased on {row['day']:%F}: {row['why']}"
            f" (the first: {row['first']})"
            for room in rooms.SERVICES
            for row in await databases[room].fetch(ERASURES)
        ]


async def settled(settings: Settings, databases: Databases, patience: float) -> list[str]:
    """Wait until nothing is to be published, delivered or done; return what is left after `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        waiting = [reason async for reason in under_way(settings, databases)]
        if not waiting or time.monotonic() > until:
            return waiting
        await asyncio.sleep(0.2)


async def under_way(settings: Settings, databases: Databases) -> AsyncIterator[str]:
    for room in rooms.SERVICES:
        held = await metrics.look(databases[room])
        found = {
            "event(s) to publish": held.depth,
            "event(s) parked, dead": held.tasks["parked dead"],
            "event(s) parked, waiting": held.tasks["parked waiting"] + held.tasks["parked failing"],
            "effect(s) dead": held.tasks["effect dead"],
            "timer(s) dead": held.tasks["timer dead"],
            # A task that failed, such as a mail while its server is down, may take any time: between its attempts it
            # is not waited for. An interrupted attempt counts as due until its lease ends and another worker runs it.
            "timer(s) or effect(s) to do now": held.due,
        }
        for what, number in found.items():
            if number:
                yield f"{room}: {number} {what}"
    depths = await queues.depths(settings.broker_url, [*topology.wanted(), topology.DEAD])
    for name, depth in depths.items():
        if depth.messages:
            yield f"queue {name}: {depth.messages} message(s)"
