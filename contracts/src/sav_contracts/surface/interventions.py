"""Visits, reports, invoices, payments, technicians."""

from sav_contracts.actor import MANAGERS, STAFF
from sav_contracts.interventions.invoice import (
    ChangeInvoice,
    DiscardInvoice,
    InvoiceView,
    IssueInvoice,
    PaymentView,
    RecordPayment,
)
from sav_contracts.interventions.report import (
    ReportView,
    SendBackReport,
    SignReport,
    SubmitReport,
    ValidateReport,
    WriteReport,
)
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import DecideWarranty, InterventionView, MoveIntervention, RecordWork
from sav_contracts.surface.rows import (
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    TECHNICIAN,
    FileRow,
    MessageRow,
    RecordRow,
    list_and_record,
)

ROWS = (
    *list_and_record(
        "Follow interventions",
        "/interventions",
        InterventionView,
        EVERYBODY,
        filters=("status", "purpose", "client_id", "technician_id", "reclamation_id", "product_id"),
        search=("reclamation_reference", "client_id"),
    ),
    MessageRow(
        "Move an intervention", "POST /interventions/{intervention_id}/moves", MoveIntervention, STAFF
    ),
    MessageRow("Describe the work", "PUT /interventions/{intervention_id}/work", RecordWork, TECHNICIAN),
    MessageRow(
        "Decide the warranty", "POST /interventions/{intervention_id}/warranty", DecideWarranty, MANAGER
    ),
    RecordRow("Report", "GET /interventions/{intervention_id}/report", ReportView, EVERYBODY),
    MessageRow("Write the report", "PUT /interventions/{intervention_id}/report", WriteReport, TECHNICIAN),
    MessageRow(
        "Sign the report", "POST /interventions/{intervention_id}/report/sign", SignReport, TECHNICIAN
    ),
    MessageRow(
        "Submit the report", "POST /interventions/{intervention_id}/report/submit", SubmitReport, TECHNICIAN
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
    *list_and_record(
        "Invoices",
        "/invoices",
        InvoiceView,
        CLIENT_AND_MANAGERS,
        filters=("status", "client_id", "intervention_id", "reclamation_id", "number"),
        sorts=("number",),
        search=("number", "reclamation_reference", "client_id"),
    ),
    FileRow(
        "Invoice as PDF", "GET /invoices/{invoice_id}.pdf", InvoiceView, CLIENT_AND_MANAGERS, file="document"
    ),
    MessageRow("Complete a draft", "PATCH /invoices/{invoice_id}", ChangeInvoice, MANAGERS),
    MessageRow("Discard a draft", "POST /invoices/{invoice_id}/discard", DiscardInvoice, MANAGERS),
    MessageRow("Issue an invoice", "POST /invoices/{invoice_id}/issue", IssueInvoice, MANAGERS),
    MessageRow(
        "Record a payment", "POST /invoices/{invoice_id}/payments", RecordPayment, MANAGERS, status=201
    ),
    *list_and_record(
        "Payments", "/payments", PaymentView, CLIENT_AND_MANAGERS, filters=("invoice_id", "method", "status")
    ),
    *list_and_record(
        "Technicians",
        "/technicians",
        TechnicianView,
        EVERYBODY,
        filters=("active",),
        sorts=("name",),
        search=("name",),
    ),
)
