"""Reactions to technicians who leave, or come back."""

from sqlalchemy import select

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.commands.assignment import lock_technician
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.appointment import AppointmentMoved
from sav_contracts.calendar.conflict import ConflictResolved, ConflictView
from sav_contracts.claims.reclamation import ReclamationChanged, ReclamationStatus, TechnicianAssigned
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.slot import Slot

# While it waits for its technician.
THEIRS: tuple[ReclamationStatus, ...] = ("assigned", "in_progress", "awaiting_parts")


@claims.on(TechnicianChanged, since="2026-11-29")
@claims.on(TechnicianLeft)
async def who_left(event: TechnicianChanged | TechnicianLeft, tx: Tx) -> str | None:
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


@claims.on(ConflictResolved, since="2026-11-29")
async def give_to_whom_the_manager_chose(event: ConflictResolved, tx: Tx) -> str | None:
    """A manager who resolves a planning conflict by another technician gives them the réclamation."""
    conflict, to = event.state, event.technician_id
    if to is None or to == conflict.technician_id or conflict.reclamation_id is None:
        return "its technician stays, or it is about no réclamation"
    await lock_technician(to, tx)
    reclamation = await tx.load(Reclamation, conflict.reclamation_id, SYSTEM)
    if reclamation.technician_id != conflict.technician_id or reclamation.status not in THEIRS:
        await _check_visit_is_known(conflict, reclamation, tx)
        return "obsolete: the réclamation is no longer theirs"
    previous = reclamation.assign(to, SYSTEM)
    await note_who_left(reclamation, tx)
    tx.emit(
        reclamation,
        TechnicianAssigned(
            technician_id=to,
            previous_technician_id=previous,
            slot=event.slot,
            outside_hours=event.outside_hours,
        ),
    )
    reclamation.reason = None
    return None


@claims.on(AppointmentMoved)
async def give_to_whom_it_was_moved(event: AppointmentMoved, tx: Tx) -> str | None:
    """A visit that was moved to another technician's calendar gives them the réclamation."""
    appointment, previous = event.state, event.previous_technician_id
    if previous is None or appointment.reclamation_id is None:
        return "its technician stays, or it is about no réclamation"
    to = appointment.technician_id
    await lock_technician(to, tx)
    reclamation = await tx.load(Reclamation, appointment.reclamation_id, SYSTEM)
    if reclamation.technician_id != previous or reclamation.status not in THEIRS:
        return "obsolete: the réclamation is no longer theirs"
    reclamation.assign(to, SYSTEM)
    await note_who_left(reclamation, tx)
    slot = Slot(start=appointment.start, end=appointment.end)
    told = TechnicianAssigned(
        technician_id=to, previous_technician_id=previous, slot=slot, outside_hours=event.outside_hours
    )
    tx.emit(reclamation, told)
    reclamation.reason = None
    return None


async def _check_visit_is_known(conflict: ConflictView, reclamation: Reclamation, tx: Tx) -> None:
    """Raises `NotYet` where the visit was planned by hand, and the réclamation is about to be assigned by that."""
    if conflict.intervention_id is None:
        return
    visit = await tx.view(InterventionView, conflict.intervention_id)
    if visit.is_open() and visit.assignment > reclamation.assignment:
        raise NotYet(visit.kind(), visit.id)


async def note_who_left(reclamation: Reclamation, tx: Tx) -> None:
    """Where it was given to a technician by an event: says whether they have left."""
    assert reclamation.technician_id is not None
    technician = await tx.copies(TechnicianView).one(reclamation.technician_id)
    # Where none is known yet, `who_left` follows if they have left.
    reclamation.needs_technician = technician is not None and not technician.active
