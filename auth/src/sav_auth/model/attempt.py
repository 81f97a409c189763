"""Who tried to sign in."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Base
from sav_contracts.auth.session import SignInResult

# So long after the try; and sessions and links so long after they are over.
KEPT = timedelta(days=90)


class LoginAttempt(Base):
    """One try to sign in, or to prove who one is; of an address without an account only a MAC is kept."""

    __tablename__ = "login_attempt"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None]
    email_mac: Mapped[str | None]
    session_id: Mapped[UUID | None]
    at: Mapped[datetime]
    result: Mapped[SignInResult]
    address: Mapped[str | None]
    agent: Mapped[str | None]
    # What failures are counted by: one IPv4 address, or the network that one IPv6 customer has.
    origin: Mapped[str | None]
    # That, and the browser without its numbers: by what a person knows where they signed in.
    place: Mapped[str | None]
