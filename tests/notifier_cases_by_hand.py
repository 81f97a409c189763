"""What is told about visits that are for no réclamation."""

from typing import Any
from uuid import UUID

import world
from given_notifier import (
    LATER,
    SLOT,
    VISIT,
    appointment,
    conflict,
    feedback,
    reclamation,
    refused_acts,
    report,
    visit,
)
from notifier_case import KARIM, LEA, MANAGERS, Case

from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentCancelled, AppointmentView
from sav_contracts.calendar.conflict import ConflictDetected
from sav_contracts.claims.visits import PlannedVisitRefused
from sav_contracts.interventions.help import HelpRequested
from sav_contracts.interventions.lateness import InterventionOverdue
from sav_contracts.interventions.report import ReportSentBack, ReportSubmitted, ReportValidated
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    CarbonMonoxideFound,
    InterventionMoved,
    InterventionPlanned,
    InterventionScheduled,
    InterventionStatus,
    InterventionView,
    WarrantyDecided,
)
from sav_contracts.messages import View
from sav_contracts.reporting import FeedbackGiven, FeedbackInvited
from sav_contracts.slot import Slot

UPKEEP, ON_SITE = UUID(int=201), UUID(int=291)
OF_NONE: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None}
THEIRS = OF_NONE | {"intervention_id": UPKEEP}


def upkeep(**fields: Any) -> InterventionView:
    """Karim's maintenance of Léa's boiler."""
    usual = {"id": UPKEEP, "reference": "INT-2026-000007", "article": "Chaudière Azur 24"}
    return visit(**(usual | OF_NONE | {"purpose": "maintenance"} | fields))


def planned(slot: Slot | None = None) -> InterventionPlanned:
    return InterventionPlanned(state=upkeep(), slot=slot, by_hand=True)


def scheduled(slot: Slot = SLOT) -> InterventionScheduled:
    return InterventionScheduled(state=upkeep(slot=slot, version=2), slot=slot)


def moved(
    after: InterventionStatus, reason: str | None = None, before: InterventionStatus = "accepted"
) -> InterventionMoved:
    state = upkeep(status=after, version=3)
    return InterventionMoved(state=state, before=before, after=after, reason=reason)


def booked(**fields: Any) -> AppointmentView:
    return appointment(id=UUID(int=401), **(THEIRS | fields))


# What the notifier has copies of.
KNOWN_TOO: tuple[View, ...] = (upkeep(), booked(), visit(id=ON_SITE, status="on_site", version=4))

BY_HAND = [
    Case(
        "a plan that came too late",
        PlannedVisitRefused(
            state=reclamation(status="cancelled", version=4),
            intervention_id=VISIT,
            technician_id=world.karim.id,
        ),
        {"planned_visit_refused": MANAGERS},
    ),
    Case(
        "a plan that came too late for who is on site already",
        PlannedVisitRefused(
            state=reclamation(status="cancelled", version=4),
            intervention_id=ON_SITE,
            technician_id=world.karim.id,
        ),
        {},
    ),
    Case("maintenance without a time", planned(), {"visit_planned": KARIM}),
    Case("maintenance scheduled", scheduled(), {"visit_planned": KARIM}, (planned(SLOT),)),
    Case("maintenance scheduled later", scheduled(LATER), {"visit_booked": KARIM}, (planned(),)),
    Case("maintenance booked", AppointmentBooked(state=booked()), {"appointment_booked": LEA}),
    Case(
        "maintenance off",
        AppointmentCancelled(state=booked(status="cancelled", version=2)),
        {"appointment_cancelled": LEA},
        (planned(SLOT), AppointmentBooked(state=booked())),
    ),
    Case("maintenance cancelled", moved("cancelled"), {"visit_cancelled": KARIM}, (scheduled(),)),
    Case("on the way to maintenance", moved("en_route"), {"technician_on_the_way": LEA}),
    Case("maintenance declined", moved("declined", "En congé."), {"visit_declined": MANAGERS}),
    Case(
        "maintenance declined on the way",
        moved("declined", "Panne de voiture.", before="en_route"),
        {"visit_declined": MANAGERS, "visit_off": LEA},
    ),
    Case(
        "maintenance that is late",
        InterventionOverdue(state=upkeep(slot=SLOT, overdue=True, version=4)),
        {"visit_late": LEA, "visit_overdue": MANAGERS},
    ),
    Case(
        "help asked at maintenance",
        HelpRequested(state=upkeep(status="in_progress", version=5), text="La vanne ne ferme plus."),
        {"help_asked": MANAGERS},
    ),
    Case(
        "maintenance not finished",
        moved("incomplete", "Convenu au téléphone.", before="in_progress"),
        {"visit_incomplete": LEA, "visit_not_done": MANAGERS},
    ),
    Case(
        "no access to maintenance",
        moved("no_access", "Personne ne répond.", before="on_site"),
        {"visit_no_access": LEA, "visit_not_done": MANAGERS},
    ),
    Case(
        "maintenance done offline, too late",
        refused_acts().model_copy(update={"state": upkeep(status="cancelled", version=3)}),
        {"acts_refused": MANAGERS},
    ),
    Case(
        "maintenance given to another too late",
        AssignmentRefused(state=upkeep(status="on_site", version=4), refused_technician_id=world.sofia.id),
        {"assignment_refused": MANAGERS},
    ),
    Case(
        "a little carbon monoxide at maintenance",
        CarbonMonoxideFound(state=upkeep(status="in_progress", version=5), ppm=18, air="abnormal"),
        {"co_found": LEA},
    ),
    Case(
        "maintenance that does not fit",
        ConflictDetected(state=conflict(id=UUID(int=411), **THEIRS)),
        {"visit_conflict": MANAGERS},
        (planned(SLOT),),
    ),
    Case("maintenance that nobody covers", WarrantyDecided(state=upkeep(), decision="not_covered"), {}),
    Case(
        "report of maintenance",
        ReportSubmitted(state=report(intervention_id=UPKEEP, reclamation_id=None)),
        {"report_to_validate": MANAGERS},
    ),
    Case(
        "report of maintenance sent back",
        ReportSentBack(
            state=report(intervention_id=UPKEEP, reclamation_id=None, status="sent_back", version=2),
            technician_id=world.karim.id,
            reason="Il manque la mesure de monoxyde.",
        ),
        {"report_sent_back": KARIM},
    ),
    Case(
        "report of maintenance validated",
        ReportValidated(
            state=report(intervention_id=UPKEEP, reclamation_id=None, status="validated", version=2)
        ),
        {"report_available": LEA},
    ),
    Case(
        "feedback on maintenance",
        FeedbackInvited(state=feedback(intervention_id=UPKEEP, reclamation_id=None)),
        {"feedback_invited": LEA},
    ),
    Case(
        "low feedback on maintenance",
        FeedbackGiven(
            state=feedback(
                intervention_id=UPKEEP, reclamation_id=None, status="given", rating=1, comment="Trop vite."
            )
        ),
        {"feedback_low": MANAGERS},
    ),
]
