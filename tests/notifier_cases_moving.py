"""What is told of visits that are moved, called off, or missed by their technician."""

from uuid import UUID

import world
from given_notifier import (
    LATER,
    RECLAMATION,
    SLOT,
    appointment,
    booked,
    planned,
    relocated,
    scheduled,
    timeless,
)
from given_views import a
from notifier_case import KARIM, LEA, Case

from sav_contracts.calendar.appointment import AppointmentCancelled, AppointmentMissedByTechnician
from sav_contracts.calendar.waiting import EarlierVisitOffered, EarlierVisitView


def offered() -> EarlierVisitOffered:
    """An hour of the same morning, held until it begins."""
    state = a(
        EarlierVisitView,
        reclamation_id=RECLAMATION,
        reclamation_reference="REC-2026-000100",
        status="offered",
        offer_id=UUID(int=309),
        offered=LATER,
        offered_until=SLOT.start,
    )
    return EarlierVisitOffered(
        state=state, technician_id=world.karim.id, arrival_from=LATER.start, arrival_until=LATER.end
    )


MOVING = [
    Case(
        "called off",
        AppointmentCancelled(
            state=appointment(status="cancelled", version=2, reason="Formation."), called_off=True
        ),
        {"appointment_cancelled": LEA},
        (planned(SLOT), booked()),
        by=world.karim,
    ),
    Case(
        "called off by its client",
        AppointmentCancelled(state=appointment(status="cancelled", version=2), called_off=True),
        {"appointment_cancelled": LEA},
        (planned(SLOT), booked()),
        by=world.lea,
    ),
    Case(
        "moved by its technician",
        relocated("Formation."),
        {"appointment_booked": LEA},
        (planned(SLOT), booked()),
        by=world.karim,
    ),
    Case(
        "moved by its client",
        relocated(),
        {"appointment_booked": LEA},
        (planned(SLOT), booked()),
        by=world.lea,
    ),
    Case(
        "nobody came",
        AppointmentMissedByTechnician(
            state=appointment(status="no_show", version=2, missed_by="technician"), proposals=[LATER]
        ),
        {"technician_no_show": LEA},
        (planned(SLOT), booked()),
    ),
    Case(
        "nobody came, and nobody is free",
        AppointmentMissedByTechnician(state=appointment(status="no_show", version=2, missed_by="technician")),
        {"technician_no_show": LEA},
        (planned(SLOT), booked()),
    ),
    Case("an earlier time", offered(), {"earlier_offered": LEA}, (planned(SLOT), booked())),
    Case("time called off", timeless(), {"visit_without_time": KARIM}, (scheduled(),)),
    Case("time called off by its technician", timeless(), {}, (scheduled(),), by=world.karim),
    Case("time called off before its technician knew", timeless(), {}),
]
