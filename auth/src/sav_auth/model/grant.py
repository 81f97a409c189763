"""Grants behind the links in messages, and requests for such links."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Base

Purpose = Literal["invitation", "first-admin", "verify-email", "change-email", "password-reset"]


# Kept short: a used link could otherwise be used to guess passwords.
REPEATED_WITHIN = timedelta(minutes=10)


class Grant(Base):
    """The right to do one thing once, until it expires; its id is signed into a link."""

    __tablename__ = "grant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # None for the first admin: there is no account yet.
    account_id: Mapped[UUID | None]
    purpose: Mapped[Purpose]
    # The new address, for the purpose `change-email`.
    email: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    def burn(self, now: datetime) -> bool:
        """Uses it up; False where it was used before or has expired."""
        if self.used_at is not None or self.expires_at <= now:
            return False
        self.used_at = now
        return True

    def was_just_used(self, now: datetime) -> bool:
        """Whether a repeated use may only mean that the reply was lost."""
        return self.used_at is not None and now - self.used_at <= REPEATED_WITHIN


class LinkRequest(Base):
    """Somebody asked for a link by an address; whether there is such an account is checked later."""

    __tablename__ = "wish"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose]
    email: Mapped[str]
