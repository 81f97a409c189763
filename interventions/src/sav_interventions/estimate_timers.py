"""Timers of estimates."""

from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.estimate import EstimateExpired
from sav_interventions.app import interventions
from sav_interventions.model import Estimate


@interventions.timer
async def expire_estimate(id: UUID, tx: Tx) -> str | None:
    """Marks an estimate that nobody answered until its last day."""
    estimate = await tx.load(Estimate, id, SYSTEM)
    if estimate.status != "sent":
        return f"obsolete: it is {estimate.status}"
    estimate.move("expired", SYSTEM)
    tx.emit(estimate, EstimateExpired())
    return None
