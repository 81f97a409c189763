"""Accounts: who may sign in, and as what."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.actor import Role
from sav_contracts.address import Address, AddressGiven
from sav_contracts.auth.fields import Email, KnownPassword, LinkToken, Locale, Password, Phone
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Revokes,
    View,
)
from sav_contracts.time_zone import Zone
from sav_contracts.visibility import Limited, Own, Visible

AccountStatus = Literal["invited", "active", "deactivated", "closed"]
StaffRole = Literal[Role.TECHNICIAN, Role.MANAGER, Role.ADMIN]

# Managers see the accounts of clients and technicians.
LOOKED_AFTER = Limited("role", (Role.CLIENT, Role.TECHNICIAN))


class AccountView(View):
    """A person's account. Only the person and admins see what concerns its security (`FindSignIns`).

    `email` is empty for a client who has not given one and therefore cannot sign in.
    """

    visible: ClassVar[Visible] = Visible(
        client=Own("user_id"), technician=Own("user_id"), manager=LOOKED_AFTER | Own("user_id")
    )

    user_id: PersonId
    email: Personal[Annotated[str, ComparedAs(Email)]] = Field(examples=["lea@example.com"])
    name: Personal[str] = Field(examples=["Léa Bernard"])
    role: Role
    locale: Locale
    status: AccountStatus
    email_verified: bool = False
    phone: Personal[str | None] = Field(default=None, examples=["+33 6 12 34 56 78"])
    time_zone: str = "Europe/Paris"
    # How often name and language were changed, in the account or in the client's profile.
    name_edition: int = 0
    locale_edition: int = 0


class Accepted(Message):
    """The request was accepted; the answer does not say what it led to."""

    accepted: Literal[True] = True


class FirstAdmin(Message):
    """How the first admin signs up: with a code signed from this grant, or by the invitation that was sent."""

    grant_id: UUID
    expires_at: datetime = Field(examples=["2026-03-09T08:15:00Z"])
    invited: bool


class RegisterClient(Command[Accepted]):
    """Sign up as a client. The answer is the same whether the address is known or not."""

    secret: ClassVar[bool] = True

    email: Personal[Email]
    password: Password
    name: Personal[Line] = Field(examples=["Léa Bernard"])
    locale: Locale = "fr"


class AcceptInvitation(Command[Accepted]):
    """Choose the password of an invited account, with the token of the invitation's link.

    The first admin's code also takes an address and a name, since it names no person yet.
    """

    secret: ClassVar[bool] = True

    token: LinkToken
    password: Password
    email: Personal[Email] | None = Field(default=None, examples=["karim@example.com"])
    name: Personal[Line] | None = Field(default=None, examples=["Karim Haddad"])


class VerifyEmail(Command[Accepted]):
    """Confirm that an address belongs to the person, with the token of the link. A new address counts from then on."""

    secret: ClassVar[bool] = True

    token: LinkToken


class RequestVerification(Command[Accepted]):
    """Ask for the verification link again. The answer is the same whether the address is known or not."""

    email: Personal[Email]


class ChangeProfile(Command[AccountView]):
    """Change the given fields of one's own account; null removes the phone number.

    Another `email` also needs the `current_password`. It counts after its owner has opened the link that is sent there;
    the old one counts until then.
    """

    secret: ClassVar[bool] = True

    email: Personal[Email] | None = None
    current_password: KnownPassword | None = None
    name: Personal[Line] | None = Field(default=None, examples=["Léa Bernard"])
    phone: Personal[Phone] | None = None
    locale: Locale | None = None
    time_zone: Zone | None = None


class InviteUser(Command[AccountView]):
    """Invite a technician, manager or admin, who then chooses a password by a link."""

    email: Personal[Email] = Field(examples=["karim@example.com"])
    name: Personal[Line] = Field(examples=["Karim Haddad"])
    role: StaffRole
    locale: Locale = "fr"


class AddClient(Command[AccountView]):
    """Create an account and a profile for a client, who then chooses a password by a link.

    A client without an address gets no messages, and can sign in only after a manager or an admin has added one.
    """

    email: Personal[Email] | None = None
    name: Personal[Line] = Field(examples=["Léa Bernard"])
    phones: Personal[Annotated[tuple[Phone, ...], Field(max_length=5)]] = Field(
        default=(), examples=[["+33 6 12 34 56 78"]]
    )
    addresses: Annotated[tuple[AddressGiven, ...], Field(max_length=10)] = ()
    locale: Locale = "fr"


class ChangeUser(Command[AccountView]):
    """Change the given fields of somebody's account.

    The person must confirm a new address. A person who has not accepted the invitation yet gets it there instead.
    """

    account_id: PersonId
    email: Personal[Email] | None = Field(default=None, examples=["karim@example.com"])
    name: Personal[Line] | None = Field(default=None, examples=["Karim Haddad"])
    phone: Personal[Phone] | None = None
    locale: Locale | None = None
    time_zone: Zone | None = None


class InviteAgain(Command[AccountView]):
    """Send a new link to a person who has not accepted yet. The old one stops working."""

    account_id: PersonId


class AssignRole(Command[AccountView]):
    """Give a technician, manager or admin another of these roles, with immediate effect."""

    account_id: PersonId
    role: StaffRole


class DeactivateUser(Command[AccountView]):
    """Deactivate an account. A manager may do so for clients only."""

    account_id: PersonId


class ActivateUser(Command[AccountView]):
    """Activate an account again. A manager may do so for clients only."""

    account_id: PersonId


class OfferFirstAdmin(Command[FirstAdmin]):
    """Offer a way to sign up while there is no admin. Earlier offers stop working."""

    internal_only: ClassVar[bool] = True

    email: Personal[Email] | None = Field(default=None, examples=["alex@example.com"])


class UserRegistered(Event[AccountView]):
    """Somebody signed up as a client. The link that confirms the address is signed from the grant."""

    grant_id: UUID | None = None
    expires_at: datetime | None = Field(default=None, examples=["2026-03-09T08:15:00Z"])


class SignUpRepeated(Event[AccountView]):
    """Somebody tried to sign up with the address of an existing account. Its person gets a link, from the grant."""

    grant_id: UUID
    expires_at: datetime = Field(examples=["2026-03-09T08:15:00Z"])


class ClientAdded(Event[AccountView]):
    """Staff created an account for a client. Claims creates the profile with these contact data."""

    phones: Personal[tuple[str, ...]] = Field(default=(), examples=[["+33 6 12 34 56 78"]])
    addresses: tuple[Address, ...] = ()


class UserInvited(Event[AccountView]):
    """Staff invited somebody. The sender signs the link from the grant, so that no secret is sent."""

    grant_id: UUID
    expires_at: datetime = Field(examples=["2026-03-09T08:15:00Z"])


class UserActivated(Event[AccountView]):
    """An account became usable."""


class UserUpdated(Event[AccountView]):
    """The person or an admin changed the account. Where the address changed, there is a `previous_email`."""

    # Empty where there was no address before.
    previous_email: Personal[str | None] = Field(default=None, examples=["lea.bernard@example.com"])


class ClientEmailRefused(Event[AccountView]):
    """The address that a manager gave to a client was taken meanwhile, or the client has another one by now."""

    email: Personal[str] = Field(examples=["lea@example.com"])
    by_id: PersonId


class UserDeactivated(Revokes[AccountView]):
    """An account was deactivated, and its sessions have ended."""


class RoleAssigned(Revokes[AccountView]):
    """A member of the staff has another role. Their sessions go on in the new role."""

    role: Role
    previous: Role


class EmailVerificationRequested(Event[AccountView]):
    """An address must be confirmed by a link. The sender signs the link from the grant.

    It is the account's address, or an `email` that becomes the account's when it is confirmed.
    """

    grant_id: UUID
    expires_at: datetime = Field(examples=["2026-03-09T08:15:00Z"])
    email: Personal[str | None] = Field(default=None, examples=["lea@example.com"])


class EmailChangeRequested(Event[AccountView]):
    """The person asked for another address. The current address is notified, in case it was somebody else."""


class EmailVerified(Event[AccountView]):
    """The address of an account was confirmed."""


AccountChanged = Changed[AccountView]
