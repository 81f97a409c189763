"""What claims does about news from accounts and visits."""

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import RECLAMATION
from sav_claims.model import Client, Reclamation
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.auth import UserRegistered
from sav_contracts.claims import (
    ClientCreated,
    ReclamationMoved,
    TechnicianAssigned,
    TechnicianUnassigned,
)
from sav_contracts.interventions import AssignmentRefused, InterventionMoved, InterventionStarted


@claims.on(UserRegistered)
async def create_profile(event: UserRegistered, tx: Tx) -> str | None:
    """A client account gets a client profile with the same id."""
    account = event.state
    if account.role is not Role.CLIENT:
        return "not a client"
    if await tx.exists(Client, account.id):
        return "there is a profile already"
    client = tx.add(Client(id=account.id, name=account.name, email=account.email, locale=account.locale))
    tx.emit(ClientCreated, client)
    return None


@claims.on(InterventionStarted)
async def note_that_work_began(event: InterventionStarted, tx: Tx) -> str | None:
    """The réclamation is in progress when its technician starts."""
    reclamation = await tx.load(Reclamation, event.state.reclamation_id, SYSTEM)
    if reclamation.technician_id != event.state.technician_id:
        return "obsolete: another technician was assigned meanwhile; interventions decides"
    return _to_in_progress(tx, reclamation)


@claims.on(InterventionMoved)
async def take_back_what_was_declined(event: InterventionMoved, tx: Tx) -> str | None:
    """A réclamation whose technician declines waits for another one."""
    if event.after != "declined":
        return "not a decline"
    reclamation = await tx.load(Reclamation, event.state.reclamation_id, SYSTEM)
    visit = event.state
    if reclamation.assignment != visit.assignment or not RECLAMATION.allows(reclamation.status, "qualified"):
        return "obsolete: the réclamation is no longer theirs"
    reclamation.unassign(SYSTEM)
    tx.emit(TechnicianUnassigned, reclamation, technician_id=visit.technician_id)
    return None


@claims.on(AssignmentRefused)
async def restore_technician(event: AssignmentRefused, tx: Tx) -> str | None:
    """The technician who is already on site keeps the réclamation."""
    visit = event.state
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    if reclamation.technician_id == event.refused_technician_id:
        previous = reclamation.assign(visit.technician_id, SYSTEM)
        tx.emit(
            TechnicianAssigned,
            reclamation,
            technician_id=visit.technician_id,
            previous_technician_id=previous,
        )
    elif reclamation.technician_id != visit.technician_id:
        return "obsolete: assigned otherwise meanwhile"
    return _to_in_progress(tx, reclamation) if visit.status == "in_progress" else None


def _to_in_progress(tx: Tx, reclamation: Reclamation) -> str | None:
    before = reclamation.status
    if not RECLAMATION.allows(before, "in_progress"):
        return f"obsolete: the réclamation is {before}"
    reclamation.move("in_progress", SYSTEM)
    tx.emit(ReclamationMoved, reclamation, before=before, after="in_progress")
    return None
