"""What interventions does about news from accounts and réclamations."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.auth import UserActivated
from sav_contracts.claims import TechnicianAssigned
from sav_contracts.interventions import (
    AssignmentRefused,
    InterventionMoved,
    InterventionPlanned,
    TechnicianChanged,
)
from sav_interventions.app import interventions
from sav_interventions.lifecycle import INTERVENTION
from sav_interventions.model import OVER, Intervention, Technician


@interventions.on(UserActivated)
async def create_card(event: UserActivated, tx: Tx) -> str | None:
    """A technician who can sign in gets a card with the same id."""
    account = event.state
    if account.role is not Role.TECHNICIAN:
        return "not a technician"
    if await tx.exists(Technician, account.id):
        return "there is a card already"
    technician = tx.add(Technician(id=account.id, name=account.name, active=True))
    tx.emit(TechnicianChanged, technician)
    return None


@interventions.on(TechnicianAssigned)
async def plan_intervention(event: TechnicianAssigned, tx: Tx) -> str | None:
    """Plan the visit of the assigned technician, in place of the one that was open."""
    reclamation = event.state
    visit = await tx.first(
        select(Intervention).where(
            Intervention.reclamation_id == reclamation.id, Intervention.status.not_in(OVER)
        )
    )
    if visit and visit.technician_id == event.technician_id:
        return "their visit is planned already"
    if visit and not INTERVENTION.allows(visit.status, "cancelled"):
        tx.emit(AssignmentRefused, visit, refused_technician_id=event.technician_id)
        return None
    if visit:
        before = visit.move("cancelled", "reassigned", SYSTEM)
        tx.emit(InterventionMoved, visit, before=before, after="cancelled", reason="reassigned")
        await tx.flush()  # one open visit at a time: the old one ends before the new one begins
    planned = tx.add(
        Intervention(
            id=tx.new_id(),
            client_id=reclamation.client_id,
            technician_id=event.technician_id,
            reclamation_id=reclamation.id,
            reclamation_reference=reclamation.reference,
            assignment=reclamation.assignment,
            status="planned",
            planned=event.slot.model_dump(mode="json") if event.slot else None,
        )
    )
    tx.emit(InterventionPlanned, planned, slot=event.slot)
    return None
