"""Clients, réclamations, photos, parts lists."""

from sav_contracts.actor import MANAGERS
from sav_contracts.auth.account import AddClient
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.parts_list import ListParts, ValidateParts
from sav_contracts.claims.photo import AddPhotos, PhotoView
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    MoveReclamation,
    OpenReclamation,
    QualifyReclamation,
    ReclamationView,
)
from sav_contracts.surface.rows import (
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    TECHNICIAN,
    FileRow,
    ListRow,
    MessageRow,
    TimelineRow,
    list_and_record,
)

ROWS = (
    # Auth's command, listed with the clients that it creates.
    MessageRow("Make a client (an invitation follows)", "POST /clients", AddClient, MANAGERS, status=201),
    *list_and_record(
        "Client profile",
        "/clients",
        ClientView,
        EVERYBODY,
        sorts=("name",),
        search=("name", "email", "phones"),
    ),
    MessageRow("Open a réclamation", "POST /reclamations", OpenReclamation, CLIENT_AND_MANAGERS, status=201),
    *list_and_record(
        "Follow réclamations",
        "/reclamations",
        ReclamationView,
        EVERYBODY,
        filters=(
            "status",
            "priority",
            "problem_type",
            "coverage",
            "client_id",
            "technician_id",
            "product_id",
            "reference",
        ),
        sorts=("reference",),
        search=("reference", "article", "description", "client_id"),
    ),
    TimelineRow(
        "Timeline of a réclamation", "GET /reclamations/{reclamation_id}/timeline", ReclamationView, EVERYBODY
    ),
    MessageRow("Add photos", "POST /reclamations/{reclamation_id}/photos", AddPhotos, EVERYBODY, status=201),
    ListRow("Photos", "GET /reclamations/{reclamation_id}/photos", PhotoView, EVERYBODY),
    FileRow(
        "See a photo",
        "GET /reclamations/{reclamation_id}/photos/{photo_id}",
        PhotoView,
        EVERYBODY,
        file="file",
        sizes=True,
    ),
    MessageRow("Qualify", "POST /reclamations/{reclamation_id}/qualify", QualifyReclamation, MANAGERS),
    MessageRow(
        "Assign or reassign", "POST /reclamations/{reclamation_id}/assign", AssignTechnician, MANAGERS
    ),
    MessageRow("List needed parts", "PUT /reclamations/{reclamation_id}/parts", ListParts, TECHNICIAN),
    MessageRow(
        "Validate the parts list",
        "POST /reclamations/{reclamation_id}/parts/validate",
        ValidateParts,
        MANAGER,
    ),
    MessageRow("Close", "POST /reclamations/{reclamation_id}/moves", MoveReclamation, CLIENT_AND_MANAGERS),
)
