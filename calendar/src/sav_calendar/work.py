"""When technicians work, as it is recorded: their hours with their absences."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Text, cast, select

from sav_calendar.hours import Span, Work
from sav_calendar.model.absence import Absence
from sav_calendar.model.hours import WorkingHours
from sav_chassis.tx import Tx
from sav_contracts.calendar.hours import PlannedHours, Shift

SHIFTS = TypeAdapter(tuple[Shift, ...])
PLANNED = TypeAdapter(tuple[PlannedHours, ...])
STORED = select(
    WorkingHours.technician_id,
    WorkingHours.zone,
    WorkingHours.holidays,
    cast(WorkingHours.shifts, Text),
    cast(WorkingHours.planned, Text),
)


class Stored(NamedTuple):
    """Working hours as they are recorded, for reading only."""

    technician_id: UUID
    zone: str
    holidays: str
    shifts: tuple[Shift, ...]
    planned: tuple[PlannedHours, ...]


async def recorded_work(
    tx: Tx, technicians: Collection[UUID], since: datetime, until: datetime
) -> dict[UUID, Work]:
    """When these technicians work, with their absences in that time: those whose hours are recorded."""
    every = (await tx.session.execute(STORED.where(WorkingHours.technician_id.in_(technicians)))).all()
    away = await absences_of(tx, technicians, since, until)
    return {
        id: Work.of(Stored(id, zone, holidays, _shifts(shifts), PLANNED.validate_json(planned)), away[id])
        for id, zone, holidays, shifts, planned in every
    }


@lru_cache(maxsize=1000)
def _shifts(stored: str) -> tuple[Shift, ...]:
    """What this JSON says. Many technicians work at the same hours, so most of it is read already."""
    return SHIFTS.validate_json(stored)


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
