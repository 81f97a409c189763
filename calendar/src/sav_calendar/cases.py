"""What a time is for."""

from collections.abc import Iterable
from typing import NamedTuple, Self
from uuid import UUID

from sqlalchemy import ColumnElement, and_

from sav_calendar.model.appointment import Appointment
from sav_calendar.model.conflict import PlanningConflict
from sav_chassis.tx import Tx
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView


class Case(NamedTuple):
    """A réclamation with its visits, one at a time; or else one visit that is for none."""

    client_id: UUID
    reclamation_id: UUID | None
    reclamation_reference: str | None
    # Only where there is no réclamation.
    intervention_id: UUID | None = None

    @classmethod
    def of(cls, record: ReclamationView | InterventionView | Appointment) -> Self:
        """The case of a réclamation or visit, or of an appointment for it."""
        if isinstance(record, ReclamationView):
            return cls(record.client_id, record.id, record.reference)
        visit_id = record.intervention_id if isinstance(record, Appointment) else record.id
        alone = visit_id if record.reclamation_id is None else None
        return cls(record.client_id, record.reclamation_id, record.reclamation_reference, alone)

    @property
    def id(self) -> UUID:
        """Of the réclamation, or of the visit."""
        id = self.reclamation_id or self.intervention_id
        assert id is not None
        return id

    def has(self, kind: type[Appointment] | type[PlanningConflict]) -> ColumnElement[bool]:
        """The condition that an appointment or a conflict is of this case."""
        if self.reclamation_id:
            return kind.reclamation_id == self.reclamation_id
        return and_(kind.reclamation_id.is_(None), kind.intervention_id == self.intervention_id)


async def lock_cases(tx: Tx, ids: Iterable[UUID]) -> None:
    """Locks several cases in the order of their ids, as everybody does: others that plan for one of them wait."""
    await tx.lock(*(f"appointment of {id}" for id in sorted(ids)))
