"""Reports and feedback."""

from sav_contracts.reporting import (
    FeedbackView,
    GetFeedbackByLink,
    GetReclamationsReport,
    GiveFeedback,
    GiveFeedbackByLink,
)
from sav_contracts.surface.rows import ANYBODY, CLIENT, EVERYBODY, MessageRow, list_and_record

ROWS = (
    MessageRow("Réclamations report", "GET /reports/reclamations", GetReclamationsReport, EVERYBODY),
    MessageRow("Give feedback", "POST /interventions/{intervention_id}/feedback", GiveFeedback, CLIENT),
    MessageRow("Feedback: read by link", "GET /feedback/link/{token}", GetFeedbackByLink, ANYBODY),
    MessageRow("Feedback: give by link", "POST /feedback/link/{token}", GiveFeedbackByLink, ANYBODY),
    *list_and_record(
        "Feedback",
        "/feedback",
        FeedbackView,
        EVERYBODY,
        filters=("status", "client_id", "technician_id", "intervention_id", "reclamation_id"),
    ),
)
