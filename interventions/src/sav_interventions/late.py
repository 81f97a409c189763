"""Late visits: marked by a timer when their slot ends before the work began. The next move says why."""

from datetime import datetime
from uuid import UUID

from sav_chassis.errors import WrongField
from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.lateness import InterventionOverdue
from sav_contracts.interventions.visit import InterventionStatus, LatenessCause
from sav_interventions.app import interventions
from sav_interventions.lifecycle import NOT_BEGUN
from sav_interventions.model import Intervention


class WhyLate(WrongField):
    field: str = "lateness_cause"
    en = "the visit is late: say why"
    fr = "l’intervention est en retard : indiquez pourquoi"


class NotLate(WrongField):
    field: str = "lateness_cause"
    en = "the visit is not late: there is no cause to name"
    fr = "l’intervention n’est pas en retard : il n’y a pas de motif à indiquer"


@settles(Intervention)
async def follow_slot(visit: Intervention, tx: Tx) -> None:
    """Sets the timer to the end of the visit's slot, until the work begins. A later slot makes a late one punctual."""
    ends = visit.slot.end if visit.slot and visit.status in NOT_BEGUN else None
    if visit.overdue and ends and ends > tx.now:
        visit.lateness_cause = None
    visit.overdue = bool(visit.overdue and ends and ends <= tx.now)
    due = None if visit.overdue else ends
    if due == visit.late_at:
        return
    visit.late_at = due
    if due:
        tx.remind(mark_late, visit.id, due)
    else:
        tx.forget(mark_late, visit.id)


@interventions.timer
async def mark_late(id: UUID, tx: Tx) -> str | None:
    """Marks a visit whose slot has ended and whose work has not begun, once for each slot."""
    visit = await tx.load(Intervention, id, SYSTEM)
    if visit.late_at is None:
        return "obsolete: it has begun, is over, or was marked"
    if visit.late_at > tx.now:
        tx.remind(mark_late, id, visit.late_at)
        return "its slot ends later"
    visit.overdue = True
    tx.emit(visit, InterventionOverdue())
    return None


def explain_lateness(
    visit: Intervention, before: InterventionStatus, cause: LatenessCause | None, at: datetime, offline: bool
) -> None:
    """Keeps why a visit is late, as somebody says when they move it; `at` is when the move happened.

    Raises `WhyLate` where nobody has said it yet, and `NotLate` where the move was in time. Whoever was offline may not
    know when the visit is now: they are not asked, and a cause that is none is left out.
    """
    late = before in NOT_BEGUN and visit.slot is not None and visit.slot.end <= at
    if cause and not late and not offline:
        raise NotLate
    if late and visit.overdue and not (cause or visit.lateness_cause or offline):
        raise WhyLate
    visit.lateness_cause = (cause if late else None) or visit.lateness_cause
