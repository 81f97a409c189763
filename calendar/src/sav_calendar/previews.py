"""What a change of hours or an absence would break, before it is saved."""

from collections.abc import Iterable
from dataclasses import replace

from sav_calendar.app import calendar
from sav_calendar.commands.absence import time_away
from sav_calendar.commands.hours import wanted_hours
from sav_calendar.conflicts import standing_visits
from sav_calendar.hours import NEVER, followed_by
from sav_calendar.model.appointment import Appointment
from sav_calendar.planning import hours_of
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.calendar.absence import PreviewAbsence
from sav_contracts.calendar.hours import PreviewHours, UnfitVisit, UnfitVisits
from sav_contracts.interventions.technician import TechnicianView

MOST_VISITS = 200


@calendar.query(PreviewHours)
async def preview_hours(query: PreviewHours, tx: Tx, by: Actor) -> UnfitVisits:
    """The visits to come that are in working hours now, and would not be."""
    technician = await tx.view(TechnicianView, query.technician_id, by)
    work = await hours_of(tx, technician.id)
    changed = replace(work, planned=followed_by(work.planned, wanted_hours(query, work.planned, tx.now)))
    return _unfit(
        visit
        for visit in await standing_visits(tx, technician.id, tx.now, NEVER)
        if work.cover(visit.start, visit.end) and not changed.cover(visit.start, visit.end)
    )


@calendar.query(PreviewAbsence)
async def preview_absence(query: PreviewAbsence, tx: Tx, by: Actor) -> UnfitVisits:
    """The visits to come in the time of an absence."""
    technician = await tx.view(TechnicianView, query.technician_id, by)
    start, end = time_away(query, await hours_of(tx, technician.id), tx.now)
    return _unfit(await standing_visits(tx, technician.id, start, end))


def _unfit(visits: Iterable[Appointment]) -> UnfitVisits:
    unfit = [
        UnfitVisit(
            appointment_id=visit.id,
            reclamation_id=visit.reclamation_id,
            intervention_id=visit.intervention_id,
            reclamation_reference=visit.reclamation_reference,
            start=visit.start,
            end=visit.end,
        )
        for visit in visits
    ]
    return UnfitVisits(items=unfit[:MOST_VISITS], total=len(unfit))
