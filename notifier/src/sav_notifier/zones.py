"""The time zone of a visit's hours: that of its place, as the calendar has it."""

from uuid import UUID

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts.calendar import AppointmentView

HERE = "Europe/Paris"


async def zone_of(tx: Tx, reclamation_id: UUID, technician_id: UUID, booked: bool) -> str:
    """The zone of a technician's visit; `NotYet` where it is `booked` and its appointment has not arrived here yet."""
    # From the visit's appointment, or else from another one of its technician, who works in one place.
    theirs = tx.copies(AppointmentView).where(technician_id=technician_id)
    found = await theirs.where(reclamation_id=reclamation_id).newest()
    if found is None and not booked:
        found = await theirs.newest()
    if found is None and booked:
        raise NotYet(AppointmentView.kind(), reclamation_id)
    return found.zone if found else HERE
