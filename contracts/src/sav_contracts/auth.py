"""Accounts: who may sign in, as what."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, SecretStr, WithJsonSchema

from sav_contracts.actor import Role
from sav_contracts.messages import Command, Event, Line, Message, Personal, PersonId, Scope, Secret, View

AccountStatus = Literal["invited", "active", "deactivated", "closed"]
Locale = Literal["fr", "en"]
StaffRole = Literal[Role.TECHNICIAN, Role.MANAGER, Role.ADMIN]

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


class AccountView(View):
    """A person's account, as the person sees it."""

    scope: ClassVar[Scope] = Scope.PERSON

    user_id: PersonId
    email: Personal[str]
    name: Personal[str]
    role: Role
    locale: Locale
    status: AccountStatus


class Accepted(Message):
    """The request was taken; what comes of it is not told here."""

    accepted: Literal[True] = True


class SignedIn(Message):
    """An access token for `Authorization: Bearer`, valid for `expires_in` seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user_id: UUID
    role: Role


class RegisterClient(Command[Accepted]):
    """Sign up as a client. The answer is the same whether the address is known or not."""

    secret: ClassVar[bool] = True

    email: Personal[Email]
    password: Password
    name: Personal[Line]
    locale: Locale = "fr"


class SignIn(Command[SignedIn]):
    """Sign in with address and password."""

    secret: ClassVar[bool] = True

    email: Personal[Email]
    password: Annotated[Secret, Field(max_length=LONGEST)]


class InviteUser(Command[AccountView]):
    """Invite a technician, manager or admin, who then chooses a password by link."""

    email: Personal[Email]
    name: Personal[Line]
    role: StaffRole
    locale: Locale = "fr"


class AcceptInvitation(Command[Accepted]):
    """Choose the password of an invited account, with the token of the invitation's link."""

    secret: ClassVar[bool] = True

    token: Annotated[Secret, Field(min_length=1, max_length=1000)]
    password: Password


class UserRegistered(Event):
    """Somebody signed up as a client."""

    state: AccountView


class UserInvited(Event):
    """An admin invited somebody. The link is signed from the grant by who sends it; no secret travels."""

    state: AccountView
    grant_id: UUID
    expires_at: datetime


class UserActivated(Event):
    """An account became usable."""

    state: AccountView


class AccountChanged(Event):
    """What an account says is shown anew."""

    tells: ClassVar[bool] = False

    state: AccountView


class SignInFailedRepeatedly(Event):
    """Several wrong passwords in a row, within a quarter of an hour."""

    state: AccountView
    failures: int
