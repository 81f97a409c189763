"""Sign-in attempts."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Base
from sav_contracts.auth.session import SignInResult

# How long attempts are kept; also sessions and grants, from when they end or expire.
RETENTION = timedelta(days=90)


class LoginAttempt(Base):
    """One attempt to sign in or to prove one's identity; of an address without an account only a MAC is kept."""

    __tablename__ = "login_attempt"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None]
    email_mac: Mapped[str | None]
    session_id: Mapped[UUID | None]
    at: Mapped[datetime]
    result: Mapped[SignInResult]
    address: Mapped[str | None]
    agent: Mapped[str | None]
    # The network that failures are counted by: an IPv4 address, or the /64 of an IPv6 one.
    origin: Mapped[str | None]
    # `origin` and the user agent without digits: tells a known place from a new one.
    place: Mapped[str | None]
