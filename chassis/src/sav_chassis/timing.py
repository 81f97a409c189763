"""Timers: what `tx.remind` has set is done when it is due, in one transaction, once."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis import tracing
from sav_chassis.database import Database
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.tasks import FIRED, Errand, Taken, Use, Worker
from sav_chassis.tx import Committed, Timer, transaction

log = structlog.get_logger()

TIMERS_AT_ONCE = 4


class Overtaken(Exception):
    """The timer was moved, forgotten or done by another replica while it was in hand."""


class Timers:
    """Does a service's timers."""

    def __init__(
        self, service: Service, database: Database, settings: Settings, committed: Committed
    ) -> None:
        self._service = service
        self._parts = database, settings
        self._committed = committed
        self.worker = Worker(Use.TIMER, database, self._do, TIMERS_AT_ONCE)

    async def _do(self, taken: Taken) -> None:
        errand = Errand.model_validate_json(taken.message)
        structlog.contextvars.bind_contextvars(correlation_id=str(errand.correlation_id))
        timer = self._service.timers.get(errand.function)
        if timer is None:
            raise LookupError(f"{self._service.name} has no timer {errand.function}")
        with tracing.span(f"timer {errand.function}", "INTERNAL", errand.traceparent) as span:
            try:
                outcome = await self._fire(timer, span.carry(errand), taken)
            except Overtaken:
                log.info("timer overtaken", timer=errand.function, about=str(errand.about))
            else:
                log.info("timer done", timer=errand.function, about=str(errand.about), outcome=outcome)

    async def _fire(self, timer: Timer, errand: Errand, taken: Taken) -> str | None:
        async with transaction(*self._parts, errand.context, self._committed) as tx:
            outcome = await timer(errand.about, tx)
            # Records before the row, as whoever moves or forgets the timer does it: so they cannot deadlock.
            await tx.flush()
            await _remove(tx.session, errand.key, taken)
        return outcome


async def _remove(session: AsyncSession, key: str, taken: Taken) -> None:
    if (await session.execute(FIRED, {"key": key, "lease": taken.lease})).first() is None:
        raise Overtaken
