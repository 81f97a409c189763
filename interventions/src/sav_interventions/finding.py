"""Finding visits of the same case."""

from uuid import UUID

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.interventions.visit import InterventionStatus
from sav_interventions.lifecycle import OVER
from sav_interventions.model import Intervention

# The technician was there: another visit of the same réclamation continues this one.
CAME: tuple[InterventionStatus, ...] = ("completed", "incomplete", "no_access")


async def open_visit(tx: Tx, reclamation_id: UUID) -> Intervention | None:
    """The open visit of a réclamation, locked; it has one at a time."""
    return await tx.first(
        select(Intervention).where(
            Intervention.reclamation_id == reclamation_id, Intervention.status.not_in(OVER)
        )
    )


async def last_visit(tx: Tx, reclamation_id: UUID) -> UUID | None:
    """The id of the last visit of a réclamation to which somebody came."""
    return await tx.session.scalar(
        select(Intervention.id)
        .where(Intervention.reclamation_id == reclamation_id, Intervention.status.in_(CAME))
        .order_by(Intervention.created_at.desc(), Intervention.id.desc())
        .limit(1)
    )
