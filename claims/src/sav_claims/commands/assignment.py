"""Assigning réclamations to technicians."""

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Reclamation
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    TechnicianAssigned,
)
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.times import HORIZON


class TechnicianUnavailable(Conflict):
    """The technician cannot take the work; the detail says why."""

    code = "technician_unavailable"
    name: str
    en = "{name} does not take visits at present"
    fr = "{name} ne prend pas d’interventions actuellement"


class AlreadyAssigned(Conflict):
    """The technician has it already: reassigning needs another one. The calendar changes times."""

    code = "already_assigned"
    name: str
    en = "{name} has this réclamation already"
    fr = "Cette réclamation est déjà attribuée à {name}"


class SlotInPast(WrongField):
    field: str = "slot"
    en = "a visit is planned in the future"
    fr = "une intervention se planifie dans le futur"


class SlotTooFar(WrongField):
    field: str = "slot"
    en = "at most a year ahead"
    fr = "au plus un an à l’avance"


@claims.command(AssignTechnician)
async def assign_technician(cmd: AssignTechnician, tx: Tx, by: Actor) -> Reclamation:
    """Give a qualified réclamation to a technician who can take it, or move it to another."""
    if cmd.slot and cmd.slot.start <= tx.now:
        raise SlotInPast
    if cmd.slot and cmd.slot.start > tx.now + HORIZON:
        raise SlotTooFar
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    technician = await tx.view(TechnicianView, cmd.technician_id)
    if not technician.active:
        raise TechnicianUnavailable(name=technician.name)
    if reclamation.technician_id == technician.id:
        raise AlreadyAssigned(name=technician.name)
    previous = reclamation.assign(technician.id, by)
    tx.emit(
        reclamation,
        TechnicianAssigned(
            technician_id=technician.id,
            previous_technician_id=previous,
            slot=cmd.slot,
            outside_hours=cmd.outside_hours,
        ),
    )
    return reclamation
