"""Timers: runs what `tx.remind` has set, when it is due, in one transaction, once."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.database import Database
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.tasks import FIRED, Job, LeasedTask, TaskUse, Worker
from sav_chassis.telemetry import tracing
from sav_chassis.tx import OnCommit, Timer, transaction

log = structlog.get_logger()

TIMERS_AT_ONCE = 4


class TimerSuperseded(Exception):
    """While this worker held the timer, it was moved or removed, or another replica ran it."""


class Timers:
    """Runs a service's timers."""

    def __init__(self, service: Service, database: Database, settings: Settings, committed: OnCommit) -> None:
        self._service = service
        self._parts = database, settings
        self._on_commit = committed
        self.worker = Worker(TaskUse.TIMER, database, self._do, TIMERS_AT_ONCE)

    async def _do(self, leased: LeasedTask) -> None:
        job = Job.model_validate_json(leased.message)
        structlog.contextvars.bind_contextvars(correlation_id=str(job.correlation_id))
        timer = self._service.timers.get(job.function)
        if timer is None:
            raise LookupError(f"{self._service.name} has no timer {job.function}")
        with tracing.span(f"timer {job.function}", "INTERNAL", job.traceparent) as span:
            try:
                outcome = await self._fire(timer, span.carry(job), leased)
            except TimerSuperseded:
                log.info("timer superseded; not fired", timer=job.function, about=str(job.about))
            else:
                log.info("timer done", timer=job.function, about=str(job.about), outcome=outcome)

    async def _fire(self, timer: Timer, job: Job, leased: LeasedTask) -> str | None:
        async with transaction(*self._parts, job.context, self._on_commit) as tx:
            outcome = await timer(job.about, tx)
            # Records are written before the task's row, as in `seal` after `tx.remind` and `tx.forget`: so they cannot
            # deadlock.
            await tx.flush()
            await _remove(tx.session, job.key, leased)
        return outcome


async def _remove(session: AsyncSession, key: str, leased: LeasedTask) -> None:
    if (await session.execute(FIRED, {"key": key, "lease": leased.lease})).first() is None:
        raise TimerSuperseded
