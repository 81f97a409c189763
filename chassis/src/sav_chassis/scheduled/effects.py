"""Effects: actions outside the database, done after the commit that requested them and outside any transaction."""

import asyncio
from contextlib import suppress
from uuid import UUID

import structlog

from sav_chassis.database import Database
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.tasks import Job, LeasedTask, TaskUse, Worker, done
from sav_chassis.telemetry import tracing
from sav_chassis.tx import Effect, EffectRun, OnCommit

log = structlog.get_logger()

EFFECTS_AT_ONCE = 8
# Seconds for one run, and the extra seconds to end its open transaction. Together shorter than the lease.
RUN_WITHIN = 40.0
CLOSE_WITHIN = 12.0


class Effects:
    """Runs a service's effects."""

    def __init__(self, service: Service, database: Database, settings: Settings, committed: OnCommit) -> None:
        self._service = service
        self._database = database
        self._settings = settings
        self._on_commit = committed
        self.worker = Worker(TaskUse.EFFECT, database, self._do, EFFECTS_AT_ONCE)

    async def _do(self, leased: LeasedTask) -> None:
        job = Job.model_validate_json(leased.message)
        structlog.contextvars.bind_contextvars(correlation_id=str(job.correlation_id))
        effect = self._service.effects.get(job.function)
        if effect is None:
            raise LookupError(f"{self._service.name} has no effect {job.function}")
        with tracing.span(f"effect {job.function}", "INTERNAL", job.traceparent) as span:
            context = span.carry(job).context
            run = EffectRun(self._database, self._settings, context, self._on_commit, leased.attempts)
            await _within(effect, job.about, run)
        await done(self._database, TaskUse.EFFECT, leased)
        log.info("effect done", effect=job.function, about=str(job.about), attempt=leased.attempts)


async def _within(effect: Effect, about: UUID, run: EffectRun) -> None:
    """Limits the time of a run, and never cuts it off in the middle of a transaction."""
    running = asyncio.create_task(_run(effect, about, run))
    try:
        await asyncio.wait([running], timeout=RUN_WITHIN)
    finally:
        # Also reached where a stop cancels the worker itself.
        if not running.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(run.end(), CLOSE_WITHIN)
            running.cancel()
            await asyncio.wait([running])
    if running.cancelled():
        raise TimeoutError(f"not done within {RUN_WITHIN:.0f} s")
    await running


async def _run(effect: Effect, about: UUID, run: EffectRun) -> None:
    await effect(about, run)
