"""Moving a visit: by its technician, or by a manager on their behalf."""

from sav_chassis.errors import WrongField
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


class Unexplained(WrongField, abstract=True):
    field: str = "reason"


class WhyDeclined(Unexplained):
    en = "say why you decline"
    fr = "indiquez pourquoi vous déclinez"


class WhyCancelled(Unexplained):
    en = "say why the visit is cancelled"
    fr = "indiquez pourquoi l’intervention est annulée"


class WhyNoAccess(Unexplained):
    en = "say why you could not get in"
    fr = "indiquez pourquoi vous n’avez pas pu entrer"


# Moves that end a visit without work need a reason in words.
EXPLAINED: dict[InterventionStatus, type[Unexplained]] = {
    "declined": WhyDeclined,
    "cancelled": WhyCancelled,
    "no_access": WhyNoAccess,
}


@interventions.command(MoveIntervention)
async def move_intervention(cmd: MoveIntervention, tx: Tx, by: Actor) -> Intervention:
    """Accept, decline, set out, arrive, start, pause, go on, complete, or say why it could not be done."""
    if cmd.to in EXPLAINED and cmd.reason is None:
        raise EXPLAINED[cmd.to]
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    before = intervention.status
    intervention.move(cmd.to, by, cmd.reason, cmd.cause)
    if cmd.to in DONE:
        intervention.done_at = tx.now
    if before == "on_site" and cmd.to == "in_progress":
        tx.emit(intervention, InterventionStarted())
    else:
        tx.emit(intervention, InterventionMoved(before=before, after=cmd.to, reason=cmd.reason))
    if intervention.needs_follow_up():
        await tx.flush()  # one open visit at a time: this one ends before the next one begins
        tx.emit(tx.add(intervention.follow_up(tx.new_id())), InterventionPlanned())
    return intervention
