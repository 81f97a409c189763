"""What a technician does about a visit."""

from sav_chassis.errors import Invalid
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions import InterventionMoved, InterventionStarted, MoveIntervention
from sav_interventions.app import interventions
from sav_interventions.model import Intervention


@interventions.command(MoveIntervention)
async def move_intervention(cmd: MoveIntervention, tx: Tx, by: Actor) -> Intervention:
    """Accept, decline with a reason, go, arrive, start."""
    if cmd.to == "declined" and cmd.reason is None:
        raise Invalid.field("reason", "say why you decline")
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    before = intervention.move(cmd.to, cmd.reason, by)
    if cmd.to == "in_progress":
        tx.emit(InterventionStarted, intervention)
    else:
        tx.emit(InterventionMoved, intervention, before=before, after=cmd.to, reason=cmd.reason)
    return intervention
