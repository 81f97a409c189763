"""Reports and feedback."""

from sav_contracts.reporting import FeedbackView, GetReclamationsReport, GiveFeedback
from sav_contracts.surface.rows import CLIENT, EVERYBODY, MessageRow, list_and_record

ROWS = (
    MessageRow("Réclamations report", "GET /reports/reclamations", GetReclamationsReport, EVERYBODY),
    MessageRow("Give feedback", "POST /interventions/{intervention_id}/feedback", GiveFeedback, CLIENT),
    *list_and_record(
        "Feedback",
        "/feedback",
        FeedbackView,
        EVERYBODY,
        filters=("status", "client_id", "technician_id", "intervention_id", "reclamation_id"),
    ),
)
