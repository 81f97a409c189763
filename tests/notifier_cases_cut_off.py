"""What is told of visits that are so near that their clients cannot change them, and of those that are unsettled."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import world
from given_notifier import SLOT, appointment, booked, planned
from notifier_case import KARIM, LEA, MANAGERS, Case
from notifier_cases_moving import offered

from sav_contracts.calendar.appointment import AppointmentReminderDue, Reminder
from sav_contracts.calendar.waiting import EarlierVisitOffered

READERS = MANAGERS | {world.alex.id}
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime.now(PARIS)
# The coming night ends at seven, when the list of that day is sent.
TONIGHT = datetime.combine(NOW.date() + timedelta(days=NOW.hour >= 7), time(7), PARIS).astimezone(UTC)
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
    Case(
        "booked for tonight",
        booked(**NEAR),
        {"appointment_booked": LEA, "visits_of_day": READERS},
        (planned(SLOT),),
    ),
    *(
        Case(
            f"tonight{', confirmed' if confirmed else ''}",
            reminder_of_tonight(confirmed),
            {"appointment_reminder": LEA, "visits_of_day": READERS},
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
