"""What the calendar finds in its copies of other services' records, and which visits it knows have ended."""

from uuid import UUID

from sqlalchemy import text

from sav_chassis.errors import NoSuch
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.labels import label
from sav_contracts.visibility import ALL

# Copies of visits arrive by the view queue, events for reactions by the event queue, so either may be ahead.
NOTE_END = text("INSERT INTO ended_visit (id) VALUES (:id) ON CONFLICT DO NOTHING")
HAS_ENDED = text("SELECT true FROM ended_visit WHERE id = :id")


async def visible_reclamation(tx: Tx, id: UUID, by: Actor) -> ReclamationView:
    """The réclamation, if the caller sees it. Else, once waiting is over: 404; 422 for a caller who sees all."""
    sees_all = ReclamationView.visible.to(by.role) == ALL
    not_there = None if sees_all else NoSuch(kind=label(ReclamationView.kind()), id=id)
    return await tx.view(ReclamationView, id, by, not_there)


async def active_technicians(tx: Tx, id: UUID | None = None) -> list[UUID]:
    """The technicians who take visits: all, or the one with this id if they do."""
    active = tx.copies(TechnicianView).where(active=True)
    return [technician.id for technician in await (active.where(id=id) if id else active).all()]


async def open_visit(tx: Tx, reclamation_id: UUID, technician_id: UUID) -> UUID | None:
    """This technician's open visit for a réclamation, as far as it is known here."""
    visits = tx.copies(InterventionView).where(reclamation_id=reclamation_id, technician_id=technician_id)
    for visit in await visits.where(open=True).all():
        if not await has_ended(tx, visit.id):
            return visit.id
    return None


async def is_over(tx: Tx, intervention_id: UUID) -> bool:
    """Whether the copy says that the visit has ended; the reaction to that may still have to run."""
    visit = await tx.copies(InterventionView).one(intervention_id)
    return visit is not None and not visit.is_open()


async def note_end(tx: Tx, intervention_id: UUID) -> None:
    """Records that the visit has ended: from here on no appointment is for it."""
    await tx.session.execute(NOTE_END, {"id": intervention_id})


async def note_known_ends(tx: Tx, reclamation_id: UUID) -> None:
    """Records the end of each visit of a réclamation that is over by its copy: a slot chosen now is for another one."""
    for visit in await tx.copies(InterventionView).where(open=False, reclamation_id=reclamation_id).all():
        await note_end(tx, visit.id)


async def has_ended(tx: Tx, intervention_id: UUID) -> bool:
    """Whether the end of this visit was recorded: no held or booked appointment is for it."""
    return await tx.session.scalar(HAS_ENDED, {"id": intervention_id}) is not None
