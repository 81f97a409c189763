"""The ledger after a restore: entries that the backup lacks are recorded as missing, and their numbers are not given again."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_interventions.days import local_day
from sav_interventions.model.invoice import GENESIS
from sav_interventions.model.payment import Ledger, MissingEntries
from sav_interventions.numbering import NumbersUnclear


async def last_entry(session: AsyncSession) -> int | None:
    """The number of the last entry here; None where there is none."""
    return await session.scalar(select(func.max(Ledger.last)))


async def go_on_after(session: AsyncSession, last: int | None, ahead: int) -> MissingEntries | None:
    """Continues the ledger after `last`, the last entry that is known outside; records and returns what is missing.

    Where nobody knows it (None), `ahead` numbers are left out. Raises `NumbersUnclear` where a later one is here.
    """
    ledger = (await session.scalars(select(Ledger).with_for_update())).one_or_none()
    here = ledger.last if ledger else 0
    if last is not None and last < here:
        raise NumbersUnclear(f"entry {here} of the ledger is here already: nothing before it can be the last")
    if last == here or (last is None and ledger is None):
        return None
    now = datetime.now(UTC)
    missing = MissingEntries(
        first=here + 1,
        last=here + ahead if last is None else last,
        sure=last is not None,
        # Today may have been entered in, and with it closed, before the restore.
        closed_until=local_day(now),
        at=now,
        previous_hash=ledger.hash if ledger else GENESIS,
    )
    missing.hash = missing.digest()
    session.add(missing)
    if ledger:
        ledger.last, ledger.hash = missing.last, missing.hash
    return missing


async def missing_entries(session: AsyncSession) -> list[MissingEntries]:
    """All that were recorded as missing, in their order."""
    return list(await session.scalars(select(MissingEntries).order_by(MissingEntries.first)))
