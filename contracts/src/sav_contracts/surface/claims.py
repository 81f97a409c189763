"""Clients, réclamations, photos, parts lists, orders."""

from sav_contracts.actor import MANAGERS, STAFF
from sav_contracts.auth.account import AddClient
from sav_contracts.claims.client import ChangeClient, ClientView
from sav_contracts.claims.comment import AddComment, AddNote, CommentView, NoteView
from sav_contracts.claims.dashboard import Dashboard, DashboardForClient
from sav_contracts.claims.draft import DropDraft, GetDraft, KeepDraft
from sav_contracts.claims.order import (
    BeginOrderWithdrawal,
    CancelOrder,
    ConfirmOrderWithdrawal,
    GetArticlePrice,
    GetOrderWithdrawalByLink,
    OrderView,
    PlaceOrder,
    ReceiveOrder,
    RecordOrderWithdrawal,
    RefuseOrder,
    ReturnOrder,
    ShipOrder,
    ValidateOrder,
    WithdrawFromOrderByLink,
)
from sav_contracts.claims.parts_list import ListParts, ValidateParts
from sav_contracts.claims.photo import AddPhotos, PhotoView
from sav_contracts.claims.problems import FindProblemTypes
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    MoveReclamation,
    OpenReclamation,
    QualifyReclamation,
    ReclamationView,
)
from sav_contracts.claims.saved_filter import RemoveFilter, SavedFilterView, SaveFilter
from sav_contracts.claims.triage import TriageReclamations
from sav_contracts.surface.rows import (
    ANYBODY,
    CLIENT,
    CLIENT_AND_MANAGERS,
    EVERYBODY,
    MANAGER,
    TECHNICIAN,
    TIMES,
    DashboardRow,
    FileRow,
    ListRow,
    MessageRow,
    RecordRow,
    TimelineRow,
    address_of,
    list_and_record,
)

RECLAMATIONS, RECLAMATION = list_and_record(
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
        "needs_technician",
        "overdue",
    ),
    sorts=("reference", "respond_by", "resolve_by", "due_at", "ended_at"),
    ranges=("due_at", "ended_at"),
    search=("reference", "article", "description", *address_of("place"), "client_id", "product_id"),
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
        search=("name", "email", "phones", *address_of("addresses")),
    ),
    MessageRow("Change a client profile", "PATCH /clients/{client_id}", ChangeClient, CLIENT_AND_MANAGERS),
    MessageRow("Types of problems and safety questions", "GET /problem-types", FindProblemTypes, EVERYBODY),
    MessageRow("An unfinished réclamation", "GET /me/reclamation-draft", GetDraft, CLIENT_AND_MANAGERS),
    MessageRow("Keep one unfinished", "PUT /me/reclamation-draft", KeepDraft, CLIENT_AND_MANAGERS),
    MessageRow("Drop it", "DELETE /me/reclamation-draft", DropDraft, CLIENT_AND_MANAGERS),
    MessageRow("Open a réclamation", "POST /reclamations", OpenReclamation, CLIENT_AND_MANAGERS, status=201),
    RECLAMATIONS,
    RECLAMATION,
    DashboardRow(
        "Dashboard",
        "GET /dashboards/reclamations",
        ReclamationView,
        EVERYBODY,
        list=RECLAMATIONS,
        shown=Dashboard,
        shown_to_client=DashboardForClient,
        counted=("priority", "overdue"),
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
    MessageRow("Comment", "POST /reclamations/{reclamation_id}/comments", AddComment, EVERYBODY, status=201),
    ListRow("Comments", "GET /reclamations/{reclamation_id}/comments", CommentView, EVERYBODY),
    RecordRow(
        "A comment", "GET /reclamations/{reclamation_id}/comments/{comment_id}", CommentView, EVERYBODY
    ),
    MessageRow("Note for the staff", "POST /reclamations/{reclamation_id}/notes", AddNote, STAFF, status=201),
    ListRow("Notes", "GET /reclamations/{reclamation_id}/notes", NoteView, STAFF),
    RecordRow("A note", "GET /reclamations/{reclamation_id}/notes/{note_id}", NoteView, STAFF),
    MessageRow("Triage many at once", "POST /reclamations/bulk", TriageReclamations, MANAGERS),
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
    MessageRow("Move", "POST /reclamations/{reclamation_id}/moves", MoveReclamation, EVERYBODY),
    ListRow("Saved filters", "GET /me/filters", SavedFilterView, MANAGERS, sorts=(*TIMES, "name")),
    RecordRow("A saved filter", "GET /me/filters/{saved_filter_id}", SavedFilterView, MANAGERS),
    MessageRow("Save a filter", "PUT /me/filters", SaveFilter, MANAGERS),
    MessageRow("Remove a filter", "DELETE /me/filters/{saved_filter_id}", RemoveFilter, MANAGERS),
    # A technician only for a repair of theirs.
    MessageRow(
        "What an article costs, VAT included", "GET /articles/{article_id}/price", GetArticlePrice, CLIENT
    ),
    MessageRow("Order parts", "POST /orders", PlaceOrder, CLIENT | TECHNICIAN, status=201),
    *list_and_record(
        "Follow orders",
        "/orders",
        OrderView,
        EVERYBODY,
        filters=("status", "purpose", "client_id", "technician_id", "reclamation_id", "reference"),
        sorts=("reference",),
        search=("reference", "reclamation_reference", "lines.reference", "lines.article", "client_id"),
    ),
    MessageRow("Validate an order", "POST /orders/{order_id}/validate", ValidateOrder, MANAGER),
    MessageRow("Refuse an order", "POST /orders/{order_id}/refuse", RefuseOrder, MANAGER),
    MessageRow("Ship an order", "POST /orders/{order_id}/ship", ShipOrder, MANAGER),
    MessageRow(
        "Confirm an order's receipt",
        "POST /orders/{order_id}/receive",
        ReceiveOrder,
        CLIENT | TECHNICIAN | MANAGER,
    ),
    MessageRow(
        "Cancel an order", "POST /orders/{order_id}/cancel", CancelOrder, CLIENT | TECHNICIAN | MANAGER
    ),
    MessageRow(
        "Withdraw from a purchase: say so", "POST /orders/{order_id}/withdraw", BeginOrderWithdrawal, CLIENT
    ),
    MessageRow(
        "Withdraw from a purchase: confirm",
        "POST /orders/{order_id}/withdraw/confirm",
        ConfirmOrderWithdrawal,
        CLIENT,
    ),
    MessageRow(
        "Withdraw from a purchase: read by link",
        "GET /order-withdrawal/{token}",
        GetOrderWithdrawalByLink,
        ANYBODY,
    ),
    MessageRow(
        "Withdraw from a purchase by link",
        "POST /order-withdrawal/{token}",
        WithdrawFromOrderByLink,
        ANYBODY,
    ),
    MessageRow(
        "Record a withdrawal from a purchase",
        "POST /orders/{order_id}/withdrawal",
        RecordOrderWithdrawal,
        MANAGER,
    ),
    MessageRow("Record the return of a purchase", "POST /orders/{order_id}/return", ReturnOrder, MANAGER),
)
