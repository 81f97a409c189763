"""What the calendar knows of other services' records, beyond one at a time."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from sav_chassis.errors import NotFound
from sav_chassis.tx import Tx
from sav_contracts.actor import MANAGERS, Actor, Role
from sav_contracts.claims import ReclamationView

ACTIVE_TECHNICIANS = text(
    """SELECT id FROM view
    WHERE kind = 'technician' AND (doc ->> 'active')::boolean AND id = coalesce(CAST(:id AS uuid), id)"""
)
OPEN_VISIT = text(
    """SELECT id FROM view
    WHERE kind = 'intervention' AND open AND technician_id = :technician_id
        AND (doc ->> 'reclamation_id')::uuid = :reclamation_id"""
)
IS_OVER = text("SELECT true FROM view WHERE kind = 'intervention' AND id = :id AND NOT open")


async def visible_reclamation(tx: Tx, id: UUID, by: Actor) -> ReclamationView:
    """The réclamation, where it is the client's own, the technician's, or the caller manages; else `NotFound`."""
    reclamation = await tx.view(ReclamationView, id)
    whose = {Role.CLIENT: reclamation.client_id, Role.TECHNICIAN: reclamation.technician_id}
    if by.role in MANAGERS or by.role is Role.SYSTEM or whose.get(by.role) == by.id:
        return reclamation
    raise NotFound(f"there is no reclamation {id}")


async def active_technicians(tx: Tx, id: UUID | None = None) -> Sequence[UUID]:
    """The technicians who take visits: all, or the one with this id if they do."""
    return (await tx.session.scalars(ACTIVE_TECHNICIANS, {"id": id})).all()


async def open_visit(tx: Tx, reclamation_id: UUID, technician_id: UUID) -> UUID | None:
    """The visit of this technician that is planned or under way for a réclamation, as far as it is known here."""
    visit = {"reclamation_id": reclamation_id, "technician_id": technician_id}
    found: UUID | None = await tx.session.scalar(OPEN_VISIT, visit)
    return found


async def is_over(tx: Tx, intervention_id: UUID) -> bool:
    """Whether a visit is known here to have ended."""
    return await tx.session.scalar(IS_OVER, {"id": intervention_id}) is not None
