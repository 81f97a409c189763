"""Reactions to technicians who leave, or come back."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.commands.assignment import lock_technician
from sav_claims.model import Reclamation
from sav_contracts.claims.reclamation import ReclamationChanged, ReclamationStatus
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianView

# While it waits for its technician.
THEIRS: tuple[ReclamationStatus, ...] = ("assigned", "in_progress", "awaiting_parts")


@claims.on(TechnicianChanged, since="2026-11-29")
async def who_left(event: TechnicianChanged, tx: Tx) -> str | None:
    """The open réclamations of a technician who left need another one; not any more if they come back."""
    technician = await tx.copies(TechnicianView).as_new_as(event.state)
    # Assigning takes this lock too: it uses this copy or a newer one from here on; earlier assignments are found.
    await lock_technician(technician.id, tx)
    theirs = await tx.session.scalars(
        select(Reclamation)
        .where(Reclamation.technician_id == technician.id, Reclamation.status.in_(THEIRS))
        .where(Reclamation.needs_technician == technician.active)
        .order_by(Reclamation.id)
        .with_for_update()
    )
    for reclamation in theirs:
        reclamation.needs_technician = not technician.active
        tx.emit(reclamation, ReclamationChanged())
    return None if tx.has_emitted else "none of their réclamations is concerned"


async def note_who_left(reclamation: Reclamation, tx: Tx) -> None:
    """Where it was given to a technician by an event: says whether they have left."""
    assert reclamation.technician_id is not None
    technician = await tx.copies(TechnicianView).one(reclamation.technician_id)
    # Where none is known yet, `who_left` follows if they have left.
    reclamation.needs_technician = technician is not None and not technician.active
