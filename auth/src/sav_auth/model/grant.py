"""What a link in a message gives the right to, and who asked for one."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Base

Purpose = Literal["invitation", "first-admin", "verify-email", "change-email", "password-reset"]
LASTS: dict[Purpose, timedelta] = {
    "invitation": timedelta(days=7),
    "first-admin": timedelta(days=1),
    "verify-email": timedelta(days=3),
    "change-email": timedelta(days=1),
    "password-reset": timedelta(hours=1),
}


# Longer, and a used link would be a place to try passwords at.
REPEATED_WITHIN = timedelta(minutes=10)


class Grant(Base):
    """The right to do one thing once, until it expires; its id is signed into a link."""

    __tablename__ = "grant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # The first admin's is for nobody yet.
    account_id: Mapped[UUID | None]
    purpose: Mapped[Purpose]
    # The new address, where it is to become the account's.
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
        """Whether who shows it again may only have missed the answer."""
        return self.used_at is not None and now - self.used_at <= REPEATED_WITHIN


class Wish(Base):
    """Somebody asked for a link by an address, whether or not there is such an account: looked into afterwards."""

    __tablename__ = "wish"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose]
    email: Mapped[str]
