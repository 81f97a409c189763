"""What the calendar finds in its copies of other services' records, and which visits it knows have ended."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from sav_chassis.errors import NoSuch
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import Skill, TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.labels import label
from sav_contracts.visibility import ALL

# Copies of visits arrive by the view queue, events for reactions by the event queue, so either may be ahead.
NOTE_END = text("INSERT INTO ended_visit (id) VALUES (:id) ON CONFLICT DO NOTHING")
ENDED = text("SELECT id FROM ended_visit WHERE id = ANY(:ids)")


async def visible_reclamation(tx: Tx, id: UUID, by: Actor) -> ReclamationView:
    """The réclamation, if the caller sees it. Else, once waiting is over: 404; 422 for a caller who sees all."""
    sees_all = ReclamationView.visible.to(by.role) == ALL
    not_there = None if sees_all else NoSuch(kind=label(ReclamationView.kind()), id=id)
    return await tx.view(ReclamationView, id, by, not_there)


async def visible_visit(tx: Tx, id: UUID, by: Actor) -> InterventionView:
    """The visit, if the caller sees it; else as for a réclamation."""
    sees_all = InterventionView.visible.to(by.role) == ALL
    not_there = None if sees_all else NoSuch(kind=label(InterventionView.kind()), id=id)
    return await tx.view(InterventionView, id, by, not_there)


async def what_for(
    tx: Tx, reclamation_id: UUID | None, intervention_id: UUID | None, by: Actor
) -> ReclamationView | InterventionView:
    """The réclamation that a time is chosen for: the one that is named, or the visit's; else the visit without one."""
    if intervention_id:
        visit = await visible_visit(tx, intervention_id, by)
        if visit.reclamation_id is None:
            return visit
        reclamation_id = visit.reclamation_id
    assert reclamation_id is not None
    return await visible_reclamation(tx, reclamation_id, by)


async def able_technicians(
    tx: Tx, id: UUID | None = None, needed: Collection[Skill] = ()
) -> list[TechnicianView]:
    """The technicians who take visits and can do this work: all, or the one with this id if they do."""
    active = tx.copies(TechnicianView).where(active=True)
    found = await (active.where(id=id) if id else active).all()
    return [technician for technician in found if not technician.lacks(needed)]


async def has_left(tx: Tx, technician_id: UUID) -> bool:
    """Whether the technician takes no visits any more, as far as is known here."""
    technician = await tx.copies(TechnicianView).one(technician_id)
    return technician is not None and not technician.active


async def lock_technician(tx: Tx, id: UUID) -> None:
    """Whoever takes a technician's time, and whoever hears that they left, waits for the other. The first lock of all."""
    await tx.lock(f"technician {id}")


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
    return bool(await ended_visits(tx, [intervention_id]))


async def ended_visits(tx: Tx, ids: list[UUID]) -> set[UUID]:
    """Those of these visits whose end was recorded."""
    return set(await tx.session.scalars(ENDED, {"ids": ids}))
