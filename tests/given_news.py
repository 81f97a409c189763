"""News about one case, one after the other: who comes and when, and what its people were really sent."""

from datetime import timedelta
from uuid import UUID

import world
from given_notifier import SLOT, appointment, reclamation

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentCancelled
from sav_contracts.claims.reclamation import TechnicianAssigned
from sav_contracts.messages import Event
from sav_contracts.slot import Slot

FIRST, SECOND, THIRD = (UUID(int=number) for number in (401, 402, 403))


def assigned(to: Actor, before: Actor | None = None, slot: Slot | None = SLOT, version: int = 3) -> Event:
    state = reclamation(technician_id=to.id, status="assigned", version=version)
    return TechnicianAssigned(
        state=state, technician_id=to.id, previous_technician_id=before.id if before else None, slot=slot
    )


def booked(id: UUID, technician: Actor, slot: Slot = SLOT) -> Event:
    return AppointmentBooked(state=appointment(id=id, **at(technician, slot)))


def cancelled(id: UUID, technician: Actor, slot: Slot = SLOT) -> Event:
    state = appointment(id=id, status="cancelled", version=2, **at(technician, slot))
    return AppointmentCancelled(state=state)


def at(technician: Actor, slot: Slot) -> dict[str, object]:
    times = {"start": slot.start, "end": slot.end, "arrival_from": slot.start}
    return {"technician_id": technician.id, "arrival_until": slot.start + timedelta(hours=1)} | times


async def sent(stage: Stage, person: Actor = world.lea) -> list[str]:
    """The templates that somebody was really sent, in the order of their causes."""
    await stage.runs_effects()
    rows = await stage.database.pool.fetch(
        """SELECT template FROM notification WHERE user_id = $1 AND status = 'kept_locally' ORDER BY event_id""",
        person.id,
    )
    return [row["template"] for row in rows]


async def hear(stage: Stage, *events: Event) -> None:
    for event in events:
        await stage.hears(event)
