"""Signing in, staying so, and what proves who somebody is."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, model_validator

from sav_contracts.actor import Role
from sav_contracts.auth.account import Accepted, AccountView
from sav_contracts.auth.fields import Code, Email, KnownPassword, LinkToken, Password
from sav_contracts.messages import Command, Event, Message, Personal, PersonId, Query, Revokes

SessionEnd = Literal["signed_out", "ended", "reused"]
SignInResult = Literal["signed_in", "second_factor_required", "wrong_password", "wrong_code", "not_active"]


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
    """Prove that the authenticator works; from then on every sign-in asks for a code. The other sessions end."""

    secret: ClassVar[bool] = True

    code: Code


class RemoveSecondFactor(Command[Accepted]):
    """Do without the second factor; the password or a code proves who asks. The other sessions end."""

    secret: ClassVar[bool] = True

    password: KnownPassword | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _proves_who_asks(self) -> "RemoveSecondFactor":
        if self.password is None and self.code is None:
            raise ValueError("password or code: prove that it is you")
        return self


class ResetSecondFactor(Command[AccountView]):
    """Take away the second factor of somebody who has lost it; their sessions end."""

    account_id: PersonId


class FindSignIns(Query[SignIns]):
    """Who tried to sign in to an account: the last hundred tries, or those before a time."""

    account_id: PersonId
    before: AwareDatetime | None = None


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


class SecondFactorTurned(Revokes):
    """The second factor of an account was turned on, or off. Other sessions are over."""

    state: AccountView
    on: bool
    # Once it ended none.
    revoked: tuple[UUID, ...] = ()


class SignedInFromNewPlace(Event):
    """Somebody signed in from where, or with what, nobody did so to this account in the last three months.

    `agent` is a browser and a system by name (`Firefox, Windows`), where they are known.
    """

    state: AccountView
    at: datetime
    address: Personal[str | None]
    agent: Personal[str | None]


class SignInFailedRepeatedly(Event):
    """Several wrong passwords in a row, within a quarter of an hour."""

    state: AccountView
    failures: int
