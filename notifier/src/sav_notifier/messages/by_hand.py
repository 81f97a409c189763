"""Messages about visits that were planned by hand."""

from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.claims.visits import PlannedVisitRefused
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_notifier.message import Internal, Message, message
from sav_notifier.recipients import managers, technician_name

# The technician has not arrived, so that the visit is cancelled.
CANCELLED_BY_IT: frozenset[InterventionStatus] = frozenset({"planned", "accepted", "en_route", "cancelled"})
GOES_ON = "its technician is on site already: `ending_refused` says that the réclamation goes on"


@message("planned_visit_refused", on=PlannedVisitRefused, to=managers, category="alert")
class PlanUndone(Message):
    """Managers learn that a visit which they planned does not take place."""

    reference: str
    technician: str
    intervention_id: Internal[UUID | None] = None

    @classmethod
    async def about(cls, event: PlannedVisitRefused, tx: Tx) -> Self | str:
        visit = await tx.view(InterventionView, event.intervention_id)
        if visit.status not in CANCELLED_BY_IT:
            return GOES_ON
        name = await technician_name(tx, event.technician_id)
        return cls(reference=event.state.reference, technician=name, intervention_id=visit.id)

    async def why_over(self, tx: Tx) -> str | None:
        visit = await tx.copies(InterventionView).one(self.intervention_id) if self.intervention_id else None
        return f"overtaken: {GOES_ON}" if visit and visit.status not in CANCELLED_BY_IT else None
