"""The time zone of a visit's hours: that of its place, as the calendar has it."""

from uuid import UUID

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts.calendar.appointment import AppointmentView

HERE = "Europe/Paris"


async def zone_of(
    tx: Tx, reclamation_id: UUID | None, technician_id: UUID, booked: bool, visit_id: UUID | None = None
) -> str:
    """The zone of a technician's visit; `NotYet` where it is `booked` and its appointment has not arrived here yet.

    `visit_id` is needed where there is no réclamation.
    """
    # From the visit's appointment, or else from another one of its technician, who works in one place.
    theirs = tx.copies(AppointmentView).where(technician_id=technician_id)
    case = {"reclamation_id": reclamation_id} if reclamation_id else {"intervention_id": visit_id}
    found = await theirs.where(**case).newest()
    if found is None and not booked:
        found = await theirs.newest()
    if found is None and booked:
        raise NotYet(AppointmentView.kind(), reclamation_id or visit_id or technician_id)
    return found.zone if found else HERE
