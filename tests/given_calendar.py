"""What calendar tests start from: days at work, copies of other services' records, rows."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import world
from given_views import a
from holidays import country_holidays

from sav_calendar.hours import HOLIDAYS, USUAL_SHIFTS, VISIT, ZONE
from sav_calendar.model import Appointment, WorkingHours
from sav_chassis.envelope import Envelope
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.calendar import (
    AppointmentBooked,
    BookAppointment,
    ConflictDetected,
    ConflictView,
    HoldSlot,
    Shift,
)
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionStatus,
    InterventionView,
)
from sav_contracts.slot import Slot

PARIS = ZoneInfo(ZONE)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RECLAMATION = UUID(int=100)
VISIT_ID = UUID(int=200)
APPOINTMENT = UUID(int=300)
FREE_DAYS = country_holidays(HOLIDAYS)


def workday(number: int) -> date:
    """The number-th day of usual work to come, the day after tomorrow at the earliest."""
    day = datetime.now(PARIS).date() + timedelta(days=1)
    while number:
        day += timedelta(days=1)
        number -= day.weekday() < 5 and day not in FREE_DAYS
    return day


def at(number: int, hour: int, minute: int = 0) -> datetime:
    """A time on the clock in Paris on such a day."""
    return datetime.combine(workday(number), time(hour, minute), PARIS).astimezone(UTC)


def slot(number: int, hour: int, minute: int = 0) -> Slot:
    start = at(number, hour, minute)
    return Slot(start=start, end=start + VISIT)


def technician(who: Actor, **fields: Any) -> TechnicianView:
    return a(TechnicianView, who.id, technician_id=who.id, **fields)


def reclamation(**fields: Any) -> ReclamationView:
    """Léa's réclamation, qualified and nobody's yet unless the fields say otherwise."""
    usual: dict[str, Any] = {
        "id": RECLAMATION,
        "version": 2,
        "reference": "REC-2026-000100",
        "status": "qualified",
    }
    return a(ReclamationView, **(usual | fields))


def visit(status: InterventionStatus = "planned", **fields: Any) -> InterventionView:
    """Karim's visit for it, which changed just now."""
    usual: dict[str, Any] = {
        "id": VISIT_ID,
        "updated_at": datetime.now(UTC) + timedelta(minutes=1),
        "reclamation_id": RECLAMATION,
        "reclamation_reference": "REC-2026-000100",
        "status": status,
    }
    return a(InterventionView, **(usual | fields))


def hours(who: Actor, shifts: list[Shift] = USUAL_SHIFTS, zone: str = ZONE) -> WorkingHours:
    row = WorkingHours.of(who.id)
    row.replace(zone, HOLIDAYS, shifts)
    return row


def appointment(start: datetime, **fields: Any) -> Appointment:
    """Karim's appointment for Léa's réclamation, booked unless the fields say otherwise."""
    usual: dict[str, Any] = {
        "id": APPOINTMENT,
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "reclamation_id": RECLAMATION,
        "reclamation_reference": "REC-2026-000100",
        "start": start,
        "end": start + VISIT,
        "zone": ZONE,
        "status": "booked",
        "uid": "an appointment",
        "sequence": 0,
    }
    return Appointment(**(usual | fields))


def elsewhere(start: datetime, **fields: Any) -> Appointment:
    """An appointment of Karim for somebody else's réclamation."""
    usual: dict[str, Any] = {
        "id": UUID(int=301),
        "client_id": world.paul.id,
        "reclamation_id": UUID(int=101),
        "reclamation_reference": "REC-2026-000101",
        "uid": "another appointment",
    }
    return appointment(start, **(usual | fields))


def planned(wanted: Slot | None = None, **fields: Any) -> InterventionPlanned:
    return InterventionPlanned(state=visit(**fields), slot=wanted)


def moved(after: InterventionStatus, **fields: Any) -> InterventionMoved:
    return InterventionMoved(state=visit(after, **fields), before="planned", after=after, reason="my back")


def held(start: datetime, **fields: Any) -> Any:
    usual: dict[str, Any] = {"status": "held", "held_until": datetime.now(UTC) + timedelta(minutes=5)}
    return appointment(start, **(usual | fields))


async def why(stage: Stage, told: Envelope) -> str:
    """Why nothing came of it."""
    assert (await stage.hears(told)).events == []
    assert await stage.parked() == []
    return await stage.outcome_of(told) or ""


async def chosen(stage: Stage) -> AppointmentBooked:
    """Léa holds and books Karim's time."""
    holding = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(1, 8))
    taken = await stage.when(holding, by=world.lea)
    booking = BookAppointment(appointment_id=UUID(taken.reply["id"]))
    return (await stage.when(booking, by=world.lea)).only(AppointmentBooked)


async def karim_is(stage: Stage, active: bool, version: int = 2) -> Outcome:
    """He takes visits again, or none any more."""
    card = technician(world.karim, version=version, active=active, name="Karim")
    await stage.knows(card)
    return await stage.hears(TechnicianChanged(state=card) if active else TechnicianLeft(state=card))


async def leaves(stage: Stage) -> Outcome:
    return await karim_is(stage, active=False)


def asked(outcome: Outcome) -> ConflictView:
    [conflict] = [event for event in outcome.events if isinstance(event, ConflictDetected)]
    return conflict.state
