"""What is told of visits that are late, need help, or did not finish the work."""

from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import world
from given_notifier import SLOT, appointment, moved, planned, scheduled, visit, yves
from notifier_case import KARIM, LEA, MANAGERS, Case
from notifier_cases_moving import MOVING

from sav_contracts.calendar.appointment import AppointmentReminderDue
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.help import HelpRequested
from sav_contracts.interventions.lateness import InterventionOverdue
from sav_contracts.interventions.visit import Cause, InterventionMoved

FOR_NONE: dict[str, Any] = {
    "reclamation_id": None,
    "reclamation_reference": None,
    "reference": "INT-2026-000001",
    "article": "Chaudière Azur 24",
}
HOME = Place(address="8 quai Perrache", postcode="69002", city="Lyon")


def help_asked(**fields: object) -> HelpRequested:
    state = visit(status="in_progress", version=5, help_asked_at=SLOT.start, help_asked_for="…", **fields)
    return HelpRequested(state=state, text="La vanne gaz ne ferme plus.")


def called_off(
    reason: str, at: datetime | None = SLOT.start, before: str = "en_route", **fields: object
) -> InterventionMoved:
    told = moved("cancelled", reason, before=before, **fields)
    return told.model_copy(update={"happened_at": at})


VISITS = [
    *MOVING,
    *(
        Case(
            f"tomorrow{', confirmed' if confirmed else ''}",
            AppointmentReminderDue(state=appointment(version=2, confirmed=confirmed), which="day_before"),
            {"appointment_reminder": LEA, "visits_of_day": MANAGERS | {world.alex.id}},
        )
        for confirmed in (False, True)
    ),
    Case(
        "in two hours",
        AppointmentReminderDue(state=appointment(version=2), which="two_hours"),
        {"appointment_reminder": LEA, "visit_reminder": KARIM, "visits_of_day": MANAGERS | {world.alex.id}},
    ),
    Case(
        "in two hours, still being planned",
        AppointmentReminderDue(state=appointment(version=2, intervention_id=None), which="two_hours"),
        {"appointment_reminder": LEA, "visits_of_day": MANAGERS | {world.alex.id}},
    ),
    *(
        Case(
            f"late, and {status}",
            InterventionOverdue(state=visit(status=status, version=4, slot=SLOT, overdue=True)),
            {"visit_late": LEA, "visit_overdue": MANAGERS},
        )
        for status in ("planned", "accepted", "en_route", "on_site")
    ),
    Case("help asked", help_asked(), {"help_asked": MANAGERS}),
    Case("help asked without a product", help_asked(product_id=None, place=HOME), {"help_asked": MANAGERS}),
    *(
        Case(
            f"incomplete for {cause}",
            moved("incomplete", "Convenu avec la cliente." if cause == "other" else None, cause=cause),
            {"visit_incomplete": LEA, "visit_not_done": MANAGERS},
        )
        for cause in (*get_args(Cause), None)
    ),
    Case(
        "incomplete, its technician left",
        moved("incomplete", cause="technician_unavailable", technician_id=yves.id),
        {"visit_incomplete": LEA},
    ),
    Case(
        "declined on the way",
        moved("declined", "Panne de voiture.", before="en_route"),
        {"visit_declined": MANAGERS, "visit_off": LEA},
    ),
    Case(
        "declined for its technician",
        moved("declined", "En arrêt maladie."),
        {"visit_declined": MANAGERS, "visit_cancelled": KARIM},
        (planned(),),
        by=world.marie,
    ),
    Case(
        "declined for its technician, with its time",
        moved("declined", "En arrêt maladie.", slot=SLOT),
        {"visit_declined": MANAGERS, "visit_cancelled": KARIM},
        (scheduled(),),
        by=world.marie,
    ),
    Case(
        "declined by its technician",
        moved("declined", "Malade."),
        {"visit_declined": MANAGERS},
        by=world.karim,
    ),
    Case(
        "a visit that was to follow is cancelled",
        called_off("Appareil remplacé.", before="planned", follows_id=UUID(int=199)),
        {"visit_given_up": LEA},
    ),
    Case(
        "a visit for no réclamation that was to follow is cancelled",
        called_off("Appareil remplacé.", before="planned", follows_id=UUID(int=199), **FOR_NONE),
        {"visit_given_up": LEA},
    ),
    Case(
        "a visit of which nobody knows is cancelled", called_off("Doublon.", before="planned", **FOR_NONE), {}
    ),
    Case("cancelled on the way, for none", called_off("Panne.", **FOR_NONE), {"visit_off": LEA}),
    Case("cancelled on the way", called_off("Pièce introuvable."), {"visit_off": LEA}),
    Case("taken back on the way", called_off("unassigned", at=None), {"visit_off": LEA}),
    Case("given to another on the way", called_off("reassigned", at=None), {}),
    Case("ended on the way", called_off("reclamation_rejected", at=None), {}),
    Case("cancelled on the way to an appointment", called_off("Pièce introuvable.", slot=SLOT), {}),
    Case(
        "declined on the way to an appointment",
        moved("declined", "Panne de voiture.", before="en_route", slot=SLOT),
        {"visit_declined": MANAGERS},
    ),
    Case(
        "no access",
        moved("no_access", "Personne ne répond."),
        {"visit_no_access": LEA, "visit_not_done": MANAGERS},
    ),
]
