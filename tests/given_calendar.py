"""What calendar tests start from: days at work, copies of other services' records, rows."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import world
from given_views import a
from holidays import country_holidays
from uuid_utils.compat import uuid7

from sav_calendar.conflicts import find_conflicts
from sav_calendar.hours import HOLIDAYS, USUAL_SHIFTS, VISIT, ZONE
from sav_calendar.model.appointment import Appointment
from sav_calendar.model.hours import WorkingHours
from sav_chassis.envelope import Context, Envelope
from sav_chassis.testing import Outcome, Stage
from sav_chassis.tx import Tx, transaction
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import Buffers
from sav_contracts.calendar.absence import AbsenceAdded, AbsenceRemoved, AddAbsence, RemoveAbsence
from sav_contracts.calendar.appointment import AppointmentBooked, BookAppointment, HoldSlot
from sav_contracts.calendar.conflict import ConflictDetected, ConflictKind, ConflictView
from sav_contracts.calendar.hours import Shift
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionStatus,
    InterventionView,
)
from sav_contracts.messages import Event
from sav_contracts.slot import Slot

PARIS = ZoneInfo(ZONE)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RECLAMATION = UUID(int=100)
VISIT_ID = UUID(int=200)
APPOINTMENT = UUID(int=300)
TRAVEL = Buffers().travel
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
        "travel": TRAVEL,
    }
    made = usual | fields
    return Appointment(**({"busy_until": made["end"] + made["travel"]} | made))


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


async def does(stage: Stage, work: Callable[[Tx], Awaitable[Any]]) -> list[Event]:
    """The events of what a command would do in its transaction."""
    marie = Context(actor_id=world.marie.id, actor_role=world.marie.role, correlation_id=uuid7())
    before = await stage.database.pool.fetchval("SELECT coalesce(max(position), 0) FROM event_log")
    async with transaction(stage.database, stage.settings, marie, lambda _: None) as tx:
        await work(tx)
    rows = await stage.database.pool.fetch(
        "SELECT * FROM event_log WHERE position > $1 ORDER BY position", before
    )
    return [Envelope.model_validate(dict(row)).event() for row in rows]


async def is_away(
    stage: Stage, since: datetime, until: datetime, problem: ConflictKind = "absence"
) -> list[Event]:
    """Karim is away, or his hours are others, between these times: what follows from it, the first time."""
    karim = world.karim.id
    if problem != "absence":
        return await does(stage, lambda tx: find_conflicts(tx, karim, since, until, problem))
    absent = AddAbsence(technician_id=karim, start=since, end=until, cause="leave")
    outcome = await stage.when(absent, by=world.marie)
    assert outcome.problem is None
    assert all(isinstance(added, AbsenceAdded) for added in outcome.events[:1])
    return outcome.events[1:]


async def is_back(stage: Stage) -> list[Event]:
    """The first of his absences is removed: what follows from it."""
    first = "SELECT id FROM absence WHERE status = 'planned' ORDER BY created_at, id LIMIT 1"
    there = RemoveAbsence(technician_id=world.karim.id, absence_id=await stage.database.pool.fetchval(first))
    removed, *events = (await stage.when(there, by=world.marie)).events
    assert isinstance(removed, AbsenceRemoved)
    return events
