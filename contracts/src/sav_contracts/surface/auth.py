"""Accounts, sessions, policies."""

from sav_contracts.actor import MANAGERS, Role
from sav_contracts.auth.account import (
    LOOKED_AFTER,
    AcceptInvitation,
    AccountView,
    ActivateUser,
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
from sav_contracts.surface.rows import (
    ADMIN,
    ANYBODY,
    EVERYBODY,
    ListRow,
    MessageRow,
    OwnRecordRow,
    TimelineRow,
    list_and_record,
)
from sav_contracts.visibility import Limited, Own

OWN_ACCOUNT = Own("user_id")

ROWS = (
    MessageRow("Sign up", "POST /auth/register", RegisterClient, ANYBODY, status=202),
    MessageRow("Sign in", "POST /auth/login", SignIn, ANYBODY),
    MessageRow("Refresh", "POST /auth/refresh", RefreshSession, ANYBODY),
    MessageRow("Sign out", "POST /auth/logout", SignOut, EVERYBODY, enrolling=True),
    MessageRow(
        "Forgotten password: ask", "POST /auth/password-reset", RequestPasswordReset, ANYBODY, status=202
    ),
    MessageRow("Forgotten password: confirm", "POST /auth/password-reset/confirm", ResetPassword, ANYBODY),
    MessageRow("Accept an invitation", "POST /auth/invitations/accept", AcceptInvitation, ANYBODY),
    MessageRow("E-mail verification: confirm", "POST /auth/verify-email", VerifyEmail, ANYBODY),
    MessageRow(
        "E-mail verification: ask again",
        "POST /auth/verify-email/resend",
        RequestVerification,
        ANYBODY,
        status=202,
    ),
    OwnRecordRow(
        "Profile",
        "GET /me",
        AccountView,
        EVERYBODY,
        only=dict.fromkeys(EVERYBODY, OWN_ACCOUNT),
        enrolling=True,
    ),
    MessageRow("Change the profile", "PATCH /me", ChangeProfile, EVERYBODY),
    MessageRow("Change the password", "POST /me/password", ChangePassword, EVERYBODY),
    MessageRow("Sessions", "GET /me/sessions", FindSessions, EVERYBODY),
    MessageRow("End a session", "DELETE /me/sessions/{session_id}", EndSession, EVERYBODY),
    MessageRow("Second factor: set up", "POST /me/totp", SetUpSecondFactor, EVERYBODY, enrolling=True),
    MessageRow(
        "Second factor: confirm", "POST /me/totp/confirm", ConfirmSecondFactor, EVERYBODY, enrolling=True
    ),
    MessageRow("Second factor: off", "DELETE /me/totp", RemoveSecondFactor, EVERYBODY, enrolling=True),
    *list_and_record(
        "Users (a manager: clients and technicians)",
        "/users",
        AccountView,
        MANAGERS,
        only={Role.MANAGER: LOOKED_AFTER},
        filters=("role", "status", "email", "email_verified", "locale"),
        sorts=("name", "email"),
        search=("name", "email", "phone"),
    ),
    MessageRow("Invite staff", "POST /users", InviteUser, ADMIN, status=201),
    MessageRow("Change a user", "PATCH /users/{account_id}", ChangeUser, ADMIN),
    MessageRow("Invite again", "POST /users/{account_id}/invite", InviteAgain, ADMIN),
    MessageRow("Take a second factor away", "DELETE /users/{account_id}/totp", ResetSecondFactor, ADMIN),
    MessageRow("Assign a role", "PUT /users/{account_id}/role", AssignRole, ADMIN),
    MessageRow(
        "Deactivate (a manager: clients)",
        "POST /users/{account_id}/deactivate",
        DeactivateUser,
        MANAGERS,
        only={Role.MANAGER: Limited("role", (Role.CLIENT,))},
    ),
    MessageRow(
        "Activate again (a manager: clients)",
        "POST /users/{account_id}/activate",
        ActivateUser,
        MANAGERS,
        only={Role.MANAGER: Limited("role", (Role.CLIENT,))},
    ),
    MessageRow(
        "Sign-in audit",
        "GET /users/{account_id}/logins",
        FindSignIns,
        EVERYBODY,
        only={Role.MANAGER: OWN_ACCOUNT},
    ),
    ListRow("Policies", "GET /policies", PolicyView, ADMIN, filters=("name",)),
    MessageRow("Set a policy", "PUT /policies/{name}", ChangePolicy, ADMIN),
    TimelineRow("History of a policy", "GET /policies/{policy_id}/timeline", PolicyView, ADMIN),
)
