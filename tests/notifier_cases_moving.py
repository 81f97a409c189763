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
from notifier_case import KARIM, LEA, MANAGERS, Case

from sav_contracts.actor import ANYONE
from sav_contracts.calendar.appointment import AppointmentCancelled, AppointmentMissedByTechnician
from sav_contracts.calendar.waiting import EarlierVisitOffered, EarlierVisitTakenBack, EarlierVisitView


def offered() -> EarlierVisitOffered:
    """An hour of the same morning, held until it begins."""
    state = a(
        EarlierVisitView,
        id=UUID(int=310),
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


def taken_back() -> EarlierVisitTakenBack:
    """The same hour, which is not held any more."""
    gone = {"version": 3, "status": "waiting", "offer_id": None, "offered": None, "offered_until": None}
    state = offered().state.model_copy(update=gone)
    return EarlierVisitTakenBack(state=state, arrival_from=LATER.start, arrival_until=LATER.end)


MOVING = [
    Case(
        "called off",
        AppointmentCancelled(
            state=appointment(status="cancelled", version=2, reason="Formation."), called_off=True
        ),
        {"appointment_cancelled": LEA, "appointment_called_off": MANAGERS},
        (planned(SLOT), booked()),
        by=world.karim,
    ),
    Case(
        "called off by its client",
        AppointmentCancelled(
            state=appointment(status="cancelled", version=2), called_off=True, by_client=True
        ),
        {"appointment_cancelled": LEA, "appointment_called_off": MANAGERS},
        (planned(SLOT), booked()),
        by=world.lea,
    ),
    Case(
        "called off by its client, by a link",
        AppointmentCancelled(
            state=appointment(status="cancelled", version=2, reason="Je pars."),
            called_off=True,
            by_client=True,
        ),
        {"appointment_cancelled": LEA, "appointment_called_off": MANAGERS},
        (planned(SLOT), booked()),
        by=ANYONE,
    ),
    Case(
        "called off by a manager",
        AppointmentCancelled(state=appointment(status="cancelled", version=2), called_off=True),
        {"appointment_cancelled": LEA},
        (planned(SLOT), booked()),
        by=world.marie,
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
    Case(
        "an earlier time taken back",
        taken_back(),
        {"earlier_taken_back": LEA},
        (planned(SLOT), booked(), offered()),
    ),
    Case("an earlier time taken back that nobody was told of", taken_back(), {}, (planned(SLOT), booked())),
    Case("time called off", timeless(), {"visit_without_time": KARIM}, (scheduled(),)),
    Case("time called off by its technician", timeless(), {}, (scheduled(),), by=world.karim),
    Case("time called off before its technician knew", timeless(), {}),
]
