"""Assigning réclamations to technicians."""

from uuid import UUID

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.shared_refusals import check_able
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import WITH_TECHNICIAN
from sav_claims.model import Reclamation
from sav_claims.possible_moves import check_move
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    TechnicianAssigned,
)
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.times import HORIZON


class AlreadyAssigned(Conflict):
    """The technician has it already: reassigning needs another one. The calendar changes times."""

    code = "already_assigned"
    name: str
    en = "{name} has this claim already"
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
    # Before the réclamation, as `who_left` does.
    await lock_technician(cmd.technician_id, tx)
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    technician = await tx.view(TechnicianView, cmd.technician_id)
    check_able(technician, reclamation.skills_needed)
    if await _has_it(technician.id, reclamation, tx):
        raise AlreadyAssigned(name=technician.name)
    await check_move(reclamation, "assigned", tx, by)
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
    reclamation.reason = None
    return reclamation


async def _has_it(technician_id: UUID, reclamation: Reclamation, tx: Tx) -> bool:
    """Whether it is theirs, and not only because of a visit that has ended: then they get another one."""
    if reclamation.technician_id != technician_id:
        return False
    visits = tx.copies(InterventionView).where(reclamation_id=reclamation.id, technician_id=technician_id)
    return reclamation.status in WITH_TECHNICIAN or bool(await visits.where(open=True).all())


async def lock_technician(id: UUID, tx: Tx) -> None:
    """Whoever gives work to a technician, and whoever hears that they left, waits for the other."""
    await tx.lock(f"technician {id}")
