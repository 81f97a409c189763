"""Accounts: who may sign in, as what, and from where they did."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    EmailStr,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from sav_contracts.actor import Role
from sav_contracts.messages import (
    Command,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Query,
    Revokes,
    Scope,
    Secret,
    View,
)
from sav_contracts.zone import Zone

AccountStatus = Literal["invited", "active", "deactivated", "closed"]
Locale = Literal["fr", "en"]
StaffRole = Literal[Role.TECHNICIAN, Role.MANAGER, Role.ADMIN]
SessionEnd = Literal["signed_out", "ended", "reused"]
SignInResult = Literal["signed_in", "second_factor_required", "wrong_password", "wrong_code", "not_active"]

SHORTEST, LONGEST = 10, 128


def _long_enough(password: SecretStr) -> SecretStr:
    if not SHORTEST <= len(password.get_secret_value()) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters")
    return password


# An address is the same account however it is capitalised.
Email = Annotated[EmailStr, AfterValidator(str.lower)]
# Length, not character classes (NIST SP 800-63B, 3.1.1.2); the upper bound keeps hashing cheap.
Password = Annotated[
    Secret,
    AfterValidator(_long_enough),
    WithJsonSchema({"type": "string", "format": "password", "minLength": SHORTEST, "maxLength": LONGEST}),
]
# What is compared only: it may be of a time when other passwords were taken.
KnownPassword = Annotated[Secret, Field(max_length=LONGEST)]
# Six digits of an authenticator, or a recovery code.
Code = Annotated[Secret, Field(min_length=1, max_length=30)]
LinkToken = Annotated[Secret, Field(min_length=1, max_length=1000)]
# With the country's prefix (ITU-T E.164), as people space it.
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+[1-9][0-9 ]{5,22}[0-9]$")]


class AccountView(View):
    """A person's account; what concerns its security is told to the person and to admins alone (`FindSignIns`)."""

    scope: ClassVar[Scope] = Scope.PERSON
    # Managers look after clients and technicians.
    limits: ClassVar[dict[str, tuple[str, ...]]] = {"role": (Role.CLIENT, Role.TECHNICIAN)}

    user_id: PersonId
    email: Personal[str]
    name: Personal[str]
    role: Role
    locale: Locale
    status: AccountStatus
    email_verified: bool = False
    phone: Personal[str | None] = None
    time_zone: str = "Europe/Paris"


class Accepted(Message):
    """The request was taken; what comes of it is not told here."""

    accepted: Literal[True] = True


class SignedIn(Message):
    """An access token for `Authorization: Bearer`, valid for `expires_in` seconds, and what gets the next one.

    Where `second_factor_missing`, the token opens `/me` and `/me/totp` alone until there is one.
    """

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    user_id: UUID
    role: Role
    second_factor_missing: bool = False


class SessionShown(Message):
    """One place where a person is signed in; `current` is the one that asks."""

    id: UUID
    current: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None


class Sessions(Message):
    """Where a person is signed in, the last used first."""

    items: list[SessionShown]


class SignInShown(Message):
    """One try to sign in, or to do what needs the password again."""

    at: datetime
    result: SignInResult
    address: str | None
    agent: str | None


class SignIns(Message):
    """The tries to sign in to an account, the newest first, and what guards it beside the password."""

    second_factor: bool
    recovery_codes_left: int
    items: list[SignInShown]


class SecondFactorSecret(Message):
    """What an authenticator is told (RFC 6238: SHA-1, six digits, 30 seconds): the secret, or the same as a URI."""

    secret: str
    uri: str


class RecoveryCodes(Message):
    """Each stands in for the authenticator once. They are shown this once."""

    codes: list[str]


class FirstAdmin(Message):
    """How the first admin comes in: with a code signed from this grant, or by the invitation that was sent."""

    grant_id: UUID
    expires_at: datetime
    invited: bool


class RegisterClient(Command[Accepted]):
    """Sign up as a client. The answer is the same whether the address is known or not."""

    secret: ClassVar[bool] = True

    email: Personal[Email]
    password: Password
    name: Personal[Line]
    locale: Locale = "fr"


class SignIn(Command[SignedIn]):
    """Sign in with address and password; `code` where a second factor is on (401 `second_factor_required`)."""

    secret: ClassVar[bool] = True

    email: Personal[Email]
    password: KnownPassword
    code: Code | None = None


class RefreshSession(Command[SignedIn]):
    """Trade a refresh token for new ones; each is good once, and a used one that comes back ends the session."""

    secret: ClassVar[bool] = True

    refresh_token: LinkToken


class SignOut(Command[Accepted]):
    """End the session that asks."""


class RequestPasswordReset(Command[Accepted]):
    """Ask for a link to choose a new password. The answer is the same whether the address is known or not."""

    email: Personal[Email]


class ResetPassword(Command[Accepted]):
    """Choose a new password, with the token of the link; whoever was signed in is so no more."""

    secret: ClassVar[bool] = True

    token: LinkToken
    password: Password


class AcceptInvitation(Command[Accepted]):
    """Choose the password of an invited account, with the token of the invitation's link.

    The first admin's code takes an address and a name too: it is an invitation to nobody yet.
    """

    secret: ClassVar[bool] = True

    token: LinkToken
    password: Password
    email: Personal[Email] | None = None
    name: Personal[Line] | None = None


class VerifyEmail(Command[Accepted]):
    """Confirm that the address of an account is its person's, with the token of the link."""

    secret: ClassVar[bool] = True

    token: LinkToken


class RequestVerification(Command[Accepted]):
    """Ask for the link again. The answer is the same whether the address is known or not."""

    email: Personal[Email]


class ChangeProfile(Command[AccountView]):
    """Change what is given of one's own account; null takes the phone number away."""

    name: Personal[Line] | None = None
    phone: Personal[Phone] | None = None
    locale: Locale | None = None
    time_zone: Zone | None = None


class ChangePassword(Command[Accepted]):
    """Choose another password; the other sessions end."""

    secret: ClassVar[bool] = True

    current_password: KnownPassword
    password: Password


class FindSessions(Query[Sessions]):
    """Where the caller is signed in."""


class EndSession(Command[Accepted]):
    """End one of one's own sessions."""

    session_id: UUID


class SetUpSecondFactor(Command[SecondFactorSecret]):
    """Get a secret for an authenticator; it counts once a code of it was confirmed."""

    secret: ClassVar[bool] = True

    password: KnownPassword


class ConfirmSecondFactor(Command[RecoveryCodes]):
    """Prove that the authenticator works; from then on every sign-in asks for a code."""

    secret: ClassVar[bool] = True

    code: Code


class RemoveSecondFactor(Command[Accepted]):
    """Do without the second factor; the password or a code proves who asks."""

    secret: ClassVar[bool] = True

    password: KnownPassword | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _proves_who_asks(self) -> "RemoveSecondFactor":
        if self.password is None and self.code is None:
            raise ValueError("password or code: prove that it is you")
        return self


class InviteUser(Command[AccountView]):
    """Invite a technician, manager or admin, who then chooses a password by link."""

    email: Personal[Email]
    name: Personal[Line]
    role: StaffRole
    locale: Locale = "fr"


class ChangeUser(Command[AccountView]):
    """Change what is given of somebody's account; a new address has to be confirmed by its person."""

    account_id: PersonId
    email: Personal[Email] | None = None
    name: Personal[Line] | None = None
    phone: Personal[Phone] | None = None
    locale: Locale | None = None
    time_zone: Zone | None = None


class InviteAgain(Command[AccountView]):
    """Send who has not accepted yet a new link; the old one is worth nothing any more."""

    account_id: PersonId


class ResetSecondFactor(Command[AccountView]):
    """Take away the second factor of somebody who has lost it."""

    account_id: PersonId


class AssignRole(Command[AccountView]):
    """Give a technician, manager or admin another of these roles; it counts at once."""

    account_id: PersonId
    role: StaffRole


class DeactivateUser(Command[AccountView]):
    """Keep somebody out; a manager does so to clients only."""

    account_id: PersonId


class ActivateUser(Command[AccountView]):
    """Let somebody in again; a manager does so to clients only."""

    account_id: PersonId


class FindSignIns(Query[SignIns]):
    """Who tried to sign in to an account: the last hundred tries, or those before a time."""

    account_id: PersonId
    before: AwareDatetime | None = None


class OfferFirstAdmin(Command[FirstAdmin]):
    """Offer the way in while there is no admin; what was offered before is worth nothing any more."""

    inside: ClassVar[bool] = True

    email: Personal[Email] | None = None


class UserRegistered(Event):
    """Somebody signed up as a client. The link that confirms the address is signed from the grant."""

    state: AccountView
    grant_id: UUID | None = None
    expires_at: datetime | None = None


class SignUpRepeated(Event):
    """Somebody tried to sign up with the address of an account that there is; with a link, should the person have."""

    state: AccountView
    grant_id: UUID
    expires_at: datetime


class UserInvited(Event):
    """An admin invited somebody. The link is signed from the grant by who sends it; no secret travels."""

    state: AccountView
    grant_id: UUID
    expires_at: datetime


class UserActivated(Event):
    """An account became usable."""

    state: AccountView


class UserUpdated(Event):
    """The person, or an admin, changed what an account says."""

    state: AccountView


class UserDeactivated(Revokes):
    """An account is kept out; its sessions are over."""

    state: AccountView


class RoleAssigned(Revokes):
    """Somebody of the staff has another role. Their sessions go on in it."""

    state: AccountView
    role: Role
    previous: Role


class EmailVerificationRequested(Event):
    """An address is to be confirmed by a link, which is signed from the grant by who sends it."""

    state: AccountView
    grant_id: UUID
    expires_at: datetime


class EmailVerified(Event):
    """The address of an account was confirmed."""

    state: AccountView


class PasswordResetRequested(Event):
    """A new password is to be chosen by a link, which is signed from the grant by who sends it."""

    state: AccountView
    grant_id: UUID
    expires_at: datetime


class PasswordChanged(Revokes):
    """An account has another password; `by_link` where the old one was forgotten. Other sessions are over."""

    state: AccountView
    by_link: bool = False


class SessionEnded(Revokes):
    """A session is over: signed out, ended from another one, or its refresh token was used twice."""

    state: AccountView
    session_id: UUID
    why: SessionEnd


class SecondFactorTurned(Event):
    """The second factor of an account was turned on, or off."""

    state: AccountView
    on: bool


class AccountChanged(Event):
    """What an account says is shown anew."""

    tells: ClassVar[bool] = False

    state: AccountView


class SignInFailedRepeatedly(Event):
    """Several wrong passwords in a row, within a quarter of an hour."""

    state: AccountView
    failures: int
