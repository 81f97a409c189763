"""Effects: what leaves the database is done after the commit that asked for it, outside any transaction."""

import asyncio
from contextlib import suppress
from uuid import UUID

import structlog

from sav_chassis import tracing
from sav_chassis.database import Database
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.tasks import Errand, Taken, Use, Worker, done
from sav_chassis.tx import Begin, Committed, Effect

log = structlog.get_logger()

EFFECTS_AT_ONCE = 8
# Seconds that one run may take, and how much longer a transaction of its own; together shorter than the lease.
RUN_WITHIN = 40.0
CLOSE_WITHIN = 12.0


class Effects:
    """Does a service's effects."""

    def __init__(
        self, service: Service, database: Database, settings: Settings, committed: Committed
    ) -> None:
        self._service = service
        self._database = database
        self._settings = settings
        self._committed = committed
        self.worker = Worker(Use.EFFECT, database, self._do, EFFECTS_AT_ONCE)

    async def _do(self, taken: Taken) -> None:
        errand = Errand.model_validate_json(taken.message)
        structlog.contextvars.bind_contextvars(correlation_id=str(errand.correlation_id))
        effect = self._service.effects.get(errand.function)
        if effect is None:
            raise LookupError(f"{self._service.name} has no effect {errand.function}")
        with tracing.span(f"effect {errand.function}", "INTERNAL", errand.traceparent) as span:
            context = span.carry(errand).context
            begin = Begin(self._database, self._settings, context, self._committed, taken.attempts)
            await _within(effect, errand.about, begin)
        await done(self._database, Use.EFFECT, taken)
        log.info("effect done", effect=errand.function, about=str(errand.about), attempt=taken.attempts)


async def _within(effect: Effect, about: UUID, begin: Begin) -> None:
    """Bounds a run, and never cuts it off in the middle of a transaction."""
    running = asyncio.create_task(_run(effect, about, begin))
    try:
        await asyncio.wait([running], timeout=RUN_WITHIN)
    finally:
        # Here too where the worker itself is cancelled by a stop.
        if not running.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(begin.end(), CLOSE_WITHIN)
            running.cancel()
            await asyncio.wait([running])
    if running.cancelled():
        raise TimeoutError(f"not done within {RUN_WITHIN:.0f} s")
    await running


async def _run(effect: Effect, about: UUID, begin: Begin) -> None:
    await effect(about, begin)
