"""Appliances that a visit stopped for safety: who comes next has to know."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from sav_chassis.tx import Tx
from sav_contracts.catalog.servicing import air_quality
from sav_contracts.interventions.visit import InterventionView


class Stopped(BaseModel):
    """That an appliance was stopped for safety: when, and the carbon monoxide that was measured, where it was."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    ppm: int | None


async def stopped_before(tx: Tx, visit: InterventionView) -> Stopped | None:
    """What an earlier visit stopped, for the same unit or case, unless one after it measured less or was completed."""
    for earlier in sorted(await _earlier(tx, visit), key=_ended, reverse=True):
        ppm = earlier.work.co_ppm if earlier.work else None
        danger = ppm is not None and air_quality(ppm, _ended(earlier).date()) == "dangerous"
        if danger or earlier.cause == "stopped_for_safety":
            return Stopped(at=_ended(earlier), ppm=ppm if danger else None)
        if ppm is not None or earlier.status == "completed":
            return None
    return None


def _ended(visit: InterventionView) -> datetime:
    return visit.done_at or visit.updated_at


async def _earlier(tx: Tx, visit: InterventionView) -> Iterable[InterventionView]:
    """The other visits for its unit and in its case, with those that it continues."""
    copies, found = tx.copies(InterventionView), dict[object, InterventionView]()
    for name in ("product_id", "reclamation_id", "reference"):
        if value := getattr(visit, name):
            found |= {one.id: one for one in await copies.where(**{name: value}).all()}
    follows = visit.follows_id
    while follows and follows not in found and (one := await copies.one(follows)):
        found[one.id], follows = one, one.follows_id
    found.pop(visit.id, None)
    return found.values()
