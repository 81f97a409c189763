"""What is told of visits that are so near that their clients cannot change them, and of those that are unsettled."""

from datetime import UTC, datetime, timedelta
from typing import Any

import world
from given_notifier import SLOT, appointment, booked, planned
from notifier_case import KARIM, LEA, MANAGERS, Case
from notifier_cases_moving import offered

from sav_contracts.calendar.appointment import AppointmentReminderDue, Reminder
from sav_contracts.calendar.waiting import EarlierVisitOffered

READERS = MANAGERS | {world.alex.id}
TONIGHT = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=12)
NEAR: dict[str, Any] = {
    "start": TONIGHT,
    "end": TONIGHT + timedelta(hours=2),
    "arrival_from": TONIGHT,
    "arrival_until": TONIGHT + timedelta(hours=1),
}


def reminder(which: Reminder = "two_hours", **facts: bool) -> AppointmentReminderDue:
    return AppointmentReminderDue(state=appointment(version=2), which=which, **facts)


def reminder_of_tonight(confirmed: bool) -> AppointmentReminderDue:
    return AppointmentReminderDue(
        state=appointment(version=2, confirmed=confirmed, **NEAR), which="day_before"
    )


def offered_tonight() -> EarlierVisitOffered:
    return offered().model_copy(
        update={"arrival_from": NEAR["arrival_from"], "arrival_until": NEAR["arrival_until"]}
    )


CUT_OFF = [
    Case("booked for tonight", booked(**NEAR), {"appointment_booked": LEA}, (planned(SLOT),)),
    *(
        Case(
            f"tonight{', confirmed' if confirmed else ''}",
            reminder_of_tonight(confirmed),
            {"appointment_reminder": LEA},
        )
        for confirmed in (False, True)
    ),
    Case("an earlier time, tonight", offered_tonight(), {"earlier_offered": LEA}, (planned(SLOT), booked())),
    Case(
        "an earlier time than tonight", offered(), {"earlier_offered": LEA}, (planned(SLOT), booked(**NEAR))
    ),
    Case("in two hours, unsettled", reminder(unsettled=True), {"visits_of_day": READERS}),
    Case(
        "in two hours, as its client reads just now",
        reminder(client_knows=True),
        {"visit_reminder": KARIM, "visits_of_day": READERS},
    ),
]
