"""The dashboard over very many réclamations, beside GROUP BY over their documents."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from lists import milliseconds
from many import MANAGER, SEED, many

from sav_chassis.settings import Settings
from sav_contracts.auth.policy import SlaTargets
from sav_contracts.surface import SURFACE, DashboardRow
from sav_edge.dashboards import Dashboards

NUMBER = 1_000_000
# One in so many is open: 30,000 of a million.
OPEN = 33
ASKED = 20
P50, P99 = "p50 ms", "p99 ms"
BY_HAND = "GROUP BY over the documents"
[ROW] = [row for row in SURFACE if isinstance(row, DashboardRow)]
# The figures as one writes them first, without the trend.
GROUPED = """
SELECT doc ->> 'status', doc ->> 'priority', doc ->> 'overdue', date_trunc('day', (doc ->> 'created_at')::timestamptz), count(*)
FROM view WHERE kind = 'reclamation' AND doc ->> 'status' NOT IN ('closed', 'cancelled', 'rejected', 'merged')
GROUP BY 1, 2, 3, 4"""
# The newest are open; what is over ended some days after it began.
LIFELIKE = f"""
UPDATE view SET open = rank < $1::bigint / {OPEN}, status = CASE WHEN rank < $1::bigint / {OPEN} THEN 'assigned' ELSE 'closed' END,
    doc = (doc::jsonb || CASE WHEN rank < $1::bigint / {OPEN} THEN '{{"status": "assigned"}}' ELSE '{{"status": "closed"}}' END::jsonb)::json,
    of_overdue = rank % 20 = 0,
    by_ended_at = CASE WHEN rank < $1::bigint / {OPEN} THEN 'epoch' ELSE created_at + interval '5 days' END
FROM (SELECT id AS it, row_number() OVER (ORDER BY created_at DESC) AS rank FROM view WHERE kind = 'reclamation') ranked
WHERE kind = 'reclamation' AND id = it"""


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Milliseconds for a manager's dashboard, as the edge computes it."""
    async with many(settings, number) as pool:
        if await pool.fetchval("SELECT count(*) FROM view WHERE kind = 'reclamation' AND open") < number / 50:
            await pool.execute(LIFELIKE, number, timeout=3600)
            await pool.execute("VACUUM (FULL, ANALYZE) view", timeout=3600)
            await pool.execute("VACUUM view", timeout=3600)
        measured = await interleaved(
            f"Dashboard over {number:,} réclamations",
            [Contender("SAV", partial(ours, pool)), Contender(BY_HAND, partial(grouped, pool))],
            [Aim(P50, 50, "most")],
            rounds,
        )
    measured.notes.append(
        f"{number // OPEN:,} of them are open. Ours are all figures, with the trend of thirty days, each with its list; beside it "
        "only the counts of what is open, from the documents. Counting is reading: no row is written for it."
    )
    return measured


async def ours(pool: asyncpg.Pool) -> Figures:
    chance = random.Random(SEED)
    newest = await pool.fetchval("SELECT max(created_at) FROM view WHERE kind = 'reclamation'")

    async def ask(_: object) -> None:
        # The records are of ten years; some day near their end is today.
        today = newest.astimezone(UTC) - timedelta(days=chance.randrange(3))
        await Dashboards(pool, SlaTargets, partial(_same, today)).of(ROW, MANAGER)

    return await figures(ask)


def _same(now: datetime) -> datetime:
    return now


async def grouped(pool: asyncpg.Pool) -> Figures:
    async def ask(_: object) -> None:
        await pool.fetch(GROUPED, timeout=600)

    return await figures(ask, 3)


async def figures(ask: Callable[[object], Awaitable[None]], times: int = ASKED) -> Figures:
    taken = [await milliseconds(ask, None) for _ in range(times)]
    return {P50: percentile(taken, 0.5), P99: percentile(taken, 0.99)}
