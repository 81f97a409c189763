"""Alters the ledger and its closings past the triggers, and asks `sav verify` about them."""

from decimal import Decimal

import asyncpg
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.testing import Stage
from sav_interventions.model.invoice import GENESIS
from sav_interventions.model.payment import Closing
from sav_ops.verify.moment import Snapshot, in_silence
from sav_ops.verify.payments import payments

PAST_TRIGGERS = "SET LOCAL session_replication_role = replica"


async def found(stage: Stage) -> list[str]:
    """What verify names of the ledger and its closings."""
    database = await asyncpg.connect(stage.settings.database("interventions"))
    try:
        async with database.transaction(isolation="repeatable_read"):
            moment = Snapshot(stage.settings, {"interventions": database}, in_silence)
            return [line async for line in payments(moment)]
    finally:
        await database.close()


async def alters(stage: Stage, statement: str, rehashed: bool) -> None:
    """Runs a statement past all triggers; `rehashed`: whoever does it also computes the hashes and totals anew."""
    async with AsyncSession(stage.database.engine) as session, session.begin():
        await session.execute(text(PAST_TRIGGERS))
        await session.execute(text(statement))
        if rehashed:
            await _rehash(session)


async def _rehash(session: AsyncSession) -> None:
    order = select(Closing).order_by(Closing.currency, Closing.period, Closing.first_day)
    before: Closing | None = None
    for one in await session.scalars(order.execution_options(populate_existing=True)):
        if before and (before.period, before.currency) != (one.period, one.currency):
            before = None
        one.previous_hash = before.hash if before else GENESIS
        one.perpetual = (before.perpetual if before else Decimal(0)) + one.total
        one.hash = one.digest()
        before = one
