"""Estimates, invoices, credit notes, payments and their ledger: a part of the rows of interventions."""

from sav_contracts.actor import MANAGERS
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
from sav_contracts.interventions.invoice import (
    BillVisit,
    ChangeInvoice,
    DiscardInvoice,
    InvoiceView,
    IssueInvoice,
)
from sav_contracts.interventions.margin import InvoiceMarginView
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
from sav_contracts.interventions.statement import GetReceivables, GetStatement
from sav_contracts.surface.rows import (
    ADMIN,
    ANYBODY,
    CLIENT,
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    TECHNICIAN,
    FileRow,
    MessageRow,
    RecordRow,
    SignedRow,
    TextRow,
    address_of,
    list_and_record,
)

ROWS = (
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
        search=(
            *("reference", "reclamation_reference", *address_of("place")),
            *("buyer.name", "buyer.address", "client_id"),
        ),
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
        search=("number", "reclamation_reference", "buyer.name", "buyer.address", "client_id"),
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
        search=("number", "invoice_number", "buyer.name", "buyer.address", "client_id"),
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
)
