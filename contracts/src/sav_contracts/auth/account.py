"""Accounts: who may sign in, and as what."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.actor import Role
from sav_contracts.address import Address
from sav_contracts.auth.fields import Email, KnownPassword, LinkToken, Locale, Password, Phone
from sav_contracts.messages import Command, Event, Line, Message, Personal, PersonId, Revokes, Scope, View
from sav_contracts.zone import Zone

AccountStatus = Literal["invited", "active", "deactivated", "closed"]
StaffRole = Literal[Role.TECHNICIAN, Role.MANAGER, Role.ADMIN]


class AccountView(View):
    """A person's account; what concerns its security is told to the person and to admins alone (`FindSignIns`).

    `email` is empty for a client who has given none, and so cannot sign in.
    """

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
    """Confirm that an address is the person's, with the token of the link; a new one counts from then on."""

    secret: ClassVar[bool] = True

    token: LinkToken


class RequestVerification(Command[Accepted]):
    """Ask for the link again. The answer is the same whether the address is known or not."""

    email: Personal[Email]


class ChangeProfile(Command[AccountView]):
    """Change what is given of one's own account; null takes the phone number away.

    For another `email` the `current_password` is needed too. It counts once the link was opened that is sent there;
    until then the old one does.
    """

    secret: ClassVar[bool] = True

    email: Personal[Email] | None = None
    current_password: KnownPassword | None = None
    name: Personal[Line] | None = None
    phone: Personal[Phone] | None = None
    locale: Locale | None = None
    time_zone: Zone | None = None


class InviteUser(Command[AccountView]):
    """Invite a technician, manager or admin, who then chooses a password by link."""

    email: Personal[Email]
    name: Personal[Line]
    role: StaffRole
    locale: Locale = "fr"


class AddClient(Command[AccountView]):
    """Make an account and a profile for a client, who then chooses a password by link.

    A client without an address is written to by nobody, and signs in once an admin has given the account one.
    """

    email: Personal[Email] | None = None
    name: Personal[Line]
    phones: Personal[Annotated[tuple[Phone, ...], Field(max_length=5)]] = ()
    addresses: Annotated[tuple[Address, ...], Field(max_length=5)] = ()
    locale: Locale = "fr"


class ChangeUser(Command[AccountView]):
    """Change what is given of somebody's account.

    A new address has to be confirmed by its person; who has not come yet is sent the invitation there.
    """

    account_id: PersonId
    email: Personal[Email] | None = None
    name: Personal[Line] | None = None
    phone: Personal[Phone] | None = None
    locale: Locale | None = None
    time_zone: Zone | None = None


class InviteAgain(Command[AccountView]):
    """Send who has not accepted yet a new link; the old one is worth nothing any more."""

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


class ClientAdded(Event):
    """Staff made an account for a client; the profile follows with these contact data."""

    state: AccountView
    phones: Personal[tuple[str, ...]] = ()
    addresses: tuple[Address, ...] = ()


class UserInvited(Event):
    """Staff invited somebody. The link is signed from the grant by who sends it; no secret travels."""

    state: AccountView
    grant_id: UUID
    expires_at: datetime


class UserActivated(Event):
    """An account became usable."""

    state: AccountView


class UserUpdated(Event):
    """The person, or an admin, changed what an account says; its address, where there is a `previous_email`."""

    state: AccountView
    # Empty where there was none.
    previous_email: Personal[str | None] = None


class UserDeactivated(Revokes):
    """An account is kept out; its sessions are over."""

    state: AccountView


class RoleAssigned(Revokes):
    """Somebody of the staff has another role. Their sessions go on in it."""

    state: AccountView
    role: Role
    previous: Role


class EmailVerificationRequested(Event):
    """An address is to be confirmed by a link, which is signed from the grant by who sends it.

    It is the account's, or an `email` that becomes so by that.
    """

    state: AccountView
    grant_id: UUID
    expires_at: datetime
    email: Personal[str | None] = None


class EmailChangeRequested(Event):
    """The person asked for another address; it is told to the one they have, should it have been somebody else."""

    state: AccountView


class EmailVerified(Event):
    """The address of an account was confirmed."""

    state: AccountView


class AccountChanged(Event):
    """What an account says is shown anew."""

    tells: ClassVar[bool] = False

    state: AccountView
