"""The one table of routes and roles. The edge builds its routes from it, services check roles against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sav_contracts.actor import Role
from sav_contracts.auth.account import (
    AcceptInvitation,
    AccountView,
    ActivateUser,
    AddClient,
    AssignRole,
    ChangeProfile,
    ChangeUser,
    DeactivateUser,
    InviteAgain,
    InviteUser,
    RegisterClient,
    RequestVerification,
    VerifyEmail,
)
from sav_contracts.auth.policy import ChangePolicy, PolicyView
from sav_contracts.auth.session import (
    ChangePassword,
    ConfirmSecondFactor,
    EndSession,
    FindSessions,
    FindSignIns,
    RefreshSession,
    RemoveSecondFactor,
    RequestPasswordReset,
    ResetPassword,
    ResetSecondFactor,
    SetUpSecondFactor,
    SignIn,
    SignOut,
)
from sav_contracts.calendar import (
    AppointmentView,
    BookAppointment,
    ConflictView,
    FindFreeSlots,
    HoldSlot,
    SetHours,
    WorkingHoursView,
)
from sav_contracts.catalog.article import (
    AddArticle,
    ArticleView,
    ChangeArticle,
    MoveStock,
    RetireArticle,
    SetArticleImage,
    StockLevelView,
)
from sav_contracts.catalog.product import (
    ChangeProduct,
    GetWarranty,
    ProductView,
    RegisterProduct,
    SendProof,
    VerifyProduct,
)
from sav_contracts.claims import (
    AddPhotos,
    AssignTechnician,
    ClientView,
    MoveReclamation,
    OpenReclamation,
    PhotoView,
    QualifyReclamation,
    ReclamationView,
)
from sav_contracts.edge import FindRequests
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
from sav_contracts.interventions.visit import (
    DecideWarranty,
    InterventionView,
    MoveIntervention,
    RecordWork,
    TechnicianView,
)
from sav_contracts.messages import Asked, View
from sav_contracts.notifier import MarkRead, NotificationView
from sav_contracts.reporting import FeedbackView, GetReclamationsReport, GiveFeedback


class Reach(StrEnum):
    """How far a role reaches: everybody's records, those of its own as client, those it works on, those it looks after."""

    ANY = "any"
    OWN = "own"
    MINE = "mine"
    # Those with the values that the view names in `limits`.
    LIMITED = "limited"
    ALL = "all"


class Serves(StrEnum):
    """What a row answers with: the owner's reply, a part of the read model, or what the edge itself finds."""

    REPLY = "reply"
    EDGE = "edge"
    PAGE = "list"
    ONE = "one"
    SELF = "self"
    TIMELINE = "timeline"
    FILE = "file"


# Each row is itself alone: it is what statements and routes are remembered by.
@dataclass(frozen=True, eq=False)
class Row:
    """One method and path, what it does, and how far each role reaches. A role that is absent is refused.

    Where a view is read, the last id of the path is the record's, or that of what it hangs on (`{article_id}` of a
    stock level).
    """

    feature: str
    route: str
    message: type[Asked[Any]] | type[View]
    reach: Mapping[Role, Reach]
    serves: Serves = Serves.REPLY
    status: int = 200
    filters: tuple[str, ...] = ()
    sorts: tuple[str, ...] = field(default=("created_at", "updated_at"))
    # The fields that `q` looks in, the time that `from` and `to` bound, and the one that holds the file.
    search: tuple[str, ...] = ()
    during: str = ""
    file: str = ""
    # Whether it is for an admin too who has yet to set up a second factor.
    enrolling: bool = False

    @property
    def method(self) -> str:
        return self.route.split(" ")[0]

    @property
    def path(self) -> str:
        return self.route.split(" ")[1]


ANYBODY = dict.fromkeys(Role, Reach.ANY)
MANAGERS = {Role.MANAGER: Reach.ALL, Role.ADMIN: Reach.ALL}
ADMIN = {Role.ADMIN: Reach.ALL}
CLIENT_AND_MANAGERS = {Role.CLIENT: Reach.OWN, **MANAGERS}
TECHNICIAN_AND_MANAGERS = {Role.TECHNICIAN: Reach.MINE, **MANAGERS}
CONCERNED = {**CLIENT_AND_MANAGERS, Role.TECHNICIAN: Reach.MINE}
STAFF = {**MANAGERS, Role.TECHNICIAN: Reach.ALL}
EVERYBODY = {**STAFF, Role.CLIENT: Reach.ALL}
THEMSELVES = dict.fromkeys((Role.CLIENT, Role.TECHNICIAN, Role.MANAGER, Role.ADMIN), Reach.OWN)


def followed(
    feature: str,
    path: str,
    view: type[View],
    reach: Mapping[Role, Reach],
    filters: tuple[str, ...] = (),
    sorts: tuple[str, ...] = (),
    search: tuple[str, ...] = (),
    during: str = "",
) -> tuple[Row, Row]:
    """A view that is served as a list and one by one."""
    sorts = ("created_at", "updated_at", *sorts)
    return (
        Row(
            feature,
            f"GET {path}",
            view,
            reach,
            Serves.PAGE,
            filters=filters,
            sorts=sorts,
            search=search,
            during=during,
        ),
        Row(feature, f"GET {path}/{{{view.kind()}_id}}", view, reach, Serves.ONE),
    )


SURFACE: tuple[Row, ...] = (
    # auth
    Row("Sign up", "POST /auth/register", RegisterClient, ANYBODY, status=202),
    Row("Sign in", "POST /auth/login", SignIn, ANYBODY),
    Row("Refresh", "POST /auth/refresh", RefreshSession, ANYBODY),
    Row("Sign out", "POST /auth/logout", SignOut, THEMSELVES, enrolling=True),
    Row("Forgotten password: ask", "POST /auth/password-reset", RequestPasswordReset, ANYBODY, status=202),
    Row("Forgotten password: confirm", "POST /auth/password-reset/confirm", ResetPassword, ANYBODY),
    Row("Accept an invitation", "POST /auth/invitations/accept", AcceptInvitation, ANYBODY),
    Row("E-mail verification: confirm", "POST /auth/verify-email", VerifyEmail, ANYBODY),
    Row(
        "E-mail verification: ask again",
        "POST /auth/verify-email/resend",
        RequestVerification,
        ANYBODY,
        status=202,
    ),
    Row("Profile", "GET /me", AccountView, THEMSELVES, Serves.SELF, enrolling=True),
    Row("Change the profile", "PATCH /me", ChangeProfile, THEMSELVES),
    Row("Change the password", "POST /me/password", ChangePassword, THEMSELVES),
    Row("Sessions", "GET /me/sessions", FindSessions, THEMSELVES),
    Row("End a session", "DELETE /me/sessions/{session_id}", EndSession, THEMSELVES),
    Row("Second factor: set up", "POST /me/totp", SetUpSecondFactor, THEMSELVES, enrolling=True),
    Row("Second factor: confirm", "POST /me/totp/confirm", ConfirmSecondFactor, THEMSELVES, enrolling=True),
    Row("Second factor: off", "DELETE /me/totp", RemoveSecondFactor, THEMSELVES, enrolling=True),
    *followed(
        "Users (a manager: clients and technicians)",
        "/users",
        AccountView,
        {Role.MANAGER: Reach.LIMITED, Role.ADMIN: Reach.ALL},
        filters=("role", "status", "email", "email_verified", "locale"),
        sorts=("name", "email"),
        search=("name", "email", "phone"),
    ),
    Row("Invite staff", "POST /users", InviteUser, {Role.ADMIN: Reach.ALL}, status=201),
    Row("Change a user", "PATCH /users/{account_id}", ChangeUser, {Role.ADMIN: Reach.ALL}),
    Row("Invite again", "POST /users/{account_id}/invite", InviteAgain, {Role.ADMIN: Reach.ALL}),
    Row(
        "Take a second factor away",
        "DELETE /users/{account_id}/totp",
        ResetSecondFactor,
        {Role.ADMIN: Reach.ALL},
    ),
    Row("Assign a role", "PUT /users/{account_id}/role", AssignRole, {Role.ADMIN: Reach.ALL}),
    Row(
        "Deactivate (a manager: clients)",
        "POST /users/{account_id}/deactivate",
        DeactivateUser,
        {Role.MANAGER: Reach.LIMITED, Role.ADMIN: Reach.ALL},
    ),
    Row(
        "Activate again (a manager: clients)",
        "POST /users/{account_id}/activate",
        ActivateUser,
        {Role.MANAGER: Reach.LIMITED, Role.ADMIN: Reach.ALL},
    ),
    Row(
        "Sign-in audit",
        "GET /users/{account_id}/logins",
        FindSignIns,
        THEMSELVES | {Role.ADMIN: Reach.ALL},
    ),
    Row("Policies", "GET /policies", PolicyView, ADMIN, Serves.PAGE, filters=("name",)),
    Row("Set a policy", "PUT /policies/{name}", ChangePolicy, ADMIN),
    Row(
        "History of a policy",
        "GET /policies/{policy_id}/timeline",
        PolicyView,
        ADMIN,
        Serves.TIMELINE,
        sorts=(),
    ),
    # catalog
    *followed(
        "Browse and search articles",
        "/articles",
        ArticleView,
        EVERYBODY,
        filters=("reference", "gtin", "family", "brand", "fuel", "in_stock", "status"),
        sorts=("reference", "name", "brand"),
        search=("reference", "name", "brand", "model", "description"),
    ),
    Row("Add an article", "POST /articles", AddArticle, MANAGERS, status=201),
    Row("Change an article", "PATCH /articles/{article_id}", ChangeArticle, MANAGERS),
    Row("Retire an article", "DELETE /articles/{article_id}", RetireArticle, MANAGERS),
    Row("Set the article's image", "PUT /articles/{article_id}/image", SetArticleImage, MANAGERS),
    Row("Image", "GET /articles/{article_id}/image", ArticleView, EVERYBODY, Serves.FILE, file="image"),
    Row("Availability", "GET /articles/{article_id}/stock", StockLevelView, STAFF, Serves.ONE),
    Row(
        "Stock movement",
        "POST /articles/{article_id}/stock-movements",
        MoveStock,
        {Role.MANAGER: Reach.ALL},
        status=201,
    ),
    *followed(
        "Installed products",
        "/products",
        ProductView,
        CONCERNED,
        filters=("client_id", "article_id", "family", "serial", "proof_state"),
        search=("article", "serial"),
    ),
    Row("Register an installed product", "POST /products", RegisterProduct, CLIENT_AND_MANAGERS, status=201),
    Row("Change its place", "PATCH /products/{product_id}", ChangeProduct, CLIENT_AND_MANAGERS),
    Row("Send a proof of purchase", "PUT /products/{product_id}/proof", SendProof, CLIENT_AND_MANAGERS),
    Row(
        "Proof of purchase",
        "GET /products/{product_id}/proof",
        ProductView,
        CONCERNED,
        Serves.FILE,
        file="proof",
    ),
    Row(
        "Service history",
        "GET /products/{product_id}/timeline",
        ProductView,
        CONCERNED,
        Serves.TIMELINE,
        sorts=(),
    ),
    Row(
        "Accept or refuse the proof",
        "POST /products/{product_id}/verify",
        VerifyProduct,
        {Role.MANAGER: Reach.ALL},
    ),
    Row("Warranty on a date", "GET /products/{product_id}/warranty", GetWarranty, CONCERNED),
    # claims
    Row("Make a client (an invitation follows)", "POST /clients", AddClient, MANAGERS, status=201),
    *followed("Client profile", "/clients", ClientView, CONCERNED, sorts=("name",), search=("name", "email")),
    Row("Open a réclamation", "POST /reclamations", OpenReclamation, CLIENT_AND_MANAGERS, status=201),
    *followed(
        "Follow réclamations",
        "/reclamations",
        ReclamationView,
        CONCERNED,
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
        search=("reference", "article", "description"),
    ),
    Row(
        "Timeline of a réclamation",
        "GET /reclamations/{reclamation_id}/timeline",
        ReclamationView,
        CONCERNED,
        Serves.TIMELINE,
        sorts=(),
    ),
    Row("Add photos", "POST /reclamations/{reclamation_id}/photos", AddPhotos, CONCERNED, status=201),
    Row("Photos", "GET /reclamations/{reclamation_id}/photos", PhotoView, CONCERNED, Serves.PAGE),
    Row(
        "See a photo",
        "GET /reclamations/{reclamation_id}/photos/{photo_id}",
        PhotoView,
        CONCERNED,
        Serves.FILE,
        file="file",
    ),
    Row("Qualify", "POST /reclamations/{reclamation_id}/qualify", QualifyReclamation, MANAGERS),
    Row("Assign or reassign", "POST /reclamations/{reclamation_id}/assign", AssignTechnician, MANAGERS),
    Row("Close", "POST /reclamations/{reclamation_id}/moves", MoveReclamation, CLIENT_AND_MANAGERS),
    # interventions
    *followed(
        "Follow interventions",
        "/interventions",
        InterventionView,
        CONCERNED,
        filters=("status", "purpose", "client_id", "technician_id", "reclamation_id", "product_id"),
    ),
    Row(
        "Move an intervention",
        "POST /interventions/{intervention_id}/moves",
        MoveIntervention,
        TECHNICIAN_AND_MANAGERS,
    ),
    Row(
        "Describe the work",
        "PUT /interventions/{intervention_id}/work",
        RecordWork,
        {Role.TECHNICIAN: Reach.MINE},
    ),
    Row(
        "Decide the warranty",
        "POST /interventions/{intervention_id}/warranty",
        DecideWarranty,
        {Role.MANAGER: Reach.ALL},
    ),
    Row("Report", "GET /interventions/{intervention_id}/report", ReportView, CONCERNED, Serves.ONE),
    Row(
        "Write the report",
        "PUT /interventions/{intervention_id}/report",
        WriteReport,
        {Role.TECHNICIAN: Reach.MINE},
    ),
    Row(
        "Sign the report",
        "POST /interventions/{intervention_id}/report/sign",
        SignReport,
        {Role.TECHNICIAN: Reach.MINE},
    ),
    Row(
        "Submit the report",
        "POST /interventions/{intervention_id}/report/submit",
        SubmitReport,
        {Role.TECHNICIAN: Reach.MINE},
    ),
    Row(
        "Validate the report",
        "POST /interventions/{intervention_id}/report/validate",
        ValidateReport,
        {Role.MANAGER: Reach.ALL},
    ),
    Row(
        "Send the report back",
        "POST /interventions/{intervention_id}/report/send-back",
        SendBackReport,
        {Role.MANAGER: Reach.ALL},
    ),
    *followed(
        "Invoices",
        "/invoices",
        InvoiceView,
        CLIENT_AND_MANAGERS,
        filters=("status", "client_id", "intervention_id", "reclamation_id", "number"),
        sorts=("number",),
    ),
    Row(
        "Invoice as PDF",
        "GET /invoices/{invoice_id}.pdf",
        InvoiceView,
        CLIENT_AND_MANAGERS,
        Serves.FILE,
        file="document",
    ),
    Row("Complete a draft", "PATCH /invoices/{invoice_id}", ChangeInvoice, MANAGERS),
    Row("Discard a draft", "POST /invoices/{invoice_id}/discard", DiscardInvoice, MANAGERS),
    Row("Issue an invoice", "POST /invoices/{invoice_id}/issue", IssueInvoice, MANAGERS),
    Row("Record a payment", "POST /invoices/{invoice_id}/payments", RecordPayment, MANAGERS, status=201),
    *followed(
        "Payments", "/payments", PaymentView, CLIENT_AND_MANAGERS, filters=("invoice_id", "method", "status")
    ),
    *followed(
        "Technicians",
        "/technicians",
        TechnicianView,
        {**MANAGERS, Role.CLIENT: Reach.OWN, Role.TECHNICIAN: Reach.OWN},
        filters=("active",),
        sorts=("name",),
    ),
    # calendar
    Row("Free slots", "GET /slots", FindFreeSlots, CONCERNED),
    Row("Hold a slot", "POST /appointments/hold", HoldSlot, CLIENT_AND_MANAGERS, status=201),
    Row("Book the held slot", "POST /appointments", BookAppointment, CLIENT_AND_MANAGERS, status=201),
    *followed(
        "Calendar",
        "/appointments",
        AppointmentView,
        CONCERNED,
        filters=("status", "client_id", "technician_id", "reclamation_id"),
        sorts=("start",),
        during="start",
    ),
    Row(
        "Working hours",
        "GET /technicians/{technician_id}/hours",
        WorkingHoursView,
        {Role.TECHNICIAN: Reach.MINE, **MANAGERS},
        Serves.ONE,
    ),
    Row(
        "Set working hours",
        "PUT /technicians/{technician_id}/hours",
        SetHours,
        {Role.TECHNICIAN: Reach.MINE, **MANAGERS},
    ),
    *followed(
        "Conflicts",
        "/conflicts",
        ConflictView,
        TECHNICIAN_AND_MANAGERS,
        filters=("status", "problem", "technician_id", "reclamation_id"),
    ),
    # notifier
    *followed(
        "Messages",
        "/notifications",
        NotificationView,
        {Role.CLIENT: Reach.OWN, Role.TECHNICIAN: Reach.OWN, **MANAGERS},
        filters=("status", "category", "channel", "user_id", "about_id"),
    ),
    Row("Mark a message as read", "POST /notifications/{notification_id}/read", MarkRead, THEMSELVES),
    # reporting
    Row("Réclamations report", "GET /reports/reclamations", GetReclamationsReport, CONCERNED),
    Row(
        "Give feedback",
        "POST /interventions/{intervention_id}/feedback",
        GiveFeedback,
        {Role.CLIENT: Reach.OWN},
    ),
    *followed(
        "Feedback",
        "/feedback",
        FeedbackView,
        CONCERNED,
        filters=("status", "client_id", "technician_id", "intervention_id", "reclamation_id"),
    ),
    # edge
    Row("Request audit", "GET /audit", FindRequests, ADMIN, Serves.EDGE),
)
