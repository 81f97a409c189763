"""Opening, qualifying and assigning réclamations."""

from uuid import UUID

from sqlalchemy import Sequence

from sav_chassis.errors import Conflict, Invalid
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import UNDER_WAY, triage
from sav_claims.model import Client, Reclamation
from sav_contracts.actor import Actor, Role
from sav_contracts.claims import (
    AssignTechnician,
    OpenReclamation,
    QualifyReclamation,
    ReclamationCreated,
    ReclamationQualified,
    TechnicianAssigned,
)
from sav_contracts.interventions import TechnicianView

REFERENCES = Sequence("reclamation_reference")


class TechnicianUnavailable(Conflict):
    """The technician cannot take the work; the detail says why."""

    code = "technician_unavailable"


class AlreadyAssigned(Conflict):
    """Reassigning means another technician; another time is the calendar's matter."""

    code = "already_assigned"


@claims.command(OpenReclamation)
async def open_reclamation(cmd: OpenReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Report a fault, for oneself or, as a manager, for a client."""
    client = await tx.load(Client, _for_whom(cmd, by), by)
    priority, why = triage(cmd.problem_type, cmd.safety)
    reclamation = tx.add(
        Reclamation(
            id=tx.new_id(),
            reference=f"REC-{tx.now.year}-{await tx.session.scalar(REFERENCES):06}",
            client_id=client.id,
            article=cmd.article,
            problem_type=cmd.problem_type,
            description=cmd.description,
            safety_answers=cmd.safety.model_dump(),
            priority=priority,
            priority_reason=why,
            coverage="unknown",
            assignment=0,
            status="submitted",
        )
    )
    tx.emit(ReclamationCreated, reclamation)
    return reclamation


@claims.command(QualifyReclamation)
async def qualify_reclamation(cmd: QualifyReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Decide priority and coverage; decide again with a reason."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    if reclamation.status in UNDER_WAY and cmd.reason is None:
        raise Invalid.field("reason", "say why it is decided again")
    reclamation.qualify(cmd.priority, cmd.coverage, cmd.reason, by)
    tx.emit(
        ReclamationQualified,
        reclamation,
        coverage=reclamation.coverage,
        priority=cmd.priority,
        reason=cmd.reason,
    )
    return reclamation


@claims.command(AssignTechnician)
async def assign_technician(cmd: AssignTechnician, tx: Tx, by: Actor) -> Reclamation:
    """Give a qualified réclamation to a technician who can take it, or move it to another."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    technician = await tx.view(TechnicianView, cmd.technician_id)
    if not technician.active:
        raise TechnicianUnavailable(f"{technician.name} does not take visits at present")
    if reclamation.technician_id == technician.id:
        raise AlreadyAssigned(f"{technician.name} has this réclamation already")
    previous = reclamation.assign(technician.id, by)
    tx.emit(
        TechnicianAssigned,
        reclamation,
        technician_id=technician.id,
        previous_technician_id=previous,
        slot=cmd.slot,
    )
    return reclamation


def _for_whom(cmd: OpenReclamation, by: Actor) -> UUID:
    if cmd.client_id:
        return cmd.client_id
    if by.role is Role.CLIENT:
        return by.id
    raise Invalid.field("client_id", "say for which client")
