"""Visits, reports and technicians; `money.py` has the rows of their money."""

from sav_contracts.actor import MANAGERS, STAFF
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.act import ApplyActs, KeepSignature
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.help import AskForHelp
from sav_contracts.interventions.new_visit import CreateIntervention
from sav_contracts.interventions.report import (
    ArchiveReport,
    ReportView,
    SendBackReport,
    SignReport,
    SubmitReport,
    ValidateReport,
    WriteReport,
)
from sav_contracts.interventions.technician import ChangeTechnician, TechnicianView
from sav_contracts.interventions.visit import DecideWarranty, InterventionView, MoveIntervention, RecordWork
from sav_contracts.interventions.visit_photo import AddVisitPhotos, VisitPhotoView
from sav_contracts.surface.money import ROWS as MONEY
from sav_contracts.surface.rows import (
    ADMIN,
    EVERYBODY,
    MANAGER,
    TECHNICIAN,
    FieldRow,
    FileRow,
    ListRow,
    MessageRow,
    RecordRow,
    TimelineRow,
    address_of,
    list_and_record,
)

ROWS = (
    *list_and_record(
        "Follow interventions",
        "/interventions",
        InterventionView,
        EVERYBODY,
        filters=(
            *("status", "purpose", "client_id", "technician_id", "reclamation_id", "product_id"),
            *("reference", "follows_id", "overdue"),
        ),
        search=(
            *("reclamation_reference", "reference", "article", *address_of("place")),
            *("client_id", "product_id"),
        ),
    ),
    MessageRow("Plan a visit by hand", "POST /interventions", CreateIntervention, STAFF, status=201),
    MessageRow(
        "Move an intervention", "POST /interventions/{intervention_id}/moves", MoveIntervention, STAFF
    ),
    MessageRow(
        "A day's acts from a phone that was offline", "POST /interventions/batch", ApplyActs, TECHNICIAN
    ),
    MessageRow(
        "Keep a signature that was given offline",
        "POST /interventions/{intervention_id}/signatures",
        KeepSignature,
        TECHNICIAN,
        status=201,
    ),
    MessageRow(
        "Ask for help on a visit", "POST /interventions/{intervention_id}/help", AskForHelp, TECHNICIAN
    ),
    # Managers, here and of the report, in place of a technician who takes no visits any more.
    MessageRow("Describe the work", "PUT /interventions/{intervention_id}/work", RecordWork, STAFF),
    TimelineRow(
        "History of a visit",
        "GET /interventions/{intervention_id}/timeline",
        InterventionView,
        EVERYBODY,
        # A payment names its invoice only.
        through={"payment": "invoice"},
    ),
    FieldRow(
        "Warranty of a visit",
        "GET /interventions/{intervention_id}/warranty",
        InterventionView,
        EVERYBODY,
        field="warranty",
        shown=Warranty,
    ),
    MessageRow(
        "Decide the warranty", "POST /interventions/{intervention_id}/warranty", DecideWarranty, MANAGER
    ),
    MessageRow(
        "Add photos of the visit",
        "POST /interventions/{intervention_id}/photos",
        AddVisitPhotos,
        STAFF,
        status=201,
    ),
    ListRow("Photos of the visit", "GET /interventions/{intervention_id}/photos", VisitPhotoView, EVERYBODY),
    FileRow(
        "See a photo of the visit",
        "GET /interventions/{intervention_id}/photos/{visit_photo_id}",
        VisitPhotoView,
        EVERYBODY,
        file="file",
        sizes=True,
    ),
    RecordRow("Report", "GET /interventions/{intervention_id}/report", ReportView, EVERYBODY),
    MessageRow("Write the report", "PUT /interventions/{intervention_id}/report", WriteReport, STAFF),
    MessageRow("Sign the report", "POST /interventions/{intervention_id}/report/sign", SignReport, STAFF),
    MessageRow(
        "Submit the report", "POST /interventions/{intervention_id}/report/submit", SubmitReport, STAFF
    ),
    MessageRow(
        "Validate the report",
        "POST /interventions/{intervention_id}/report/validate",
        ValidateReport,
        MANAGER,
    ),
    MessageRow(
        "Send the report back",
        "POST /interventions/{intervention_id}/report/send-back",
        SendBackReport,
        MANAGER,
    ),
    MessageRow(
        "Archive the report",
        "POST /interventions/{intervention_id}/report/archive",
        ArchiveReport,
        ADMIN,
    ),
    FileRow(
        "Report as PDF",
        "GET /interventions/{intervention_id}/report.pdf",
        ReportView,
        EVERYBODY,
        file="document",
    ),
    ListRow("Editions of the report", "GET /interventions/{intervention_id}/reports", ReportView, EVERYBODY),
    RecordRow(
        "An edition of the report",
        "GET /interventions/{intervention_id}/reports/{report_id}",
        ReportView,
        EVERYBODY,
    ),
    FileRow(
        "An edition as PDF",
        "GET /interventions/{intervention_id}/reports/{report_id}.pdf",
        ReportView,
        EVERYBODY,
        file="document",
    ),
    RecordRow(
        "Attestation of a service",
        "GET /interventions/{intervention_id}/attestation",
        AttestationView,
        EVERYBODY,
    ),
    FileRow(
        "Attestation as PDF",
        "GET /interventions/{intervention_id}/attestation.pdf",
        AttestationView,
        EVERYBODY,
        file="document",
    ),
    *MONEY,
    *list_and_record(
        "Technicians",
        "/technicians",
        TechnicianView,
        EVERYBODY,
        filters=("active", "skills"),
        sorts=("name",),
        search=("name",),
    ),
    MessageRow("Change a technician", "PATCH /technicians/{technician_id}", ChangeTechnician, MANAGERS),
)
