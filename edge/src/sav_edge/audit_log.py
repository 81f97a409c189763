"""Which caller made which request: for admins to search, kept for as long as the settings say.

The log line of each request is authoritative; this is a searchable copy, for which no request waits or fails.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from sav_chassis.database import is_away
from sav_chassis.settings import Settings
from sav_chassis.telemetry import metrics
from sav_chassis.vital_tasks import end, vital
from sav_contracts.actor import ANYONE
from sav_contracts.edge import FindRequests, Requests, RequestShown
from sav_edge.request_context import RequestContext

log = structlog.get_logger()

# How many requests may wait to be written; any more are not recorded.
AT_MOST = 20_000
# Seconds: between two writes, and between two deletions of old rows.
WRITE = 1.0
FORGET = 600.0
BATCH = 5_000

COLUMNS = ("at", "request_id", "user_id", "role", "route", "status", "ms", "address")
OLD = f"""
DELETE FROM request WHERE position IN (
    SELECT position FROM request WHERE reads = $1 AND at < now() - $2 * interval '1 day' LIMIT {BATCH})"""
WHERE = {
    "user_id": "user_id = $",
    "route": "route = $",
    "status": "status = $",
    "request_id": "request_id = $",
    "start": "at >= $",
    "end": "at < $",
    "after": "position < $",
}


class Audit:
    """Records requests and finds them again."""

    def __init__(self, pool: asyncpg.Pool, settings: Settings) -> None:
        self._pool = pool
        self._days = {True: settings.audit_reads_days, False: settings.audit_days}
        self._waiting: list[tuple[Any, ...]] = []

    def note(self, call: RequestContext, seconds: float) -> None:
        """Queues this finished request to be written soon; drops it if too many wait already."""
        if len(self._waiting) == AT_MOST:
            metrics.NOT_AUDITED.inc()
            return
        actor = call.actor
        person = None if actor is ANYONE else actor.id
        now = datetime.now(UTC)
        self._waiting.append(
            (now, call.id, person, actor.role.value, call.route, call.status, seconds * 1000, call.address)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes queued requests and deletes old rows while this is open; at the end it writes the rest."""
        tasks = [
            vital(asyncio.create_task(self._write_all())),
            vital(asyncio.create_task(self._forget_old())),
        ]
        try:
            yield
        finally:
            for task in tasks:
                await end(task)
            await self._write()

    async def _write_all(self) -> None:
        while True:
            await asyncio.sleep(WRITE)
            await self._write()

    async def _write(self) -> None:
        writing, self._waiting = self._waiting, []
        if not writing:
            return
        try:
            async with self._pool.acquire(timeout=WRITE) as connection:
                await connection.copy_records_to_table("request", records=writing, columns=COLUMNS, timeout=5)
        except Exception as error:
            metrics.NOT_AUDITED.inc(len(writing))
            log.warning("requests not audited", error=repr(error), away=is_away(error), requests=len(writing))

    async def _forget_old(self) -> None:
        while True:
            try:
                await self.forget()
            except Exception as error:
                log.warning("old requests not forgotten yet", error=repr(error))
            await asyncio.sleep(FORGET)

    async def forget(self) -> None:
        """Deletes requests older than the settings allow."""
        for reads, days in self._days.items():
            while await self._pool.execute(OLD, reads, days) == f"DELETE {BATCH}":
                pass

    async def page(self, wanted: FindRequests) -> Requests:
        """A page of the requests that match, newest first."""
        asked = wanted.model_dump(exclude_none=True, include=set(WHERE))
        if "after" in asked:
            asked["after"] = int(asked["after"])
        where = "".join(f" AND {WHERE[name]}{number}" for number, name in enumerate(asked, 1))
        rows = await self._pool.fetch(
            f"""SELECT position, request_id AS id, {", ".join(COLUMNS)} FROM request WHERE true{where}
            ORDER BY position DESC LIMIT {wanted.limit + 1}""",
            *asked.values(),
        )
        shown = rows[: wanted.limit]
        more = str(shown[-1]["position"]) if len(rows) > len(shown) else None
        items = [RequestShown.model_validate({**row, "ms": round(row["ms"], 1)}) for row in shown]
        return Requests(items=items, next=more)
