"""What the calendar knows of other services' records, beyond one at a time."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from sav_chassis.errors import NotFound
from sav_chassis.tx import Tx, sees
from sav_contracts.actor import Actor
from sav_contracts.claims import ReclamationView

ACTIVE_TECHNICIANS = text(
    """SELECT id FROM view
    WHERE kind = 'technician' AND (doc ->> 'active')::boolean AND id = coalesce(CAST(:id AS uuid), id)"""
)
OPEN_VISIT = text(
    """SELECT id FROM view
    WHERE kind = 'intervention' AND open AND technician_id = :technician_id
        AND (doc ->> 'reclamation_id')::uuid = :reclamation_id AND id NOT IN (SELECT id FROM ended_visit)"""
)
IS_OVER = text("SELECT true FROM view WHERE kind = 'intervention' AND id = :id AND NOT open")
# The copies of visits come by another queue than the news that the calendar reacts to, so either may be ahead.
NOTE_END = text("INSERT INTO ended_visit (id) VALUES (:id) ON CONFLICT DO NOTHING")
NOTE_KNOWN_ENDS = text(
    """INSERT INTO ended_visit SELECT id FROM view
    WHERE kind = 'intervention' AND NOT open AND (doc ->> 'reclamation_id')::uuid = :reclamation_id
    ORDER BY id ON CONFLICT DO NOTHING"""
)
HAS_ENDED = text("SELECT true FROM ended_visit WHERE id = :id")


async def visible_reclamation(tx: Tx, id: UUID, by: Actor) -> ReclamationView:
    """The réclamation, where it is the client's own, the technician's, or the caller manages; else `NotFound`."""
    reclamation = await tx.view(ReclamationView, id)
    if sees(by, reclamation):
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
    """Whether a visit is known here to have ended; what is to follow from that may be still to come."""
    return await tx.session.scalar(IS_OVER, {"id": intervention_id}) is not None


async def note_end(tx: Tx, intervention_id: UUID) -> None:
    """From here on no appointment is for this visit."""
    await tx.session.execute(NOTE_END, {"id": intervention_id})


async def note_known_ends(tx: Tx, reclamation_id: UUID) -> None:
    """The same for every visit of a réclamation that is known here to be over: a time chosen now is for another."""
    await tx.session.execute(NOTE_KNOWN_ENDS, {"reclamation_id": reclamation_id})


async def has_ended(tx: Tx, intervention_id: UUID) -> bool:
    """Whether that was noted: nothing that stands is for this visit."""
    return await tx.session.scalar(HAS_ENDED, {"id": intervention_id}) is not None
