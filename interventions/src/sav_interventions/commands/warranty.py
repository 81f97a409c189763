"""Who pays for a visit."""

from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog import Warranty
from sav_contracts.interventions import DecideWarranty, WarrantyDecided
from sav_interventions.app import interventions
from sav_interventions.model import Intervention


@interventions.command(DecideWarranty)
async def decide_warranty(cmd: DecideWarranty, tx: Tx, by: Actor) -> Intervention:
    """Decide it as a manager; no rule changes it again."""
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    warranty = Warranty.of_shares(
        cmd.parts, cmd.labour, cmd.travel, why="decided_by_manager", reason=cmd.reason
    )
    intervention.decide(warranty)
    tx.emit(WarrantyDecided, intervention, decision=warranty.decision, reason=cmd.reason)
    return intervention
