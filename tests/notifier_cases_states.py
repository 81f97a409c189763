"""What is told of the states of a réclamation, and to whom."""

import world
from given_notifier import reclamation, report, resolved, visit, yves
from given_views import a
from notifier_case import LEA, MANAGERS, Case

from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import (
    ReclamationMoved,
    ReclamationReopened,
    ReclamationStatus,
    TechnicianAssigned,
)
from sav_contracts.interventions.report import ReportSentBack
from sav_contracts.interventions.technician import TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import AssignmentRefused, EndingRefused


def moved(before: ReclamationStatus, after: ReclamationStatus, **facts: str) -> ReclamationMoved:
    state = reclamation(status=after, version=4, question=facts.get("question"))
    return ReclamationMoved.model_validate({"state": state, "before": before, "after": after} | facts)


def reopened() -> ReclamationReopened:
    state = reclamation(status="reopened", version=6)
    return ReclamationReopened(state=state, before="closed", reason="Elle s’arrête encore.")


def left(who: Actor, name: str) -> TechnicianLeft:
    card = a(TechnicianView, who.id, technician_id=who.id, name=name, active=False, version=2)
    return TechnicianLeft(state=card)


ON_SITE = visit(status="on_site", technician_id=world.karim.id, version=4)

STATES = [
    Case(
        "asked",
        moved("qualified", "awaiting_client", question="Quel code d’erreur ?", reason="voir fiche 12"),
        {"reclamation_question": LEA},
    ),
    # The comment or the photos are told.
    Case("answered", moved("awaiting_client", "qualified"), {}, by=world.lea),
    Case("taken back from the client", moved("awaiting_client", "qualified"), {}, by=world.marie),
    Case(
        "rejected",
        moved("submitted", "rejected", reason="Vendu par un autre."),
        {"reclamation_rejected": LEA},
    ),
    Case(
        "cancelled by a manager",
        moved("qualified", "cancelled", reason="Doublon."),
        {"reclamation_cancelled": LEA},
        by=world.marie,
    ),
    Case(
        "cancelled by the client",
        moved("assigned", "cancelled", reason="Réparé par un voisin."),
        {"reclamation_cancelled": LEA, "cancelled_by_client": MANAGERS},
        by=world.lea,
    ),
    Case(
        "merged",
        moved("submitted", "merged", target_reference="REC-2026-000099", reason="Même panne."),
        {"reclamation_merged": LEA},
    ),
    Case("reopened by a manager", reopened(), {"reclamation_reopened": LEA}, by=world.marie),
    Case(
        "reopened by the client",
        reopened(),
        {"reclamation_reopened": LEA, "reopened_by_client": MANAGERS},
        by=world.lea,
    ),
    Case(
        "assigned to another",
        TechnicianAssigned(
            state=reclamation(technician_id=world.sofia.id),
            technician_id=world.sofia.id,
            previous_technician_id=world.karim.id,
        ),
        {"technician_changed": LEA},
    ),
    Case(
        "an assignment that came too late",
        AssignmentRefused(state=ON_SITE, refused_technician_id=world.sofia.id),
        {"assignment_refused": MANAGERS},
    ),
    Case(
        "an end that came too late, and was told",
        EndingRefused(state=ON_SITE, refused="resolved"),
        {"ending_refused": MANAGERS, "reclamation_goes_on": LEA},
        (resolved(),),
    ),
    Case(
        "taken back too late",
        EndingRefused(state=ON_SITE, refused="qualified"),
        {"ending_refused": MANAGERS},
    ),
    Case("a technician who left", left(world.karim, "Karim Haddad"), {"technician_left": MANAGERS}),
    Case("a technician who left nothing", left(world.sofia, "Sofia Martin"), {}),
    Case(
        "a report sent back after its technician left",
        ReportSentBack(
            state=report(status="sent_back", version=2),
            technician_id=yves.id,
            reason="Le numéro de série manque.",
        ),
        {"report_sent_back": {yves.id}, "report_to_finish": MANAGERS},
    ),
]
