"""Moving a visit: by its technician, or by a manager on their behalf."""

from sav_chassis.errors import WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import CutOffs
from sav_contracts.interventions.visit import (
    InterventionMove,
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    InterventionStatus,
    MoveIntervention,
)
from sav_interventions.agreement import check_agreed
from sav_interventions.app import interventions
from sav_interventions.late import explain_lateness
from sav_interventions.lifecycle import DONE
from sav_interventions.model import Intervention
from sav_interventions.move_times import check_not_early, when_moved
from sav_interventions.safety import check_ending
from sav_interventions.who_comes import check_takes_visits


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
    return await make_move(cmd, tx, by)


async def make_move(cmd: MoveIntervention, tx: Tx, by: Actor, offline: bool = False) -> Intervention:
    """Moves the visit.

    A move that was made offline has happened: it is not refused for what its technician could not know, such as a new
    time of the visit, or that they take no visits any more.
    """
    to = _meant(cmd.to, by)
    if to in EXPLAINED and cmd.reason is None:
        raise EXPLAINED[to]
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    before = intervention.status
    intervention.move(to, by, cmd.reason, cmd.cause)
    await check_ending(intervention, tx)
    if to == "in_progress" and not offline:
        await check_agreed(intervention, before, tx.now, tx)
    if to in {"accepted", "en_route"} and not offline:
        await check_takes_visits(tx, intervention)
    at = when_moved(intervention, cmd.at, by, tx.now)
    explain_lateness(intervention, before, cmd.lateness_cause, at, offline)
    if to == "en_route" and cmd.reason is None and not offline:
        check_not_early(intervention, at, await tx.policy(CutOffs))
    intervention.note_move(by, tx.now, at, cmd.position)
    if to in DONE:
        intervention.done_at = at
    if before == "on_site" and to == "in_progress":
        tx.emit(intervention, InterventionStarted(happened_at=at))
    else:
        told = InterventionMoved(before=before, after=to, reason=cmd.reason, happened_at=at)
        tx.emit(intervention, told)
    if intervention.needs_follow_up():
        await tx.flush()  # one open visit at a time: this one ends before the next one begins
        tx.emit(tx.add(intervention.follow_up(tx.new_id())), InterventionPlanned())
    return intervention


def _meant(to: InterventionMove, by: Actor) -> InterventionMove:
    """A technician who cancels declines: the réclamation needs somebody else, and managers are told."""
    return "declined" if to == "cancelled" and by.role is Role.TECHNICIAN else to
