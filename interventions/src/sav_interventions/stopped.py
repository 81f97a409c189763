"""Appliances that an earlier visit stopped for safety: who comes next sees it in the visit."""

from sqlalchemy import ColumnElement, func, or_, select

from sav_chassis.tx import Tx
from sav_contracts.catalog.servicing import air_quality
from sav_contracts.interventions.task import Stopped
from sav_interventions.model import Intervention

# When a visit last said something of its appliance.
LAST_SAID = func.coalesce(Intervention.measured_at, Intervention.done_at, Intervention.created_at)


def of_the_same(visit: Intervention) -> ColumnElement[bool]:
    """The other visits for its unit, in its réclamation, and that it continues.

    The unit may have been named later, and a visit may be for no réclamation.
    """
    before = select(Intervention.follows_id.label("id")).where(Intervention.id == visit.id)
    continued = before.cte("continued", recursive=True)
    further = select(Intervention.follows_id).where(Intervention.id == continued.c.id)
    same = or_(
        Intervention.product_id.in_([visit.product_id]),
        Intervention.reclamation_id.in_([visit.reclamation_id]),
        Intervention.id.in_(select(continued.union(further).c.id)),
    )
    return same & (Intervention.id != visit.id)


async def stopped_before(visit: Intervention, tx: Tx) -> Stopped | None:
    """What an earlier visit stopped, unless one after it measured less or was completed."""
    columns = select(Intervention.work, Intervention.cause, Intervention.status, LAST_SAID)
    earlier = columns.where(of_the_same(visit)).order_by(LAST_SAID.desc())
    for work, cause, status, at in await tx.session.execute(earlier):
        ppm = work.co_ppm if work else None
        danger = ppm is not None and air_quality(ppm, at.date()) == "dangerous"
        if danger or cause == "stopped_for_safety":
            return Stopped(at=at, ppm=ppm if danger else None)
        if ppm is not None or status == "completed":
            return None
    return None
