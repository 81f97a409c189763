"""Accounts, the invitations to them, and who tried to sign in."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_auth.lifecycle import ACCOUNT
from sav_chassis.model import Aggregate, Base
from sav_contracts.actor import Actor, Role
from sav_contracts.auth import AccountStatus, AccountView, Locale

INVITATION_LASTS = timedelta(days=7)
# So many wrong passwords within this time are told about.
REPEATED_FAILURES = 5
FAILURE_WINDOW = timedelta(minutes=15)


class Account(Aggregate):
    """A person who may sign in. The password hash never leaves this table."""

    __tablename__ = "account"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[Role]
    locale: Mapped[Locale]
    status: Mapped[AccountStatus]
    password_hash: Mapped[str | None]

    @property
    def user_id(self) -> UUID:
        return self.id

    def activate(self, password_hash: str, by: Actor) -> None:
        """The invited person chose a password."""
        ACCOUNT.check(self.status, "active", by)
        self.status = "active"
        self.password_hash = password_hash

    def view(self) -> AccountView:
        return AccountView.model_validate(self, from_attributes=True)


class Grant(Base):
    """The right to do one thing once, until it expires; its id is signed into a link."""

    __tablename__ = "grant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    purpose: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    def burn(self, now: datetime) -> bool:
        """Uses it up; False where it was used before or has expired."""
        if self.used_at is not None or self.expires_at <= now:
            return False
        self.used_at = now
        return True


class LoginAttempt(Base):
    """One try to sign in to a known account."""

    __tablename__ = "login_attempt"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    session_id: Mapped[UUID | None]
    at: Mapped[datetime]
    succeeded: Mapped[bool]
