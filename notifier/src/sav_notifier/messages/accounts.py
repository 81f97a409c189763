"""Messages to people about their accounts."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts import canonical
from sav_contracts.actor import Role
from sav_contracts.auth.account import (
    AccountView,
    EmailChangeRequested,
    EmailVerificationRequested,
    SignUpRepeated,
    UserInvited,
    UserRegistered,
    UserUpdated,
)
from sav_contracts.auth.session import (
    PasswordChanged,
    PasswordResetRequested,
    SecondFactorTurned,
    SessionEnded,
    SignedInFromNewPlace,
)
from sav_notifier.message import Internal, Message, Seen, message
from sav_notifier.recipients import account_holder
from sav_notifier.zones import HERE

Linking = UserInvited | UserRegistered | SignUpRepeated | EmailVerificationRequested | PasswordResetRequested


class Linked(Message):
    """A message with a link, signed from the grant when it is sent; without a grant there is none."""

    grant_id: Internal[UUID | None]
    expires_at: datetime | None
    zone: str = HERE

    def useful_until(self) -> datetime | None:
        return self.expires_at

    @classmethod
    async def about(cls, event: Any, tx: Tx) -> Self | str:
        return cls._of(event)

    @classmethod
    def _of(cls, event: Linking, **facts: Any) -> Self:
        zone = event.state.time_zone
        return cls(grant_id=event.grant_id, expires_at=event.expires_at, zone=zone, **facts)


@message(
    "invitation",
    on={UserInvited: "send_invitation"},
    to=account_holder,
    category="account",
    link="invitation",
)
class Invitation(Linked):
    """An invited person gets a link."""

    role: Role

    @classmethod
    async def about(cls, event: UserInvited, tx: Tx) -> Self:
        return cls._of(event, role=event.state.role)

    def true_while(self, record: AccountView) -> bool:
        return record.status == "invited"


@message(
    "welcome",
    on={UserRegistered: "welcome_client"},
    to=account_holder,
    category="account",
    link="verify-email",
)
class Welcome(Linked):
    """A new client is welcomed and asked to confirm the address."""

    @classmethod
    async def about(cls, event: UserRegistered, tx: Tx) -> Self | str:
        return cls._of(event) if event.state.role is Role.CLIENT else "not a client"


@message(
    "sign_up_repeated",
    on={SignUpRepeated: "warn_of_sign_up"},
    to=account_holder,
    category="account",
    link="password-reset",
)
class SignUpWasRepeated(Linked):
    """The holder learns that somebody signed up with their address; that person learns nothing."""

    def true_while(self, record: AccountView) -> bool:
        return record.status == "active"


@message(
    "verification",
    on={EmailVerificationRequested: "ask_for_confirmation"},
    to=account_holder,
    category="account",
    link="verify-email",
)
class Verification(Linked):
    """The holder is asked to confirm the account's address by a link."""

    @classmethod
    async def about(cls, event: EmailVerificationRequested, tx: Tx) -> Self | str:
        return cls._of(event) if event.email is None else "another address is to be confirmed"

    def true_while(self, record: AccountView) -> bool:
        return not record.email_verified


@message(
    "new_address",
    on={EmailVerificationRequested: "ask_for_confirmation"},
    to=account_holder,
    category="account",
    link="change-email",
)
class NewAddress(Linked):
    """The link that confirms another address is sent there, not to the account's address."""

    to: Internal[str]

    @classmethod
    async def about(cls, event: EmailVerificationRequested, tx: Tx) -> Self | str:
        return cls._of(event, to=event.email) if event.email is not None else "it is the account's"

    def true_while(self, record: AccountView) -> bool:
        # Older events may have the address in a form that is not canonical.
        return record.email != canonical.or_itself(canonical.email, self.to)


@message(
    "address_asked",
    on={EmailChangeRequested: "warn_of_new_address"},
    to=account_holder,
    category="account",
)
class AddressAsked(Message):
    """The holder learns, at the present address, that another one was asked for."""

    to: Internal[str]

    @classmethod
    async def about(cls, event: EmailChangeRequested, tx: Tx) -> Self:
        return cls(to=event.state.email)


@message(
    "address_changed",
    on={UserUpdated: "tell_the_old_address"},
    to=account_holder,
    category="account",
)
class AddressChanged(Message):
    """The holder learns, at the old address, of a changed sign-in address: it may have been somebody else."""

    to: Internal[str]

    @classmethod
    async def about(cls, event: UserUpdated, tx: Tx) -> Self | str:
        if not event.previous_email or event.state.status != "active":
            return "no address that somebody signed in with"
        return cls(to=event.previous_email)


@message(
    "password_reset",
    on={PasswordResetRequested: "send_reset"},
    to=account_holder,
    category="account",
    link="password-reset",
)
class PasswordReset(Linked):
    """A person who forgot the password gets a link."""

    def true_while(self, record: AccountView) -> bool:
        return record.status == "active"


@message(
    "password_changed",
    on={PasswordChanged: "tell_of_password"},
    to=account_holder,
    category="account",
)
class PasswordWasChanged(Message):
    """The holder learns that the password was changed: it may have been somebody else."""

    by_link: bool

    @classmethod
    async def about(cls, event: PasswordChanged, tx: Tx) -> Self:
        return cls(by_link=event.by_link)


@message(
    "second_factor",
    on={SecondFactorTurned: "tell_of_second_factor"},
    to=account_holder,
    category="account",
)
class SecondFactor(Message):
    """The same for the second factor."""

    on: bool

    @classmethod
    async def about(cls, event: SecondFactorTurned, tx: Tx) -> Self:
        return cls(on=event.on)


@message(
    "signed_in",
    on={SignedInFromNewPlace: "tell_of_new_place"},
    to=account_holder,
    category="account",
)
class SignedIn(Message):
    """The holder learns of a sign-in from a new place: it may have been somebody else."""

    at: datetime
    zone: str
    address: Seen[str | None]
    agent: str | None

    @classmethod
    async def about(cls, event: SignedInFromNewPlace, tx: Tx) -> Self:
        return cls(at=event.at, zone=event.state.time_zone, address=event.address, agent=event.agent)


@message(
    "session_reused",
    on={SessionEnded: "warn_of_copied_session"},
    to=account_holder,
    category="account",
)
class SessionReused(Message):
    """The holder learns that a refresh token was used twice: it may have been stolen."""

    @classmethod
    async def about(cls, event: SessionEnded, tx: Tx) -> Self | str:
        return cls() if event.why == "reused" else "ended by the person"
