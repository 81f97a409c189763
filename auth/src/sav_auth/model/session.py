"""Sessions, and the refresh tokens that keep them alive."""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.envelope import Caller
from sav_chassis.model import Base
from sav_contracts.auth.session import SessionEnd, SessionShown

IDLE = timedelta(days=14)
LONGEST = timedelta(days=30)
# How long the previous refresh token is still accepted: two tabs may refresh at once, or an answer may be lost.
TWICE_WITHIN = timedelta(seconds=10)
MAC_SIZE = 32


class RefreshToken(NamedTuple):
    """The content of a refresh token: its session, its number within the session, and a MAC that proves we made it."""

    session_id: UUID
    counter: int
    mac: bytes

    @classmethod
    def read(cls, text: str) -> "RefreshToken | None":
        """None where the text does not have the form of our tokens."""
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return None
        if len(raw) != 16 + 8 + MAC_SIZE:
            return None
        return cls(UUID(bytes=raw[:16]), int.from_bytes(raw[16:24]), raw[24:])

    def __str__(self) -> str:
        raw = self.session_id.bytes + self.counter.to_bytes(8) + self.mac
        return urlsafe_b64encode(raw).decode().rstrip("=")


class Session(Base):
    """A person signed in somewhere. Its newest refresh token derives from the counter: no token is stored."""

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    salt: Mapped[bytes]
    counter: Mapped[int]
    rotated_at: Mapped[datetime]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str | None]
    agent: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    why: Mapped[SessionEnd | None]

    @classmethod
    def begun(cls, id: UUID, account_id: UUID, caller: Caller, now: datetime) -> "Session":
        return cls(
            id=id,
            account_id=account_id,
            salt=secrets.token_bytes(16),
            counter=0,
            rotated_at=now,
            created_at=now,
            last_seen_at=now,
            expires_at=now + LONGEST,
            address=caller.address,
            agent=caller.agent,
        )

    def is_open(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.ends_at

    @property
    def ends_at(self) -> datetime:
        """When it expires unless it is refreshed before."""
        return min(self.last_seen_at + IDLE, self.expires_at)

    def token(self, secret: str) -> str:
        """The newest refresh token."""
        return str(RefreshToken(self.id, self.counter, self._mac(self.counter, secret)))

    def made(self, token: RefreshToken, secret: str) -> bool:
        """Whether this session made the token, whether newest or older."""
        return token.counter <= self.counter and hmac.compare_digest(
            token.mac, self._mac(token.counter, secret)
        )

    def follows(self, token: RefreshToken, now: datetime) -> bool:
        """Whether this token may be traded for the newest: it is the newest, or was until `TWICE_WITHIN` ago."""
        just_now = now - self.rotated_at <= TWICE_WITHIN
        return token.counter == self.counter or (token.counter == self.counter - 1 and just_now)

    def refresh(self, token: RefreshToken, caller: Caller, now: datetime) -> None:
        """Notes the use and the caller; where the token is the newest, makes the next one."""
        if token.counter == self.counter:
            self.counter += 1
            self.rotated_at = now
        self.last_seen_at = max(now, self.last_seen_at)
        self.address, self.agent = caller

    def end(self, why: SessionEnd, now: datetime) -> None:
        self.ended_at, self.why = now, why

    def shown(self, current: UUID | None) -> SessionShown:
        return SessionShown(
            id=self.id,
            current=self.id == current,
            created_at=self.created_at,
            last_seen_at=self.last_seen_at,
            expires_at=self.ends_at,
            address=self.address,
            agent=self.agent,
        )

    def _mac(self, counter: int, secret: str) -> bytes:
        said = b"refresh\0" + self.id.bytes + self.salt + counter.to_bytes(8)
        return hmac.digest(secret.encode(), said, "sha256")
