"""Reactions to visits and appointments."""

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.commands.assignment import lock_technician
from sav_claims.lifecycle import RECLAMATION
from sav_claims.model import Reclamation
from sav_claims.reactions.technicians import THEIRS, note_who_left
from sav_claims.timers import close_after_a_while, close_later
from sav_contracts.actor import SYSTEM
from sav_contracts.calendar.appointment import AppointmentBooked
from sav_contracts.claims.reclamation import (
    ReclamationChanged,
    ReclamationMoved,
    ReclamationStatus,
    Resolution,
    TechnicianAssigned,
    TechnicianUnassigned,
)
from sav_contracts.claims.visits import PlannedVisitRefused
from sav_contracts.interventions.new_visit import PlannedVisitOver
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    EndingRefused,
    InterventionClosed,
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    InterventionView,
)
from sav_contracts.slot import Slot

FOR_NONE = "it is for no réclamation"


@claims.on(AppointmentBooked)
async def assign_whom_the_client_chose(event: AppointmentBooked, tx: Tx) -> str | None:
    """A client who books a technician's time thereby chooses the technician."""
    appointment = event.state
    if appointment.intervention_id or appointment.reclamation_id is None:
        return "the time of a planned visit"
    await lock_technician(appointment.technician_id, tx)
    reclamation = await tx.load(Reclamation, appointment.reclamation_id, SYSTEM)
    if reclamation.technician_id == appointment.technician_id:
        return "theirs already"
    if reclamation.status != "qualified":
        return f"obsolete: the réclamation is {reclamation.status}"
    reclamation.assign(appointment.technician_id, SYSTEM)
    await note_who_left(reclamation, tx)
    tx.emit(
        reclamation,
        TechnicianAssigned(
            technician_id=appointment.technician_id, slot=Slot(start=appointment.start, end=appointment.end)
        ),
    )
    return None


@claims.on(InterventionPlanned, since="2026-11-29")
async def assign_who_was_planned(event: InterventionPlanned, tx: Tx) -> str | None:
    """A visit that was planned by hand gives a qualified réclamation its technician."""
    visit = event.state
    if visit.reclamation_id is None:
        return FOR_NONE
    if not event.by_hand:
        return "it follows an assignment, or another visit"
    await lock_technician(visit.technician_id, tx)
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    if reclamation.technician_id == visit.technician_id and reclamation.status in THEIRS:
        return "theirs already"
    if reclamation.status != "qualified" or reclamation.assignment + 1 != visit.assignment:
        # It changed just as the visit was planned.
        refused = PlannedVisitRefused(intervention_id=visit.id, technician_id=visit.technician_id)
        tx.emit(reclamation, refused)
        return None
    reclamation.assign(visit.technician_id, SYSTEM)
    reclamation.reason = None
    await note_who_left(reclamation, tx)
    tx.emit(
        reclamation,
        TechnicianAssigned(
            technician_id=visit.technician_id, slot=event.slot, outside_hours=event.outside_hours
        ),
    )
    return None


@claims.on(PlannedVisitOver)
async def take_back_for_want_of_a_visit(event: PlannedVisitOver, tx: Tx) -> str | None:
    """It waits for a technician again: the visit for which it was assigned was over before."""
    visit = event.state
    if visit.reclamation_id is None:
        return FOR_NONE
    return await _take_back(tx, await tx.load(Reclamation, visit.reclamation_id, SYSTEM), visit)


@claims.on(InterventionStarted)
async def note_that_work_began(event: InterventionStarted, tx: Tx) -> str | None:
    """The réclamation is in progress when its technician starts."""
    if event.state.reclamation_id is None:
        return FOR_NONE
    reclamation = await tx.load(Reclamation, event.state.reclamation_id, SYSTEM)
    if reclamation.technician_id != event.state.technician_id:
        return "obsolete: another technician was assigned meanwhile; interventions decides"
    return _begin(tx, reclamation, event.state)


@claims.on(InterventionMoved)
async def follow_the_visit(event: InterventionMoved, tx: Tx) -> str | None:
    """After a declined or cancelled visit it waits for a technician again; after an incomplete one, for the next."""
    visit = event.state
    if visit.reclamation_id is None:
        return FOR_NONE
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    if event.after in ("declined", "cancelled"):
        return await _take_back(tx, reclamation, visit)
    if event.after == "incomplete" and visit.cause != "estimate_refused":
        return _move(tx, reclamation, visit, "awaiting_parts" if visit.cause == "parts" else "assigned")
    return f"{event.after} changes nothing here"


@claims.on(InterventionClosed)
async def resolve(event: InterventionClosed, tx: Tx) -> str | None:
    """Resolves what was repaired, or whose estimate was refused; a timer closes it if the client does not reopen it."""
    visit = event.state
    if visit.reclamation_id is None:
        return FOR_NONE
    refused = visit.cause == "estimate_refused"
    if event.outcome != "completed" and not refused:
        return "not completed: the next visit goes on"
    # Locked before the further visit is looked at: whoever takes it back when that falls away sees this one closed.
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    if event.follow_up_id and (await tx.view(InterventionView, event.follow_up_id)).is_open():
        await tx.copies(InterventionView).as_new_as(visit)
        return "a further visit goes on"
    before = reclamation.status
    if obsolete := _why_obsolete(reclamation, visit, "resolved"):
        return obsolete
    how: Resolution = "estimate_refused" if refused else "repaired"
    reclamation.resolve(how, SYSTEM, tx.now)
    reclamation.reason = None
    await close_later(reclamation, tx)
    tx.emit(reclamation, ReclamationMoved(before=before, after="resolved", resolution=how))
    return None


@claims.on(AssignmentRefused)
async def restore_technician(event: AssignmentRefused, tx: Tx) -> str | None:
    """The technician who is already on site keeps the réclamation."""
    visit = event.state
    if visit.reclamation_id is None:
        return FOR_NONE
    await lock_technician(visit.technician_id, tx)
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    if reclamation.technician_id == event.refused_technician_id and reclamation.status in THEIRS:
        previous = reclamation.assign(visit.technician_id, SYSTEM)
        reclamation.goes_on_with(visit)
        await note_who_left(reclamation, tx)
        tx.emit(
            reclamation,
            TechnicianAssigned(technician_id=visit.technician_id, previous_technician_id=previous),
        )
    elif reclamation.technician_id != visit.technician_id:
        return "obsolete: assigned otherwise meanwhile"
    return _begin(tx, reclamation, visit) if visit.status in ("in_progress", "paused") else None


@claims.on(EndingRefused)
async def keep_open(event: EndingRefused, tx: Tx) -> str | None:
    """What was ended, or taken from its technician, as they arrived goes on with their visit."""
    visit = event.state
    assert visit.reclamation_id is not None, "only the end of a réclamation is refused"
    await lock_technician(visit.technician_id, tx)
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    before = reclamation.status
    after: ReclamationStatus = "in_progress" if visit.status in ("in_progress", "paused") else "assigned"
    if reclamation.assignment != event.assignment or not RECLAMATION.allows(before, after, SYSTEM):
        return f"obsolete: the réclamation is {before}"
    if before in THEIRS:
        return "obsolete: somebody has it again"
    previous = reclamation.technician_id
    reclamation.restore(visit.technician_id, after, SYSTEM)
    reclamation.goes_on_with(visit)
    reclamation.visit_id = visit.id if after == "in_progress" else None
    reclamation.reason = None
    await note_who_left(reclamation, tx)
    tx.forget(close_after_a_while, reclamation.id)
    if reclamation.assignment != visit.assignment:
        # It was given to somebody else before it was ended: the visit belongs to a new assignment.
        reclamation.assignment += 1
        tx.emit(
            reclamation,
            TechnicianAssigned(technician_id=visit.technician_id, previous_technician_id=previous),
        )
    tx.emit(reclamation, ReclamationMoved(before=before, after=after))
    return None


async def _take_back(tx: Tx, reclamation: Reclamation, visit: InterventionView) -> str | None:
    # Two may have been chosen at once, one by hand.
    same = reclamation.technician_id == visit.technician_id
    theirs = same and reclamation.assignment == visit.assignment
    if not theirs or not RECLAMATION.allows(reclamation.status, "qualified", SYSTEM):
        return "obsolete: the réclamation is no longer theirs"
    if reclamation.status == "in_progress" and (why := await _why_it_goes_on(tx, reclamation, visit)):
        return why
    reclamation.unassign(SYSTEM)
    reclamation.reason = None
    tx.emit(reclamation, TechnicianUnassigned(technician_id=visit.technician_id))
    return None


async def _why_it_goes_on(tx: Tx, reclamation: Reclamation, gone: InterventionView) -> str | None:
    """Why what is in progress waits for nobody, although its further visit fell away."""
    visits = tx.copies(InterventionView)
    # Whoever hears afterwards that the visit before was closed sees that nobody else comes, and resolves it.
    await visits.as_new_as(gone)
    if reclamation.visit_id:
        begun = await tx.view(InterventionView, reclamation.visit_id)
        if begun.created_at >= gone.created_at:
            return "obsolete: another visit was begun since"
        if begun.is_open():
            # It was over when the further one was planned: the copy is late.
            raise NotYet(begun.kind(), begun.id)
        if begun.closed_at is None and (begun.status == "completed" or begun.cause == "estimate_refused"):
            return "the report of the visit before resolves it"
    its_open = visits.where(client_id=gone.client_id, reclamation_id=reclamation.id, open=True)
    if any(one.created_at > gone.created_at for one in await its_open.all()):
        return "obsolete: another visit was planned since"
    return None


def _begin(tx: Tx, reclamation: Reclamation, visit: InterventionView) -> str | None:
    before = reclamation.status
    if reclamation.was_reopened_after(visit):
        return "obsolete: it was reopened after this visit"
    if before == "in_progress" and reclamation.visit_id != visit.id:
        reclamation.visit_id = visit.id
        tx.emit(reclamation, ReclamationChanged())
        return None
    if before not in THEIRS or not RECLAMATION.allows(before, "in_progress", SYSTEM):
        return f"obsolete: the réclamation is {before}"
    reclamation.visit_id = visit.id
    reclamation.move("in_progress", SYSTEM)
    reclamation.reason = None
    tx.emit(reclamation, ReclamationMoved(before=before, after="in_progress"))
    return None


def _move(tx: Tx, reclamation: Reclamation, visit: InterventionView, to: ReclamationStatus) -> str | None:
    before = reclamation.status
    if obsolete := _why_obsolete(reclamation, visit, to):
        return obsolete
    reclamation.move(to, SYSTEM)
    reclamation.reason = None
    tx.emit(reclamation, ReclamationMoved(before=before, after=to))
    return None


def _why_obsolete(reclamation: Reclamation, visit: InterventionView, to: ReclamationStatus) -> str | None:
    now = reclamation.status
    if reclamation.was_reopened_after(visit):
        return "obsolete: it was reopened after this visit"
    if reclamation.visit_id not in (None, visit.id) or reclamation.technician_id != visit.technician_id:
        return "obsolete: another visit was started since, or another technician assigned"
    if now not in THEIRS or now == to or not RECLAMATION.allows(now, to, SYSTEM):
        return f"obsolete: the réclamation is {now}"
    return None
