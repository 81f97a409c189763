"""Réclamations that get no visit any more."""

from sav_calendar.app import calendar
from sav_calendar.cases import Case
from sav_calendar.planning import current_appointment, release
from sav_calendar.waiting import end_wish
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.reclamation import ReclamationClosed, ReclamationMoved, ReclamationView
from sav_contracts.claims.visits import NOT_PLANNABLE


@calendar.on(ReclamationMoved, since="2026-11-29")
@calendar.on(ReclamationClosed, since="2026-11-29")
async def free_chosen_time(event: ReclamationMoved | ReclamationClosed, tx: Tx) -> str | None:
    """Cancels the time that was chosen for a réclamation which gets no visit now: no visit's end would free it.

    Where it was planned already, or is planned after all, the visit has the last word.
    """
    reclamation = event.state
    status = "closed" if isinstance(event, ReclamationClosed) else event.after
    if status not in NOT_PLANNABLE:
        return "it may get a visit"
    # From here on nobody books for it by an older copy; whoever holds a time is waited for.
    await tx.copies(ReclamationView).as_new_as(reclamation)
    current = await current_appointment(tx, Case.of(reclamation))
    if current and current.intervention_id:
        return "no time was chosen for it"
    await end_wish(tx, reclamation.id, SYSTEM)
    if current:
        await release(tx, current, "reclamation_over", SYSTEM, reason=f"reclamation_{status}")
    return None if tx.has_emitted else "no time was chosen for it"
