"""When technicians work, as it is recorded: their hours with their absences."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from sav_calendar.hours import Span, Work
from sav_calendar.model.absence import Absence
from sav_calendar.model.hours import WorkingHours
from sav_chassis.tx import Tx


async def recorded_work(
    tx: Tx, technicians: Collection[UUID], since: datetime, until: datetime
) -> dict[UUID, Work]:
    """When these technicians work, with their absences in that time: those whose hours are recorded."""
    every = await tx.session.scalars(select(WorkingHours).where(WorkingHours.technician_id.in_(technicians)))
    away = await absences_of(tx, technicians, since, until)
    return {hours.technician_id: Work.of(hours, away[hours.technician_id]) for hours in every}


async def absences_of(
    tx: Tx, technicians: Collection[UUID], since: datetime, until: datetime
) -> defaultdict[UUID, list[Span]]:
    """The absences of these technicians that have part in that time."""
    found = await tx.session.execute(
        select(Absence.technician_id, Absence.start, Absence.end).where(
            Absence.technician_id.in_(technicians),
            Absence.status == "planned",
            Absence.start < until,
            Absence.end > since,
        )
    )
    away: defaultdict[UUID, list[Span]] = defaultdict(list)
    for technician_id, start, end in found:
        away[technician_id].append((start, end))
    return away
