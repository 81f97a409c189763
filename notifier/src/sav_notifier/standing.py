"""How an appointment stands at the moment at which a message about it is sent."""

from datetime import datetime
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar import appointment
from sav_contracts.calendar.conflict import ConflictView
from sav_contracts.interventions.visit import InterventionView
from sav_notifier.staleness import known


async def unsettled(tx: Tx) -> set[UUID | None]:
    """The ids of the appointments about which somebody still has to decide."""
    return {conflict.appointment_id for conflict in await tx.copies(ConflictView).where(open=True).all()}


async def may_change(tx: Tx, start: datetime, visit_id: UUID | None) -> bool:
    """Whether the client of what is booked then may move or cancel it by the link of the message, as its page says."""
    visit = await known(tx, InterventionView, visit_id) if visit_id else None
    # One that is still being planned is planned when its client reads of it.
    status = visit.status if visit else "planned"
    return appointment.may_change(start, status, tx.now, (await tx.policy(CutOffs)).changes_until)


async def is_final(tx: Tx, start: datetime) -> bool:
    """Whether a visit at that time could not be moved or cancelled by its client any more."""
    return start - tx.now < (await tx.policy(CutOffs)).changes_until
