"""Sign-in, sessions, passwords and second factors."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.actor import Role
from sav_contracts.auth.account import Accepted, AccountView
from sav_contracts.auth.fields import Code, Email, KnownPassword, LinkToken, Password
from sav_contracts.messages import Command, Event, Message, Personal, PersonId, Query, Revokes, View
from sav_contracts.times import Moment
from sav_contracts.wrong_value import WrongValue

SessionEnd = Literal["signed_out", "ended", "reused"]
SignInResult = Literal["signed_in", "second_factor_required", "wrong_password", "wrong_code", "not_active"]


class SignedIn(Message):
    """An access token for `Authorization: Bearer`, valid for `expires_in` seconds, and a token that gets the next one.

    With `second_factor_missing`, the access token allows only `/me` and `/me/totp` until a second factor is set up.
    """

    access_token: str = Field(examples=["eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI4NGZkZWJlOCJ9.c2lnbmVk"])
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    refresh_token: str = Field(examples=["0197a2c4-5d1e-7b3f-8a60-2f4e6c8b0d12.1.c2lnbmVk"])
    refresh_expires_in: int
    user_id: UUID
    role: Role
    second_factor_missing: bool = False


class SessionShown(Message):
    """A session of a person; `current` is the one of this request."""

    id: UUID
    current: bool
    created_at: datetime = Field(examples=["2026-03-02T08:15:00Z"])
    last_seen_at: datetime
    expires_at: datetime = Field(examples=["2026-03-09T08:15:00Z"])
    address: str | None = Field(examples=["192.0.2.7"])
    agent: str | None = Field(examples=["Firefox, Windows"])


class Sessions(Message):
    """A person's sessions, the last used first."""

    items: list[SessionShown]


class SignInShown(Message):
    """One attempt to sign in, or to do something that needs the password again."""

    at: datetime
    result: SignInResult
    address: str | None = Field(examples=["192.0.2.7"])
    agent: str | None = Field(examples=["Firefox, Windows"])


class SignIns(Message):
    """The attempts to sign in to an account, the newest first, and its protection besides the password."""

    second_factor: bool
    recovery_codes_left: int
    items: list[SignInShown]


class SecondFactorSecret(Message):
    """What an authenticator needs (RFC 6238: SHA-1, six digits, 30 seconds): the secret, also as a URI."""

    secret: str = Field(examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
    uri: str = Field(
        examples=["otpauth://totp/SAV:lea%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=SAV"]
    )


class RecoveryCodes(Message):
    """Each code replaces the authenticator once. They are shown only in this reply."""

    codes: list[str] = Field(examples=[["k7qd-2m5x-w3ta"]])


class SignIn(Command[SignedIn]):
    """Sign in with address and password, and a `code` where a second factor is on (401 `second_factor_required`)."""

    secret: ClassVar[bool] = True

    email: Personal[Email]
    password: KnownPassword
    code: Code | None = None


class RefreshSession(Command[SignedIn]):
    """Trade a refresh token for new tokens. Each works once; using one again ends the session."""

    secret: ClassVar[bool] = True

    refresh_token: LinkToken


class SignOut(Command[Accepted]):
    """End the session of this request."""


class RequestPasswordReset(Command[Accepted]):
    """Ask for a link to choose a new password. The answer is the same whether the address is known or not."""

    email: Personal[Email]


class ResetPassword(Command[Accepted]):
    """Choose a new password, with the token of the link. All sessions of the account end."""

    secret: ClassVar[bool] = True

    token: LinkToken
    password: Password


class ChangePassword(Command[Accepted]):
    """Change the password. The other sessions end."""

    secret: ClassVar[bool] = True

    current_password: KnownPassword
    password: Password


class FindSessions(Query[Sessions]):
    """List the caller's sessions."""


class EndSession(Command[Accepted]):
    """End one of the caller's sessions."""

    session_id: UUID


class SetUpSecondFactor(Command[SecondFactorSecret]):
    """Get a secret for an authenticator. It counts after one of its codes was confirmed."""

    secret: ClassVar[bool] = True

    password: KnownPassword


class ConfirmSecondFactor(Command[RecoveryCodes]):
    """Confirm that the authenticator works. From then on every sign-in needs a code. The other sessions end."""

    secret: ClassVar[bool] = True

    code: Code


class ProofMissing(WrongValue):
    code = "proof_missing"
    en = "password or code: prove that it is you"
    fr = "password ou code : prouvez qu’il s’agit bien de vous"


class RemoveSecondFactor(Command[Accepted]):
    """Remove the second factor, with the password or a code as proof. The other sessions end."""

    secret: ClassVar[bool] = True

    password: KnownPassword | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _proves_who_asks(self) -> "RemoveSecondFactor":
        if self.password is None and self.code is None:
            raise ProofMissing().error()
        return self


class ResetSecondFactor(Command[AccountView]):
    """Remove the second factor of a person who has lost it. Their sessions end."""

    account_id: PersonId


class FindSignIns(Query[SignIns]):
    """List the attempts to sign in to an account: the last hundred, or the last hundred before a time."""

    of: ClassVar[type[View] | None] = AccountView

    account_id: PersonId
    before: Moment | None = None


class PasswordResetRequested(Event[AccountView]):
    """Somebody asked for a link to choose a new password. The sender signs the link from the grant."""

    grant_id: UUID
    expires_at: datetime = Field(examples=["2026-03-09T08:15:00Z"])


class PasswordChanged(Revokes[AccountView]):
    """The password of an account changed; `by_link` where the old one was forgotten. Other sessions have ended."""

    by_link: bool = False


class SessionEnded(Revokes[AccountView]):
    """A session ended: by signing out, from another session, or because its refresh token was used twice."""

    session_id: UUID
    why: SessionEnd


class SecondFactorTurned(Revokes[AccountView]):
    """The second factor of an account was turned on or off. Other sessions have ended."""

    on: bool
    # In its first release this event ended no sessions.
    revoked: tuple[UUID, ...] = ()


class SignedInFromNewPlace(Event[AccountView]):
    """Somebody signed in from a place or device that was not used for this account in the last three months.

    `agent` names the browser and the system (`Firefox, Windows`), where they are known.
    """

    at: datetime
    address: Personal[str | None] = Field(examples=["192.0.2.7"])
    agent: Personal[str | None] = Field(examples=["Firefox, Windows"])


class SignInFailedRepeatedly(Event[AccountView]):
    """Several wrong passwords were entered in a row, within a quarter of an hour."""

    failures: int = Field(examples=[5])
