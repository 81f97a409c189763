"""Visits, reports, invoices, payments, technicians."""

from sav_contracts.actor import MANAGERS, STAFF
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.act import ApplyActs, KeepSignature
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.client_credit import (
    ClientCreditView,
    RecordOnAccount,
    RefundCredit,
    UseCredit,
)
from sav_contracts.interventions.closing import ClosingView, GetEReporting, GetJournals, ReadLedger
from sav_contracts.interventions.credit_note import CreditInvoice, CreditNoteView
from sav_contracts.interventions.deposit import DraftDeposit, DraftEstimateDeposit
from sav_contracts.interventions.estimate import (
    AcceptEstimate,
    AnswerEstimateByLink,
    BeginWithdrawal,
    ConfirmWithdrawal,
    EstimateView,
    GetEstimateByLink,
    GetWithdrawalByLink,
    RecordSignedEstimate,
    RecordWithdrawal,
    RefuseEstimate,
    ValidateEstimate,
    WithdrawByLink,
    WriteEstimate,
)
from sav_contracts.interventions.help import AskForHelp
from sav_contracts.interventions.invoice import (
    BillVisit,
    ChangeInvoice,
    DiscardInvoice,
    InvoiceView,
    IssueInvoice,
)
from sav_contracts.interventions.margin import InvoiceMarginView
from sav_contracts.interventions.new_visit import CreateIntervention
from sav_contracts.interventions.paper import GetPaperByLink, PayByLink
from sav_contracts.interventions.payment import (
    GetSandboxCheckout,
    PayInSandbox,
    PaymentView,
    RecordPayment,
    RefundPayment,
    StartCheckout,
    TakePaymentNews,
)
from sav_contracts.interventions.report import (
    ArchiveReport,
    ReportView,
    SendBackReport,
    SignReport,
    SubmitReport,
    ValidateReport,
    WriteReport,
)
from sav_contracts.interventions.statement import GetReceivables, GetStatement
from sav_contracts.interventions.technician import ChangeTechnician, TechnicianView
from sav_contracts.interventions.visit import DecideWarranty, InterventionView, MoveIntervention, RecordWork
from sav_contracts.interventions.visit_photo import AddVisitPhotos, VisitPhotoView
from sav_contracts.surface.rows import (
    ADMIN,
    ANYBODY,
    CLIENT,
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    TECHNICIAN,
    FieldRow,
    FileRow,
    ListRow,
    MessageRow,
    RecordRow,
    SignedRow,
    TextRow,
    TimelineRow,
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
        search=("reclamation_reference", "reference", "article", "client_id"),
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
    MessageRow("Describe the work", "PUT /interventions/{intervention_id}/work", RecordWork, TECHNICIAN),
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
    MessageRow(
        "Estimate: write",
        "POST /interventions/{intervention_id}/estimates",
        WriteEstimate,
        TECHNICIAN | MANAGER,
        status=201,
    ),
    MessageRow(
        "Estimate: validate and send", "POST /estimates/{estimate_id}/validate", ValidateEstimate, MANAGER
    ),
    MessageRow("Estimate: accept", "POST /estimates/{estimate_id}/accept", AcceptEstimate, CLIENT),
    MessageRow(
        "Estimate: record that it was signed on paper",
        "POST /estimates/{estimate_id}/acceptance",
        RecordSignedEstimate,
        MANAGER,
    ),
    MessageRow("Estimate: refuse", "POST /estimates/{estimate_id}/refuse", RefuseEstimate, CLIENT),
    MessageRow("Estimate: read by link", "GET /estimate/{token}", GetEstimateByLink, ANYBODY),
    MessageRow("Estimate: answer by link", "POST /estimate/{token}", AnswerEstimateByLink, ANYBODY),
    MessageRow("Withdraw: say so", "POST /estimates/{estimate_id}/withdraw", BeginWithdrawal, CLIENT),
    MessageRow(
        "Withdraw: confirm", "POST /estimates/{estimate_id}/withdraw/confirm", ConfirmWithdrawal, CLIENT
    ),
    MessageRow(
        "Withdraw: record what came by letter",
        "POST /estimates/{estimate_id}/withdrawal",
        RecordWithdrawal,
        MANAGER,
    ),
    MessageRow("Withdraw: read by link", "GET /withdrawal/{token}", GetWithdrawalByLink, ANYBODY),
    MessageRow("Withdraw by link", "POST /withdrawal/{token}", WithdrawByLink, ANYBODY),
    *list_and_record(
        "Estimates",
        "/estimates",
        EstimateView,
        EVERYBODY,
        filters=(
            *("status", "client_id", "technician_id", "intervention_id", "reclamation_id"),
            "reference",
        ),
        sorts=("reference",),
        search=("reference", "reclamation_reference", "client_id"),
    ),
    MessageRow(
        "Draft a deposit invoice of an estimate",
        "POST /estimates/{estimate_id}/deposits",
        DraftEstimateDeposit,
        MANAGERS,
        status=201,
    ),
    FileRow("Estimate as PDF", "GET /estimates/{estimate_id}.pdf", EstimateView, EVERYBODY, file="document"),
    *list_and_record(
        "Invoices",
        "/invoices",
        InvoiceView,
        CLIENT_AND_MANAGERS,
        filters=("status", "client_id", "intervention_id", "reclamation_id", "number", "overdue", "deposit"),
        sorts=("number",),
        search=("number", "reclamation_reference", "client_id"),
    ),
    FileRow(
        "Invoice as PDF", "GET /invoices/{invoice_id}.pdf", InvoiceView, CLIENT_AND_MANAGERS, file="document"
    ),
    RecordRow("What is left of an invoice", "GET /invoices/{invoice_id}/margin", InvoiceMarginView, ADMIN),
    MessageRow("Complete a draft", "PATCH /invoices/{invoice_id}", ChangeInvoice, MANAGERS),
    MessageRow("Discard a draft", "POST /invoices/{invoice_id}/discard", DiscardInvoice, MANAGERS),
    MessageRow("Issue an invoice", "POST /invoices/{invoice_id}/issue", IssueInvoice, MANAGERS),
    MessageRow(
        "Draft the invoice of a visit anew",
        "POST /interventions/{intervention_id}/invoices",
        BillVisit,
        MANAGERS,
        status=201,
    ),
    MessageRow(
        "Draft a deposit invoice of a visit",
        "POST /interventions/{intervention_id}/deposits",
        DraftDeposit,
        MANAGERS,
        status=201,
    ),
    MessageRow(
        "Credit an invoice", "POST /invoices/{invoice_id}/credit", CreditInvoice, MANAGERS, status=201
    ),
    MessageRow("Paper: read by link", "GET /paper/{token}", GetPaperByLink, ANYBODY),
    MessageRow("Paper: pay an invoice online by link", "POST /paper/{token}", PayByLink, ANYBODY),
    *list_and_record(
        "Credit notes",
        "/credit-notes",
        CreditNoteView,
        CLIENT_AND_MANAGERS,
        filters=("invoice_id", "client_id", "number"),
        sorts=("number",),
        search=("number", "invoice_number", "client_id"),
    ),
    FileRow(
        "Credit note as PDF",
        "GET /credit-notes/{credit_note_id}.pdf",
        CreditNoteView,
        CLIENT_AND_MANAGERS,
        file="document",
    ),
    MessageRow(
        "Statement of a client", "GET /clients/{client_id}/statement", GetStatement, CLIENT_AND_MANAGERS
    ),
    MessageRow("What clients owe, by age", "GET /receivables", GetReceivables, MANAGERS),
    MessageRow(
        "Record a payment", "POST /invoices/{invoice_id}/payments", RecordPayment, MANAGERS, status=201
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
    *list_and_record(
        "Payments", "/payments", PaymentView, CLIENT_AND_MANAGERS, filters=("invoice_id", "method", "status")
    ),
    MessageRow("Pay a payment back", "POST /payments/{payment_id}/refund", RefundPayment, MANAGERS),
    MessageRow(
        "Pay an invoice online", "POST /invoices/{invoice_id}/checkout", StartCheckout, CLIENT, status=201
    ),
    SignedRow(
        "News of the payment provider",
        "POST /webhooks/payments",
        TakePaymentNews,
        ANYBODY,
        headers=("stripe-signature", "payment-signature"),
    ),
    MessageRow(
        "The sandbox: what is paid", "GET /sandbox/checkout/{checkout_id}", GetSandboxCheckout, ANYBODY
    ),
    MessageRow("The sandbox: pay", "POST /sandbox/checkout/{checkout_id}", PayInSandbox, ANYBODY),
    *list_and_record(
        "Clients' credits",
        "/client-credits",
        ClientCreditView,
        CLIENT_AND_MANAGERS,
        filters=("client_id", "invoice_id", "payment_id", "origin"),
        search=("client_id",),
    ),
    MessageRow(
        "Record money on account",
        "POST /clients/{client_id}/payments",
        RecordOnAccount,
        MANAGERS,
        status=201,
    ),
    MessageRow(
        "Pay an invoice from a client's credit",
        "POST /client-credits/{client_credit_id}/use",
        UseCredit,
        MANAGERS,
        status=201,
    ),
    MessageRow(
        "Pay a client's credit back",
        "POST /client-credits/{client_credit_id}/refund",
        RefundCredit,
        MANAGERS,
    ),
    *list_and_record(
        "Closings of payments",
        "/closings",
        ClosingView,
        MANAGERS,
        filters=("period",),
        sorts=("first_day",),
    ),
    FileRow(
        "Archive of a closing",
        "GET /closings/{closing_id}/archive",
        ClosingView,
        MANAGERS,
        file="archive",
        media_types=("application/zip",),
    ),
    MessageRow("The ledger, for an auditor", "GET /ledger", ReadLedger, MANAGERS),
    TextRow(
        "The accountant's journals",
        "GET /journals",
        GetJournals,
        MANAGERS,
        media_type="text/tab-separated-values; charset=utf-8",
    ),
    MessageRow("Lines of e-reporting", "GET /e-reporting", GetEReporting, MANAGERS),
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
