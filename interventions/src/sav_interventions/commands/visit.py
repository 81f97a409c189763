"""What a technician, or a manager for them, does about a visit."""

from sav_chassis.errors import Invalid
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    InterventionStatus,
    MoveIntervention,
)
from sav_interventions.app import interventions
from sav_interventions.lifecycle import DONE
from sav_interventions.model import Intervention

# What takes a visit off the plan is explained in words.
EXPLAINED: dict[InterventionStatus, str] = {
    "declined": "say why you decline",
    "cancelled": "say why the visit is cancelled",
    "no_access": "say why you could not get in",
}


@interventions.command(MoveIntervention)
async def move_intervention(cmd: MoveIntervention, tx: Tx, by: Actor) -> Intervention:
    """Accept, decline, go, arrive, start, pause, go on, complete, or say why it could not be done."""
    if cmd.to in EXPLAINED and cmd.reason is None:
        raise Invalid.field("reason", EXPLAINED[cmd.to])
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    before = intervention.move(cmd.to, cmd.reason, by, cmd.cause)
    if cmd.to in DONE:
        intervention.done_at = tx.now
    if before == "on_site" and cmd.to == "in_progress":
        tx.emit(InterventionStarted, intervention)
    else:
        tx.emit(InterventionMoved, intervention, before=before, after=cmd.to, reason=cmd.reason)
    if intervention.needs_follow_up():
        await tx.flush()  # one open visit at a time: this one ends before the next one begins
        tx.emit(InterventionPlanned, tx.add(intervention.follow_up(tx.new_id())))
    return intervention
